"""Reconciling one run: gather, decide, execute, tell.

Level-triggered: an event only says "look at this run again". Runs of one key never overlap.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunStatus, RunView, stub
from actor_operator.clock import Clock
from actor_operator.desired.keyring import Keyring
from actor_operator.engine.store import Key, Store
from actor_operator.errors import WaitingError
from actor_operator.kube.errors import InvalidError
from actor_operator.kube.runs import Runs
from actor_operator.lifecycle.actions import CreatePod
from actor_operator.lifecycle.decide import Decision, admit_first, decide
from actor_operator.lifecycle.facts import ABORTS
from actor_operator.lifecycle.observed import Blocked, Observed
from actor_operator.lifecycle.removal import remove_stray, tidy
from actor_operator.lifecycle.resurrection import resurrect, resurrection_due
from actor_operator.lifecycle.status import settle, summarise
from actor_operator.reconcile.account import AccountController
from actor_operator.reconcile.execute import Executor, Refusal
from actor_operator.reconcile.gather import Gatherer
from actor_operator.reconcile.seams import Seams
from actor_operator.reconcile.web_servers import WebServers
from actor_operator.settings import Settings

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


class RunReconciler:
    """Brings runs nearer to what they should be, one step a call.

    Parameters
    ----------
    runs, pods
        What the informers know; answers to our own writes are put in beside them.
    run_writer
        The API server, for statuses.
    gatherer
        Knows what belongs to a run.
    executor
        Writes children.
    web_servers
        Writes what leads requests to them.
    accounts
        Decides on memory before a pod is made.
    settings, clock, seams
        As everywhere.
    on_status
        Told of each committed status: the run before and after, and its pod.
    keyring
        Gives the keys that make names of Secrets and URLs unguessable.
    """

    def __init__(  # noqa: PLR0913 -- its collaborators, each of them once
        self,
        *,
        runs: Store[RunView | FinishedRun],
        pods: Store[PodView],
        run_writer: Runs,
        gatherer: Gatherer,
        executor: Executor,
        web_servers: WebServers,
        accounts: AccountController,
        settings: Settings,
        clock: Clock,
        seams: Seams,
        on_status: Callable[[RunView, RunView, PodView | None], None],
        keyring: Callable[[], Keyring],
    ) -> None:
        self._runs = runs
        self._pods = pods
        self._run_writer = run_writer
        self._gatherer = gatherer
        self._executor = executor
        self._web_servers = web_servers
        self._accounts = accounts
        self._settings = settings
        self._clock = clock
        self._seams = seams
        self._on_status = on_status
        self._keyring = keyring
        self._blocked: dict[str, Blocked] = {}

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
            return await self._remove_strays(run)
        if run is None:
            await self._web_servers.remove_orphans(*key)
            return None
        try:
            return await self._look_at(run)
        finally:
            self._accounts.looked_at(run)

    async def _look_at(self, run: RunView) -> datetime | None:
        if run.metadata.deletion_timestamp is not None:
            return None
        routing = self._web_servers.routing_of(run)
        observed = await self._gatherer.gather(run, self._blocked.get(run.uid), routing)
        if observed.status.finished:
            return await self._after_the_end(observed)
        decision = self._decide(observed)
        unseen = observed.pod is None and observed.gone_since is None
        if decision.facts.verdict is not None and unseen:
            # A pod of a lost answer may not be in the store yet; it must not outlive the verdict.
            observed = replace(observed, pod=await self._gatherer.read_pod(observed.run))
            decision = self._decide(observed)
        if observed.pod_exists and observed.stopping not in ABORTS and _aborts(decision):
            # An end that was committed before the request may be news that is still on its way.
            observed = replace(observed, pod=await self._gatherer.read_pod(run) or observed.pod)
            decision = self._decide(observed)
        observed, decision = self._admit(observed, decision)
        refusal = await self._execute(observed, decision)
        if refusal is not None:
            observed = replace(observed, blocked=self._remember(observed, refusal))
            decision = self._decide(observed)
        elif decision.routing:
            await self._web_servers.carry_out(run, decision.routing)
            observed = replace(observed, routing=self._web_servers.routing_of(run))
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

    def retry_now(self, uid: str) -> None:
        """There may be room for a pod that the API server refused."""
        blocked = self._blocked.get(uid)
        if blocked is not None:
            self._blocked[uid] = replace(blocked, retry_at=self._clock.now())

    def forget_all(self) -> None:
        """Leading has ended: what was remembered is of no use."""
        self._blocked.clear()
        self._web_servers.forget_all()

    def forget(self, uid: str) -> None:
        """The run is gone, or needs nothing more."""
        self._blocked.pop(uid, None)
        self._gatherer.forget(uid)
        self._web_servers.forget(uid)

    async def _remove_strays(self, run: FinishedRun) -> datetime | None:
        """A creation that was given up may have landed after the verdict: nothing needs it."""
        for pod in self._gatherer.pods_of(run.uid):
            await self._executor.carry_out(run, remove_stray(pod))
        return await self._web_servers.remove_strays(run)

    def _decide(self, observed: Observed) -> Decision:
        return decide(observed, self._clock.now(), self._settings, self._keyring())

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
        return await self._web_servers.remove_strays(observed.run)


def _makes_pod(decision: Decision) -> bool:
    return any(isinstance(action, CreatePod) for action in decision.actions)


def _aborts(decision: Decision) -> bool:
    """Whether a decision carries out a user's request to stop."""
    return decision.facts.stop is not None and decision.facts.stop.reason in ABORTS
