"""A server, a kubelet, replicas of the operator, and runs whose ends can be compared."""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from tests.integration.operator.replica import Replica
from tests.support.apiserver import ApiServer, End, Scenario
from tests.support.apiserver.requestlog import Request
from tests.support.apiserver.store import Change
from tests.support.attempts import ENDED
from tests.support.golden import first_difference
from tests.support.history import (
    ACCOUNT,
    ADDED,
    HTTP_ROUTE,
    INGRESS,
    POD,
    RUN,
    SECRET,
    SERVICE,
    History,
    Object,
    Revision,
    status_of,
)
from tests.support.normal import normal, without_code

from actor_operator.desired.network_policy import POLICY_NAME
from actor_operator.settings import EngineSettings, LimitSettings, Settings

SETTINGS = Settings(
    limits=LimitSettings(image_pull_seconds=3),
    engine=EngineSettings(silence_seconds=4),
)
"""The defaults, but for what the tests cannot wait for."""

SCENARIOS = {
    "quick": Scenario(),
    "fails": Scenario(exit_code=3),
    "endless": Scenario(run_for=None, on_term=(143, 1)),
    "unpullable": Scenario(end=End.IMAGE_PULL),
}
"""What pods do, by the name of their Actor and image."""

CHILDREN = frozenset({POD, SECRET, SERVICE, INGRESS, HTTP_ROUTE})

WATCHED = (
    "actorruns",
    "pods",
    "actors",
    "actoraccounts",
    "namespaces",
    "services",
    "ingresses",
    "httproutes",
    "ingressclasses",
    "networkpolicies",
)
"""What a replica watches, or may watch."""

RUN_NAME = "actor-operator.dev/run"
RUN_UID = "actor-operator.dev/run-uid"

NAME = "subject"
"""The run of a workload."""

SECONDS = 20.0
"""Longest wait."""


@dataclass(frozen=True)
class Workload:
    """A run, what a user does to it, and how it ends."""

    actor: str = "quick"
    spec: dict[str, Any] = field(default_factory=dict)
    abort: tuple[str, str] | None = None
    """In which phase it is aborted, and how."""


