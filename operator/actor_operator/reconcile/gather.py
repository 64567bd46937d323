"""Gathering what a decision on a run is made from.

The stores answer nearly everything. What they cannot answer (is that pod really gone?) is asked of
the API server; and how a pod that is gone was last seen is kept until its run has moved on.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from actor_operator.api.v1alpha1.conditions import ConditionType
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.clock import Clock
from actor_operator.constants import LABEL_RUN
from actor_operator.desired.names import pod_name, pod_number
from actor_operator.desired.resolve import actor_reference, resolve
from actor_operator.engine.store import Store
from actor_operator.errors import TerminalError
from actor_operator.kube.actors import Actors
from actor_operator.kube.errors import ForbiddenError
from actor_operator.kube.pods import Pods
from actor_operator.lifecycle.decide import ACTOR_WINDOW
from actor_operator.lifecycle.expiry import asked_for_at
from actor_operator.lifecycle.observed import Blocked, Observed
from actor_operator.lifecycle.replacement import unseen_end
from actor_operator.lifecycle.routing import Routing
from actor_operator.log import logger
from actor_operator.settings import Settings

log = logger(__name__)

PODS_BY_RUN = "run-uid"
"""Index of the pod store: uid of the run."""


@dataclass(frozen=True, slots=True)
class GonePod:
    """A pod that does not exist any more."""

    last_seen: PodView | None
    """As it was last seen; None: nobody looked."""

    since: datetime
    """Since when it is known to be gone."""

    is_sure: bool = False
    """Whether the API server was asked."""

    @property
    def may_linger(self) -> bool:
        """Whether its container may still run: it had a node, and nobody saw the end."""
        pod = self.last_seen
        return pod is None or (bool(pod.spec.node_name) and not pod.has_ended)


class Gatherer:
    """Knows what belongs to each run.

    Parameters
    ----------
    runs, pods, actors
        What the informers know.
    pod_reader, actor_reader
        The API server, for what the stores cannot answer.
    settings, clock
        As everywhere.
    """

    def __init__(
        self,
        *,
        runs: Store[RunView | FinishedRun],
        pods: Store[PodView],
        actors: Store[ActorView],
        pod_reader: Pods,
        actor_reader: Actors,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._pods = pods
        self._actors = actors
        self._pod_reader = pod_reader
        self._actor_reader = actor_reader
        self._settings = settings
        self._clock = clock
        self._gone: dict[str, dict[str, GonePod]] = {}
        pods.listen(self._on_pod)

    def _on_pod(self, old: PodView | None, new: PodView | None) -> None:
        """A pod does not exist any more; how it was last seen tells how its run goes on."""
        uid = old.controller_uid() if old else None
        if old is None or new is not None or uid is None:
            return
        run = self._runs.get(old.namespace, old.metadata.labels.get(LABEL_RUN, ""))
        if isinstance(run, RunView) and run.uid == uid:
            self._gone.setdefault(uid, {})[old.name] = GonePod(old, self._clock.now())

    def forget(self, uid: str) -> None:
        """The run is gone, or has moved on."""
        self._gone.pop(uid, None)

    async def gather(self, run: RunView, blocked: Blocked | None, routing: Routing) -> Observed:
        """Everything that the decision needs, read once."""
        pods = self.pods_of(run.uid)
        name = pod_name(run.name, run.uid, pod_number(run.status))
        pod = next((p for p in pods if p.name == name), None)
        gone = None
        if pod is None:
            pod, gone = await self._find_missing(run, name)
        previous = [p for p in pods if p.name != name and await self._is_there(p)]
        return Observed(
            run=run,
            pod=pod,
            gone_since=gone,
            previous=tuple(sorted(previous, key=_number_of)),
            lingers_until=self._lingers_until(run, pods),
            actor=await self._actor_of(run, pod),
            blocked=blocked,
            has_events=self._settings.api.enabled,
            routing=routing,
        )

    async def _is_there(self, pod: PodView) -> bool:
        """Whether an earlier pod exists: one that should long be gone is asked for.

        The next pod waits for it: a deletion that was missed must not be waited for for ever.
        """
        asked_for = asked_for_at(pod)
        if asked_for is None or self._clock.now() < asked_for:
            return True
        found = await self._pod_reader.read(pod.namespace, pod.name)
        if found is not None and found.uid == pod.uid:
            return True
        log.warning("A pod went without the watch telling of it.", pod=pod.name, uid=pod.uid)
        self._pods.remove(pod.namespace, pod.name, pod.uid)
        return False

    def pods_of(self, uid: str) -> list[PodView]:
        """The run's pods that the watch tells of."""
        return [p for p in self._pods.by_index(PODS_BY_RUN, uid) if p.controller_uid() == uid]

    async def read_pod(self, run: RunView) -> PodView | None:
        """The run's current pod from the API server; a pod of that name may be another's."""
        name = pod_name(run.name, run.uid, pod_number(run.status))
        pod = await self._pod_reader.read(run.namespace, name)
        return pod if pod is not None and pod.controller_uid() == run.uid else None

    async def _find_missing(
        self, run: RunView, name: str
    ) -> tuple[PodView | None, datetime | None]:
        """The current pod, which no watch tells of: as it was last seen, and since when it is gone.

        A pod that was only committed, and not made yet, is not gone. Of a finished run only what
        was seen matters: it tells what is left to clean up.
        """
        known = self._gone.get(run.uid, {}).get(name)
        if known is not None and (still := await self._still_there(known)):
            del self._gone[run.uid][name]
            return still, None
        if known is not None:
            self._gone[run.uid][name] = replace(known, is_sure=True)
            return known.last_seen, known.since
        if run.status.finished:
            return None, None
        if run.status.pod_name != name or not run.status.is_true(ConditionType.POD_SCHEDULED):
            return None, None
        # It existed: only the API server can say that it is gone.
        pod = await self.read_pod(run)
        if pod is not None:
            return pod, None
        since = self._clock.now()
        self._gone.setdefault(run.uid, {})[name] = GonePod(None, since)
        return None, since

    async def _still_there(self, gone: GonePod) -> PodView | None:
        """A pod that the watch has lost because somebody took our label from it.

        It is asked for before another one takes its place, unless its end was seen.
        """
        pod = gone.last_seen
        if pod is None or gone.is_sure or not gone.may_linger:
            return None
        found = await self._pod_reader.read(pod.namespace, pod.name)
        return found if found is not None and found.uid == pod.uid else None

    def _lingers_until(self, run: RunView, pods: list[PodView]) -> datetime | None:
        """Until when containers of vanished pods may still run.

        Whoever deletes a pod by force does not wait for its node.
        """
        grace = timedelta(seconds=self._settings.pod.grace_period_seconds)
        gone = self._gone.get(run.uid, {})
        since = [pod.since for pod in gone.values() if pod.may_linger]
        before = pod_name(run.name, run.uid, pod_number(run.status) - 1)
        known = before in gone or any(pod.name == before for pod in pods)
        if not known and (end := unseen_end(run)):
            since.append(end)
        return max(since) + grace if since else None

    async def _actor_of(self, run: RunView, pod: PodView | None) -> ActorView | None:
        """The run's Actor, from the store; before it is missed the API server is asked."""
        namespace, name = actor_reference(run)
        cached = self._actors.get(namespace, name)
        began = run.status.queued_at or run.metadata.creation_timestamp
        early = began is None or self._clock.now() < began + ACTOR_WINDOW
        if pod is not None or early or self._can_resolve(run, cached):
            return cached
        try:
            return await self._actor_reader.read(namespace, name)
        except ForbiddenError:
            # An installation of some namespaces does not see the Actors of others.
            return cached

    def _can_resolve(self, run: RunView, actor: ActorView | None) -> bool:
        try:
            resolve(run, actor, self._settings)
        except TerminalError:
            return False
        return True


def _number_of(pod: PodView) -> int:
    """Which pod of its run it is; 0 for one that somebody else has made in its name."""
    suffix = pod.name.rpartition("-")[2]
    return int(suffix) if suffix.isdecimal() else 0
