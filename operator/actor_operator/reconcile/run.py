"""Reconciling one run: gather, decide, execute, tell.

Level-triggered: an event only says "look at this run again". Runs of one key never overlap.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from actor_operator.api.v1alpha1.conditions import ConditionType
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunStatus, RunView, stub
from actor_operator.clock import Clock
from actor_operator.constants import LABEL_RUN
from actor_operator.desired.names import pod_name, pod_number
from actor_operator.desired.resolve import actor_reference, resolve
from actor_operator.engine.store import Key, Store
from actor_operator.errors import TerminalError, WaitingError
from actor_operator.kube.actors import Actors
from actor_operator.kube.errors import ForbiddenError, InvalidError
from actor_operator.kube.pods import Pods
from actor_operator.kube.runs import Runs
from actor_operator.lifecycle.actions import CreatePod
from actor_operator.lifecycle.decide import ACTOR_WINDOW, Decision, admit_first, decide
from actor_operator.lifecycle.facts import ABORTS
from actor_operator.lifecycle.observed import Blocked, Observed
from actor_operator.lifecycle.removal import remove_stray, tidy
from actor_operator.lifecycle.replacement import unseen_end
from actor_operator.lifecycle.resurrection import resurrect, resurrection_due
from actor_operator.lifecycle.status import settle, summarise
from actor_operator.reconcile.account import AccountController
from actor_operator.reconcile.execute import Executor, Refusal
from actor_operator.reconcile.seams import Seams
from actor_operator.settings import Settings

PODS_BY_RUN = "run-uid"
"""Index of the pod store: uid of the run."""

FIRST_PAUSE = timedelta(seconds=5)
"""Pause after the first refusal of a pod."""

LONGEST_PAUSE = timedelta(seconds=60)
"""Pause after many refusals."""

BLIND_PAUSE = timedelta(seconds=60)
"""How often a pod is asked for that the watch does not tell of."""

INVALID_PAUSE = 60.0
"""Seconds until a status that the API server does not take is tried again."""

DISTANT = datetime.max.replace(tzinfo=UTC)
"""Later than everything."""


@dataclass(frozen=True, slots=True)
class GonePod:
    """A pod that does not exist any more."""

    last_seen: PodView | None
    """As it was last seen; None: nobody looked."""

    since: datetime
    """Since when it is known to be gone."""

    @property
    def may_linger(self) -> bool:
        """Whether its container may still run: it had a node, and nobody saw the end."""
        pod = self.last_seen
        return pod is None or (bool(pod.spec.node_name) and not pod.has_ended)


class RunReconciler:
    """Brings runs nearer to what they should be, one step a call.

    Parameters
    ----------
    runs, pods, actors
        What the informers know; answers to our own writes are put in beside them.
    run_writer, pod_reader, actor_reader
        The API server, for statuses and for what the stores cannot answer.
    executor
        Writes children.
    accounts
        Decides on memory before a pod is made.
    settings, clock, seams
        As everywhere.
    on_status
        Told of each committed status: the run before and after, and its pod.
    key
        Gives the key that makes names of Secrets unguessable.
    """

    def __init__(  # noqa: PLR0913 -- its collaborators, each of them once
        self,
        *,
        runs: Store[RunView | FinishedRun],
        pods: Store[PodView],
        actors: Store[ActorView],
        run_writer: Runs,
        pod_reader: Pods,
        actor_reader: Actors,
        executor: Executor,
        accounts: AccountController,
        settings: Settings,
        clock: Clock,
        seams: Seams,
        on_status: Callable[[RunView, RunView, PodView | None], None],
        key: Callable[[], bytes],
    ) -> None:
        self._runs = runs
        self._pods = pods
        self._actors = actors
        self._run_writer = run_writer
        self._pod_reader = pod_reader
        self._actor_reader = actor_reader
        self._executor = executor
        self._accounts = accounts
        self._settings = settings
        self._clock = clock
        self._seams = seams
        self._on_status = on_status
        self._key = key
        self._blocked: dict[str, Blocked] = {}
        self._gone: dict[str, dict[str, GonePod]] = {}

    async def reconcile(self, key: Key) -> datetime | None:
        """Look at one run again.

        Returns
        -------
        datetime or None
            When to look at it next, if nothing happens before.

        Raises
        ------
        ApiError
            Try again soon.
        WaitingError
            Try again after its pause.
        """
        run = self._runs.get(*key)
        if isinstance(run, FinishedRun):
            await self._remove_strays(run)
            return None
        if run is None:
            return None
        try:
            return await self._look_at(run)
        finally:
            self._accounts.looked_at(run)

    async def _look_at(self, run: RunView) -> datetime | None:
        if run.metadata.deletion_timestamp is not None:
            return None
        observed = await self._gather(run)
        if observed.status.finished:
            return await self._after_the_end(observed)
        decision = self._decide(observed)
        unseen = observed.pod is None and observed.gone_since is None
        if decision.facts.verdict is not None and unseen:
            # A pod of a lost answer may not be in the store yet; it must not outlive the verdict.
            observed = replace(observed, pod=await self._read_pod(observed.run))
            decision = self._decide(observed)
        if observed.pod_exists and observed.stopping not in ABORTS and _aborts(decision):
            # An end that was committed before the request may be news that is still on its way.
            observed = replace(observed, pod=await self._read_pod(run) or observed.pod)
            decision = self._decide(observed)
        observed, decision = self._admit(observed, decision)
        refusal = await self._execute(observed, decision)
        if refusal is not None:
            observed = replace(observed, blocked=self._remember(observed, refusal))
            decision = self._decide(observed)
        told = await self._tell(observed, decision)
        # What was told may call for the next step (an abort is carried out once it is committed),
        # and the watch is silent about our own writes.
        if told:
            return self._clock.now()
        pod = observed.pod if observed.pod_exists else None
        if pod is not None and self._pods.get(run.namespace, pod.name) is None:
            # Someone took our label from the pod: the watch will never tell of it.
            return min(self._clock.now() + BLIND_PAUSE, decision.wake_at or DISTANT)
        return decision.wake_at

    def pod_gone(self, pod: PodView) -> None:
        """A pod does not exist any more; how it was last seen tells how its run goes on."""
        uid = pod.controller_uid()
        run = self._runs.get(pod.namespace, pod.metadata.labels.get(LABEL_RUN, ""))
        if uid is not None and isinstance(run, RunView) and run.uid == uid:
            self._gone.setdefault(uid, {})[pod.name] = GonePod(pod, self._clock.now())

    def retry_now(self, uid: str) -> None:
        """There may be room for a pod that the API server refused."""
        blocked = self._blocked.get(uid)
        if blocked is not None:
            self._blocked[uid] = replace(blocked, retry_at=self._clock.now())

    def forget_all(self) -> None:
        """Leading has ended: what was remembered is of no use."""
        self._blocked.clear()

    def forget(self, uid: str) -> None:
        """The run is gone, or needs nothing more."""
        self._blocked.pop(uid, None)
        self._gone.pop(uid, None)

    async def _gather(self, run: RunView) -> Observed:
        """Everything that the decision needs, read once."""
        pods = self._pods_of(run.uid)
        name = pod_name(run.name, run.uid, pod_number(run.status))
        pod = next((p for p in pods if p.name == name), None)
        gone = None
        if pod is None and not run.status.finished:
            pod, gone = await self._find_missing(run, name)
        previous = [p for p in pods if p.name != name]
        return Observed(
            run=run,
            pod=pod,
            gone_since=gone,
            previous=tuple(sorted(previous, key=_number_of)),
            lingers_until=self._lingers_until(run, pods),
            actor=await self._actor_of(run, pod),
            blocked=self._blocked.get(run.uid),
        )

    async def _find_missing(
        self, run: RunView, name: str
    ) -> tuple[PodView | None, datetime | None]:
        """The current pod, which no watch tells of: as it was last seen, and since when it is gone.

        A pod that was only committed, and not made yet, is not gone.
        """
        known = self._gone.get(run.uid, {}).get(name)
        if known is not None:
            return known.last_seen, known.since
        if run.status.pod_name != name or not run.status.is_true(ConditionType.POD_SCHEDULED):
            return None, None
        # It existed: only the API server can say that it is gone.
        pod = await self._read_pod(run)
        if pod is not None:
            return pod, None
        since = self._clock.now()
        self._gone.setdefault(run.uid, {})[name] = GonePod(None, since)
        return None, since

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

    def _pods_of(self, uid: str) -> list[PodView]:
        return [p for p in self._pods.by_index(PODS_BY_RUN, uid) if p.controller_uid() == uid]

    async def _remove_strays(self, run: FinishedRun) -> None:
        """A creation that was given up may have landed after the verdict: nothing needs its pod."""
        for pod in self._pods_of(run.uid):
            await self._executor.carry_out(run, remove_stray(pod))

    async def _read_pod(self, run: RunView) -> PodView | None:
        """The run's current pod from the API server; a pod of that name may be another's."""
        name = pod_name(run.name, run.uid, pod_number(run.status))
        pod = await self._pod_reader.read(run.namespace, name)
        return pod if pod is not None and pod.controller_uid() == run.uid else None

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

    def _decide(self, observed: Observed) -> Decision:
        return decide(observed, self._clock.now(), self._settings, self._key())

    def _admit(self, observed: Observed, decision: Decision) -> tuple[Observed, Decision]:
        """Reserve memory for a pod that is to be made; without room the run waits."""
        resolved, now = decision.resolved, self._clock.now()
        if resolved is None or not _makes_pod(decision):
            return observed, decision
        blocked = self._accounts.admit(observed.run, resolved.memory_mbytes)
        if blocked is None:
            return observed, admit_first(observed, decision, now)
        # While it stands in the line it does not wait for the API server.
        self._blocked.pop(observed.run.uid, None)
        observed = replace(observed, blocked=blocked)
        return observed, self._decide(observed)

    async def _execute(self, observed: Observed, decision: Decision) -> Refusal | None:
        """Write children; returns why the API server does not take the pod, if it does not."""
        admitted_at, creates = self._clock.now(), _makes_pod(decision)
        with self._accounts.creating(observed.run) if creates else nullcontext():
            outcome = await self._executor.carry_out(observed.run, decision.actions)
            for pod in outcome if isinstance(outcome, tuple) else ():
                self._pods.apply(pod)
        if isinstance(outcome, Refusal):
            self._accounts.refused(observed.run)
            return outcome
        if creates:
            self.forget(observed.run.uid)
            self._seams.pod_created(observed.run, admitted_at)
        return None

    def _remember(self, observed: Observed, refusal: Refusal) -> Blocked:
        """Why the pod was refused, since when, and when to try again: 5 s, 10 s … 60 s."""
        now, last = self._clock.now(), observed.blocked
        tries = last.tries + 1 if last else 1
        pause = min(FIRST_PAUSE * 2 ** min(tries - 1, 10), LONGEST_PAUSE)
        blocked = Blocked(
            reason=refusal.reason,
            message=refusal.message,
            final=refusal.final,
            since=last.since if last else now,
            tries=tries,
            retry_at=now + pause,
        )
        self._blocked[observed.run.uid] = blocked
        return blocked

    async def _tell(self, observed: Observed, decision: Decision) -> bool:
        """Write the status, step by step, if it says something new; returns whether it did."""
        run = observed.run
        for status in summarise(observed, decision, self._clock.now(), self._settings):
            run = await self._write(run, status, observed.pod)
        if run.status.finished:
            self.forget(run.uid)
        return run is not observed.run

    async def _write(self, run: RunView, status: RunStatus, pod: PodView | None) -> RunView:
        try:
            written = await self._run_writer.write_status(run, status)
        except InvalidError as error:
            # Old CRDs under a new operator: once they are replaced, the run goes on.
            raise WaitingError(
                f"The API server does not take the status: {error}", requeue_after=INVALID_PAUSE
            ) from error
        self._runs.apply(stub(written))
        self._seams.status_written(run, written, pod)
        self._on_status(run, written, pod)
        return written

    async def _after_the_end(self, observed: Observed) -> datetime | None:
        """A finished run that begins anew, or that still needs something: clean-up, generation."""
        request = resurrection_due(observed.run)
        if request is not None:
            status = resurrect(observed.run, request, self._clock.now())
            await self._write(observed.run, status, observed.pod)
            return self._clock.now()
        actions, cleanup = tidy(observed)
        outcome = await self._executor.carry_out(observed.run, actions)
        for pod in outcome if isinstance(outcome, tuple) else ():
            self._pods.apply(pod)
        settled = settle(observed, cleanup=cleanup)
        if settled is not None:
            await self._write(observed.run, settled, observed.pod)
        return None


def _number_of(pod: PodView) -> int:
    """Which pod of its run it is; 0 for one that somebody else has made in its name."""
    suffix = pod.name.rpartition("-")[2]
    return int(suffix) if suffix.isdecimal() else 0


def _makes_pod(decision: Decision) -> bool:
    return any(isinstance(action, CreatePod) for action in decision.actions)


def _aborts(decision: Decision) -> bool:
    """Whether a decision carries out a user's request to stop."""
    return decision.facts.stop is not None and decision.facts.stop.reason in ABORTS
