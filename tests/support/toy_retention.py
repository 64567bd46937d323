"""Stores that know of finished runs, an API server that has them, and who removes them."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from msgspec.structs import replace
from tests.support.builders import a_pod, a_run, at

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.account import Retention
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunStatus, RunView, stub
from actor_operator.constants import ANNOTATION_ARCHIVED, LABEL_RUN, LABEL_RUN_UID
from actor_operator.engine.store import Store
from actor_operator.lifecycle.actions import DeletePod
from actor_operator.reconcile.archives import ArchiveController
from actor_operator.reconcile.gather import PODS_BY_RUN
from actor_operator.reconcile.retention import RetentionController
from actor_operator.settings_groups import RetentionSettings

SETTINGS = RetentionSettings(
    ttl_seconds_after_finished=100, keep_last=0, finished_pod_ttl_seconds=30
)


class World:
    """Stores that know of finished runs, and the API server that has them."""

    def __init__(self, *, api: bool = False) -> None:
        self.runs: Store[RunView | FinishedRun] = Store()
        self.pods: Store[PodView] = Store({PODS_BY_RUN: lambda p: p.metadata.labels[LABEL_RUN_UID]})
        self.server: dict[str, RunView] = {}
        self.reads: list[str] = []
        self.deleted: list[tuple[str, float]] = []
        self.removed_pods: list[tuple[str, float]] = []
        self.errors: list[Exception] = []
        self.before_delete: Callable[[], None] = lambda: None
        self.account: Retention | None = None
        self.served = True
        self._version = 100
        self._tasks: list[asyncio.Task[None]] = []
        self.told: list[tuple[str, str]] = []
        self.statuses: list[tuple[str, float]] = []
        archives = ArchiveController(
            runs=self.runs,
            run_writer=cast("Any", self),
            tell=lambda event, run: self.told.append((run.name, event.reason)),
            serves=lambda _: self.served,
            enabled=api,
            clock=self,
        )
        self.controller = RetentionController(
            runs=self.runs,
            pods=self.pods,
            run_writer=cast("Any", self),
            executor=cast("Any", self),
            archives=archives,
            account=lambda _: self.account,
            serves=lambda _: self.served,
            settings=SETTINGS,
            clock=self,
        )

    # The clock

    def now(self) -> datetime:
        return at(asyncio.get_running_loop().time())

    # The API server

    async def read(self, _namespace: str, name: str) -> RunView | None:
        self.reads.append(name)
        return self.server.get(name)

    async def delete(self, run: RunView) -> None:
        if self.errors:
            self.before_delete()
            raise self.errors.pop(0)
        stored = self.server[run.name]
        assert (run.uid, run.resource_version) == (stored.uid, stored.resource_version)
        del self.server[run.name]
        self.deleted.append((run.name, asyncio.get_running_loop().time()))
        self.runs.remove(run.namespace, run.name, run.uid)

    async def write_status(self, run: RunView, status: RunStatus) -> RunView:
        stored = self.server[run.name]
        assert run.resource_version == stored.resource_version
        self.statuses.append((run.name, asyncio.get_running_loop().time()))
        self._version += 1
        metadata = replace(stored.metadata, resource_version=str(self._version))
        self.server[run.name] = replace(stored, metadata=metadata, status=status)
        return self.server[run.name]

    async def carry_out(self, _run: FinishedRun, actions: tuple[DeletePod, ...]) -> None:
        for action in actions:
            self.removed_pods.append((action.name, asyncio.get_running_loop().time()))
            self.pods.remove(action.namespace, action.name, action.uid)

    # What happens

    def lead(self) -> None:
        self.controller.start_leading()
        for timers in (self.controller.timers, self.controller.archives.timers):
            self._tasks.append(asyncio.create_task(timers.run()))

    def finish(self, name: str, end: float = 0, *, told: bool = True, **fields: Any) -> RunView:
        """A run is, or becomes, finished."""
        self._version += 1
        status = RunStatus(
            phase=Phase.SUCCEEDED, finished=True, finished_at=at(end), observed_generation=1
        )
        run = a_run(name, uid=f"uid-{name}", status=status, **fields)
        run = replace(run, metadata=replace(run.metadata, resource_version=str(self._version)))
        self.server[name] = run
        if told:
            self.runs.apply(stub(run))
        return run

    def change(self, name: str, **status: Any) -> None:
        """A run changes; the watch tells of it."""
        self._version += 1
        run = self.server[name]
        run = replace(
            run,
            metadata=replace(run.metadata, resource_version=str(self._version)),
            status=replace(run.status, **status),
        )
        self.server[name] = run
        self.runs.apply(stub(run))

    def archive(self, name: str, attempt: int = 1) -> None:
        """The API server has archived an attempt of a run; the watch tells of it."""
        self._version += 1
        run = self.server[name]
        metadata = replace(
            run.metadata,
            resource_version=str(self._version),
            annotations={ANNOTATION_ARCHIVED: str(attempt)},
        )
        self.server[name] = replace(run, metadata=metadata)
        self.runs.apply(stub(self.server[name]))

    def label(self, name: str, **labels: str) -> None:
        """Somebody labels a run; nobody has told of it yet."""
        run = self.server[name]
        self.server[name] = replace(run, metadata=replace(run.metadata, labels=labels))

    def add_pod(self, run: str, name: str) -> None:
        pod = a_pod()
        uid = f"uid-{run}"
        labels = pod.metadata.labels | {LABEL_RUN: run, LABEL_RUN_UID: uid}
        owners = tuple(replace(owner, uid=uid) for owner in pod.metadata.owner_references)
        meta = replace(pod.metadata, name=name, labels=labels, owner_references=owners)
        self.pods.apply(replace(pod, metadata=meta))

    async def close(self) -> None:
        await self.controller.stop_leading(1)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
