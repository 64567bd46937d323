"""An API server with runs, and replicas that follow their logs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.answering_server import a_connection
from tests.support.apiserver import ApiServer, PodHandle

from actor_operator.clock import SystemClock
from actor_operator.constants import (
    ANNOTATION_ARCHIVED,
    LABEL_ATTEMPT,
    LABEL_RUN,
    LABEL_RUN_UID,
)
from actor_operator.desired.names import object_id, pod_name
from actor_operator.engine.informer import Informer
from actor_operator.kube.client import KubeClient
from actor_operator.kube.pods import PODS, decode_pod
from actor_operator.kube.run_requests import RunRequests, decode_slim_run
from actor_operator.kube.runs import ACTOR_RUNS
from actor_operator.kube.source import KindSource
from actor_operator.services.log_follower import PodLogSource
from actor_operator.services.log_followers import LogFollowers
from actor_operator.services.log_tails import Tails
from actor_operator.services.log_writer import LogStore
from actor_operator.services.logs import Logs
from actor_operator.services.run_watch import RunHub, pod_store, run_store
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore

ACCOUNT = 7
"""The account of the namespace."""

NOW = "2026-03-01T12:00:00Z"
RUNNING = {"phase": "RUNNING", "attempt": 1, "startedAt": NOW, "buildNumber": "1.0.1"}


def ended(phase: str = "SUCCEEDED", attempt: int = 1) -> dict[str, Any]:
    """The status of a run that has ended."""
    return {"phase": phase, "finished": True, "finishedAt": NOW, "attempt": attempt}


async def account_of(_: str) -> int:
    """There is one namespace."""
    return ACCOUNT


@dataclass
class Replica:
    """One process of the API server, as far as logs go."""

    hub: RunHub
    followers: LogFollowers
    logs: Logs
    tasks: "list[asyncio.Task[None]]" = field(default_factory=list)

    async def stop(self) -> None:
        """Let it end."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@dataclass
class LogWorld:
    """A cluster with one namespace, and where logs are stored."""

    server: ApiServer
    database: Database
    objects: ObjectStore

    @asynccontextmanager
    async def replica(self, owner: str = "one") -> AsyncIterator[Replica]:
        """Start a replica, and stop it at the end."""
        connection = a_connection(self.server.url)
        async with KubeClient(connection, user_agent=owner) as client:
            runs, pods = run_store(), pod_store()
            hub = RunHub(runs, pods)
            tails = Tails()
            store = LogStore(self.database, self.objects, tails, owner, SystemClock())
            followers = LogFollowers(
                hub, PodLogSource(client, hub), store, RunRequests(client), account_of
            )
            informers: list[Informer[Any]] = [
                Informer(
                    source=KindSource(client, ACTOR_RUNS),
                    store=runs,
                    decode=decode_slim_run,
                    on_change=lambda _old, _new: None,
                ),
                Informer(
                    source=KindSource(client, PODS),
                    store=pods,
                    decode=decode_pod,
                    on_change=lambda _old, _new: None,
                ),
            ]
            replica = Replica(hub, followers, Logs(self.database, self.objects, tails))
            replica.tasks = [asyncio.create_task(informer.run()) for informer in informers]
            for informer in informers:
                await informer.synced.wait()
            replica.tasks.append(asyncio.create_task(followers.run()))
            try:
                yield replica
            finally:
                await replica.stop()

    def run(self, name: str = "hello") -> str:
        """Create a run that is not started; returns its id."""
        obj = {"metadata": {"name": name}, "spec": {"actor": "greeter"}}
        return object_id("run", self.server.create("actorruns", obj)["metadata"]["uid"])

    def pod(self, number: int = 1, attempt: int = 1, name: str = "hello") -> PodHandle:
        """Create a pod of a run, on a node."""
        uid = self.server.get("actorruns", "default", name)["metadata"]["uid"]
        labels = {LABEL_RUN: name, LABEL_RUN_UID: uid, LABEL_ATTEMPT: str(attempt)}
        pod = pod_name(name, uid, number)
        spec = {"containers": [{"name": "actor", "image": "hello:1"}]}
        self.server.create("pods", {"metadata": {"name": pod, "labels": labels}, "spec": spec})
        return self.server.pod("default", pod).schedule()

    def say(self, status: dict[str, Any], name: str = "hello") -> None:
        """Let the operator write a run's status."""
        self.server.patch("actorruns", "default", name, {"status": status}, subresource="status")

    def archived(self, name: str = "hello") -> str | None:
        """What the run says of its log."""
        meta = self.server.get("actorruns", "default", name)["metadata"]
        found: str | None = (meta.get("annotations") or {}).get(ANNOTATION_ARCHIVED)
        return found

    async def until_archived(self, attempt: int = 1, name: str = "hello") -> None:
        """Wait until the run says that its log is archived."""
        while self.archived(name) != str(attempt):  # noqa: ASYNC110 -- the server has no event
            await asyncio.sleep(0.01)


async def text_of(stream: AsyncIterator[bytes]) -> str:
    """All that a reader gets."""
    return b"".join([part async for part in stream]).decode()


def words(text: str) -> list[str]:
    """The lines of a log without their stamps."""
    for line in text.splitlines():
        assert line[10] == "T", line
        assert line[23:25] == "Z ", line
    return [line[25:] for line in text.splitlines()]