class Bench:
    """What a test works with.

    Parameters
    ----------
    server
        The API server; its pods are played.
    """

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self.replicas: list[Replica] = []
        self.unprotected: list[str] = []
        """Pods of runs that were made in namespaces without the NetworkPolicy of runs."""
        self._protects = True
        self._revisions: list[Revision] = []
        self._followers: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()
        server.store.listen(self._note)
        for name in SCENARIOS:
            build = {"number": "1.0.1", "image": f"registry.example/{name}:1"}
            spec = {"builds": [build], "taggedBuilds": {"latest": "1.0.1"}}
            server.create("actors", {"metadata": {"name": name}, "spec": spec})

    def start(self, settings: Settings = SETTINGS) -> Replica:
        """Start a replica."""
        self._protects = self._protects and settings.network.policy
        replica = Replica(self.server, settings)
        self.replicas.append(replica)
        return replica

    async def leading(self, replica: Replica) -> None:
        """Wait until a replica leads and has done what it does at its start."""
        await self.until("it has the lease", replica.operator.elector.is_leader)
        # Else it waits a second for news of quiet kinds before it lists them.
        count = len(replica.operator.watches.informers)
        await self.until("it watches", lambda: len(self.server.watches.open()) >= count)
        for kind in WATCHED:
            self.server.watches.bookmark(kind)
        controller = replica.operator.controller
        await self.until("it leads", lambda: controller._leading)

    def expect_crash(self, replica: Replica, settings: Settings = SETTINGS) -> None:
        """Start another replica as soon as this one has crashed."""

        async def follow() -> None:
            await self.until("it crashes", lambda: replica.crashed)
            await self.leading(self.start(settings))

        self._followers.append(asyncio.create_task(follow()))

    async def close(self) -> None:
        """Stop all replicas."""
        await asyncio.gather(*self._followers)
        for replica in self.replicas:
            await replica.stopped()

    # Runs

    def create(self, workload: Workload, name: str = NAME) -> None:
        """Create the run of a workload."""
        spec = {"actor": workload.actor, **workload.spec}
        self.server.create("actorruns", {"metadata": {"name": name}, "spec": spec})

    async def drive(self, workload: Workload, name: str = NAME) -> None:
        """Create the run of a workload, do what its user does, and wait for its end."""
        self.create(workload, name)
        if workload.abort is not None:
            phase, mode = workload.abort
            await self.until("a kubelet has its pod", lambda: self._is_accepted(name))
            await self.phase(phase, name)
            self.abort(name, mode)
        await self.phase(ENDED, name)
        await self.until("its pods have ended", lambda: not self.live_pods(name))

    def abort(self, name: str = NAME, mode: str = "Immediate") -> None:
        """Ask for a run to be aborted."""
        patch = {"spec": {"abort": {"attempt": 1, "mode": mode}}}
        self.server.patch("actorruns", "default", name, patch)

    def status(self, name: str = NAME) -> Object:
        """The status of a run, empty when there is none."""
        return status_of(self.server.find("actorruns", "default", name) or {})

    def live_pods(self, name: str = NAME) -> list[Object]:
        """The pods of a run that have not ended."""
        pods = self.server.objects("pods", "default")
        mine = [pod for pod in pods if pod["metadata"]["labels"][RUN_NAME] == name]
        return [pod for pod in mine if status_of(pod)["phase"] not in {"Succeeded", "Failed"}]

    def _is_accepted(self, name: str) -> bool:
        return any("startTime" in status_of(pod) for pod in self.live_pods(name))

    async def phase(self, phases: str | Collection[str], name: str = NAME) -> None:
        """Wait until a run is in one of some phases."""
        wanted = {phases} if isinstance(phases, str) else set(phases)
        await self.until(
            f"run {name} is {' or '.join(sorted(wanted))}",
            lambda: self.status(name).get("phase") in wanted,
        )

    async def until(self, what: str, done: Callable[[], bool], seconds: float = SECONDS) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + seconds
        while not done():
            left = deadline - time.monotonic()
            assert left > 0, f"{what}: not within {seconds:g} s\n{self.describe()}"
            self._news.clear()
            try:
                async with asyncio.timeout(min(left, 0.05)):
                    await self._news.wait()
            except TimeoutError:
                continue

    # What was committed

    def writes(self, name: str = NAME) -> list[str]:
        """The writes about a run, in words."""
        found = (r for r in self.server.requests if r.is_write and is_work(r))
        return [f"{r.verb} {r.kind}" for r in found if r.name.startswith(name)]

    def history(self) -> History:
        """Every revision of runs and of what they own."""
        return History(self._revisions)

    def pods_made(self, name: str = NAME) -> int:
        """How many pods a run ever had."""
        history = self.history()
        return len(history.children(POD, history.life(RUN, name)[0].uid))

    def difference(self, name: str = NAME, reference: str = "reference") -> str | None:
        """Where a run's end differs from that of a reference; None when it does not."""
        return first_difference(self.outcome(reference), self.outcome(name))

    def outcome(self, name: str = NAME) -> Object:
        """What is left of a run, without what differs from one time to the next."""
        run = self.server.get("actorruns", "default", name)
        children = [
            (kind, normal(child["metadata"]["name"], name), child.get("status", {}).get("phase"))
            for kind in ("pods", "secrets", "services", "ingresses", "httproutes")
            for child in self.server.objects(kind, "default")
            if (child["metadata"].get("labels") or {}).get(RUN_UID) == run["metadata"]["uid"]
        ]
        status = {key: value for key, value in run["status"].items() if key != "stats"}
        if status["phase"] == "ABORTED" and not children:
            status = without_code(status)
        phases = self.history().phases(name)
        return {"status": normal(status, name), "children": children, "phases": phases}

    def describe(self) -> str:
        """All requests, for messages."""
        return "\n".join(str(request) for request in self.server.requests)

    def _look_for_policy(self, pod: Object) -> None:
        if self.server.find("networkpolicies", pod["namespace"], POLICY_NAME) is None:
            self.unprotected.append(pod["name"])

    def _note(self, change: Change) -> None:
        self._news.set()
        kind = change.kind.kind
        labels = change.after.object["metadata"].get("labels") or {}
        if kind not in {RUN, ACCOUNT} and (kind not in CHILDREN or RUN_UID not in labels):
            return
        if kind == POD and change.type == ADDED and self._protects:
            self._look_for_policy(change.after.object["metadata"])
        now = time.time()
        revision = Revision(change.revision, kind, change.type, change.after.object, now)
        self._revisions.append(revision)


def is_work(request: Request) -> bool:
    """Whether a request is a write about runs: not Lease, keys, Actors, Events, the namespace's."""
    others = ("actors", "events", "networkpolicies")
    return request.namespace == "default" and not request.kind.startswith(others)
