"""The memory of accounts in the replica that leads: who is admitted, and who is called when.

One writer decides, from what it has granted and from what is committed: events about runs, pods
and accounts come in here, and a run asks before it makes a pod. A run that must wait is called as
soon as there is room for it; nothing is asked again and again.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from actor_operator.api.views.account import AccountStatus, AccountView, Retention
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.clock import Clock
from actor_operator.constants import (
    LABEL_ATTEMPT,
    LABEL_RUN,
    LABEL_RUN_UID,
    WRITE_LANDING_SECONDS,
)
from actor_operator.engine.store import Key, Store
from actor_operator.engine.timers import Timers
from actor_operator.errors import NotLeaderError
from actor_operator.lifecycle.account import (
    committed_memory,
    limits_of,
    memory_of_pod,
    never_fits,
    rejected,
    status_of,
    waits,
)
from actor_operator.lifecycle.memory import Ledger, Limits
from actor_operator.lifecycle.observed import Blocked
from actor_operator.reconcile.account_status import AccountStatuses
from actor_operator.settings_groups import AccountSettings

Call = Callable[[str, Key], None]
"""Tells a run, by uid and key, that it should be looked at now: there is room."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)
"""Before every place in a line."""

TICK = timedelta(microseconds=1)
"""Between two places in a line."""


class AccountController:
    """Decides on the memory of every account.

    Parameters
    ----------
    runs, pods, accounts
        What is known of them; answers to our own writes are told by the stores, too.
    statuses
        Tells what accounts use.
    settings
        The installation's limits, for accounts that have none of their own.
    clock
        The time.
    """

    def __init__(
        self,
        *,
        runs: Store[RunView | FinishedRun],
        pods: Store[PodView],
        accounts: Store[AccountView],
        statuses: AccountStatuses,
        settings: AccountSettings,
        clock: Clock,
    ) -> None:
        self._runs = runs
        self._pods = pods
        self._accounts = accounts
        self._statuses = statuses
        self._settings = settings
        self._clock = clock
        self._call: Call | None = None
        self._newest = LONG_AGO
        # By namespace: the ledger, and whom the API server refused, the first refused first.
        self._ledgers: dict[str, Ledger] = {}
        self._refused: dict[str, dict[str, Key]] = {}
        # By uid of the run.
        self._keys: dict[str, Key] = {}
        self._places: dict[str, datetime] = {}
        self._asked: set[str] = set()
        self.timers: Timers[Key] = Timers(self._end_creation, now=self._seconds)
        """When creations without an answer cannot land any more, by account and uid."""
        runs.listen(self.on_run)
        pods.listen(self.on_pod)
        accounts.listen(self.on_account)

    @property
    def ledgers(self) -> Mapping[str, Ledger]:
        """Accounts with live or waiting runs, by namespace; none unless this replica leads."""
        return self._ledgers

    # Leading

    def start_leading(self, call: Call) -> None:
        """Begin to decide, from what is committed.

        Parameters
        ----------
        call
            Called with each run that waited and now has room.
        """
        self._forget_everything()  # also what work left behind that ended after leading did
        self._call = call
        unfinished = [
            run for run in self._runs if isinstance(run, RunView) and not run.status.finished
        ]
        for run in unfinished:
            self._note_run(run)
        for pod in self._pods:
            self._note_pod(pod)
            self._keep(pod)
        for run in unfinished:
            self._expect(run)
        self._statuses.start_leading(self._judge)

    async def stop_leading(self, grace: float) -> bool:
        """Forget everything; returns whether all work ended by itself."""
        self._call = None
        self._forget_everything()
        return await self._statuses.stop_leading(grace)

    # Events

    def on_run(self, old: RunView | FinishedRun | None, new: RunView | FinishedRun | None) -> None:
        """A run came, changed or went."""
        if self._call is None:
            return
        if old is not None and (new is None or new.uid != old.uid):
            self._end(old.namespace, old.uid)
        if isinstance(new, RunView) and not new.status.finished:
            self._note_run(new)
            self._settle(new.namespace)
        elif new is not None:
            self._end(new.namespace, new.uid)

    def on_pod(self, old: PodView | None, new: PodView | None) -> None:
        """A run's pod came, changed or went."""
        if self._call is None:
            return
        if old is not None and (new is None or new.uid != old.uid):
            self._note_end_of_pod(old)
        if new is not None:
            self._note_pod(new)
            self._settle(new.namespace)

    def on_account(self, old: AccountView | None, new: AccountView | None) -> None:
        """An account came, changed or went: other limits may hold."""
        account = new or old
        if self._call is None or account is None:
            return
        ledger = self._ledgers.get(account.name)
        if ledger is not None:
            ledger.limits = limits_of(new, self._settings)
            for uid in ledger.hopeless():
                self._tell(uid)
        self._settle(account.name)

    # What the work on a run asks and tells

    def admit(self, run: RunView, memory: int) -> Blocked | None:
        """Ask for memory before a pod is made.

        Parameters
        ----------
        run
            The run.
        memory
            What the pod needs, in MB.

        Returns
        -------
        Blocked or None
            None: go on. Else why not; unless it is final, the run is called when there is room.

        Raises
        ------
        NotLeaderError
            When leading has ended: nobody knows any more who has how much.
        """
        if self._call is None:
            raise NotLeaderError("the memory of accounts is another replica's to give")
        namespace, uid = run.namespace, run.uid
        ledger, place = self._ledger(namespace), self._place_of(run)
        self._asked.add(uid)
        self._keys[uid] = (namespace, run.name)
        ledger.ask(uid, place, memory)
        self._settle(namespace, asking=uid)
        if ledger.is_admitted(uid):
            return None
        blocked = self._refusal(run, memory, ledger, place)
        if blocked.final:
            ledger.withdraw(uid)
            self._settle(namespace)
        return blocked

    @contextmanager
    def creating(self, run: RunView) -> Iterator[None]:
        """While the answer to the creation of a pod is on its way.

        Without an answer the memory is held until the creation cannot land any more, also when
        the run ends or goes before that.
        """
        key = (run.namespace, run.uid)
        answered = self.timers.get(key) is None
        self.timers.cancel(key)
        self._ledger(run.namespace).begin_creation(run.uid)
        try:
            yield
        except BaseException:
            answered = False
            raise
        finally:
            if answered:
                self._end_creation(key)
            elif self._call is not None:
                self.timers.set(key, self._seconds() + WRITE_LANDING_SECONDS)

    def refused(self, run: RunView) -> None:
        """The API server does not take the run's pod: others go first."""
        self._ledger(run.namespace).refuse(run.uid)
        self._places[run.uid] = self._next_place()
        self._refused.setdefault(run.namespace, {})[run.uid] = (run.namespace, run.name)
        self._settle(run.namespace)

    def looked_at(self, run: RunView | FinishedRun) -> None:
        """A look at a run is over: if it did not ask, it does not want memory now."""
        if run.uid in self._asked:
            self._asked.discard(run.uid)
            return
        ledger = self._ledgers.get(run.namespace)
        if ledger is not None and ledger.withdraw(run.uid):
            self._settle(run.namespace)

    def retention_of(self, namespace: str) -> Retention | None:
        """What an account says of its finished runs; None: there is no account."""
        account = self._accounts.get("", namespace)
        return account.spec.retention if account else None

    def _forget_everything(self) -> None:
        self.timers.clear()
        for remembered in (self._ledgers, self._refused, self._keys, self._places, self._asked):
            remembered.clear()

    # Facts

    def _note_run(self, run: RunView) -> None:
        ledger = self._ledger(run.namespace)
        ledger.commit(run.uid, committed_memory(run))
        if run.metadata.deletion_timestamp is not None:
            ledger.withdraw(run.uid)

    def _note_pod(self, pod: PodView) -> None:
        if pod.is_over:
            self._note_end_of_pod(pod)
            return
        uid = pod.metadata.labels.get(LABEL_RUN_UID, "")
        run = self._runs.get(pod.namespace, pod.metadata.labels.get(LABEL_RUN, ""))
        self._ledger(pod.namespace).pod_lives(uid, pod.uid, memory_of_pod(pod, run))
        if self._refused.get(pod.namespace, {}).pop(uid, None) is not None:
            self._call_refused(pod.namespace)  # where one has found room there may be more

    def _keep(self, pod: PodView) -> None:
        """A pod was made by another leader, and perhaps has ended: its run is still to be told.

        That of an earlier attempt says nothing: its run may stand in line for the next one.
        """
        labels = pod.metadata.labels
        run = self._runs.get(pod.namespace, labels.get(LABEL_RUN, ""))
        if not isinstance(run, RunView) or run.status.finished:
            return
        attempt = (run.uid, str(run.status.attempt))
        if attempt == (labels.get(LABEL_RUN_UID), labels.get(LABEL_ATTEMPT)):
            self._ledger(pod.namespace).keep(run.uid, memory_of_pod(pod, run))

    def _note_end_of_pod(self, pod: PodView) -> None:
        ledger = self._ledgers.get(pod.namespace)
        uid = pod.metadata.labels.get(LABEL_RUN_UID, "")
        if ledger is not None and ledger.pod_ended(uid, pod.uid):
            self._settle(pod.namespace)
            self._call_refused(pod.namespace)

    def _expect(self, run: RunView) -> None:
        """A run that has waited before this process led keeps its place."""
        queued_at = run.status.queued_at
        if queued_at is not None and run.metadata.deletion_timestamp is None:
            self._newest = max(self._newest, queued_at)
            self._keys[run.uid] = (run.namespace, run.name)
            self._ledger(run.namespace).expect(run.uid, queued_at)

    def _end(self, namespace: str, uid: str) -> None:
        """A run is finished or gone."""
        self._keys.pop(uid, None)
        self._places.pop(uid, None)
        self._refused.get(namespace, {}).pop(uid, None)
        ledger = self._ledgers.get(namespace)
        if ledger is not None:
            ledger.end(uid)
            self._settle(namespace)

    # Decisions

    def _settle(self, namespace: str, asking: str = "") -> None:
        """Something has changed: admit whom there is room for, and call them."""
        self._statuses.ask(namespace)
        ledger = self._ledgers.get(namespace)
        if ledger is None:
            return
        for uid in ledger.admit_waiting():
            if uid != asking:
                self._tell(uid)
        if ledger.is_empty:
            del self._ledgers[namespace]

    def _refusal(self, run: RunView, memory: int, ledger: Ledger, place: datetime) -> Blocked:
        now, limits = self._clock.now(), ledger.limits
        if limits.memory_mbytes is not None and memory > limits.memory_mbytes:
            return never_fits(run.namespace, memory, ledger, now)
        if run.spec.when_memory_exceeded == "Reject" and run.status.attempt == 1:
            return rejected(run.namespace, memory, ledger, now)
        return waits(run.namespace, memory, limits, place)

    def _place_of(self, run: RunView) -> datetime:
        """Where the run stands: since its refusal, by its status, or from now on."""
        uid = run.uid
        if uid not in self._places:
            self._places[uid] = run.status.queued_at or self._next_place()
        return self._places[uid]

    def _next_place(self) -> datetime:
        self._newest = max(self._clock.now(), self._newest + TICK)
        return self._newest

    def _tell(self, uid: str) -> None:
        if self._call is not None:
            self._call(uid, self._keys[uid])

    def _call_refused(self, namespace: str) -> None:
        """Let the first of those whom the API server refused try again."""
        first = next(iter(self._refused.get(namespace, {}).items()), None)
        if first is not None and self._call is not None:
            self._call(*first)

    def _end_creation(self, key: Key) -> None:
        namespace, uid = key
        ledger = self._ledgers.get(namespace)
        if ledger is not None:
            ledger.end_creation(uid)
            self._settle(namespace)

    def _ledger(self, namespace: str) -> Ledger:
        if namespace not in self._ledgers:
            self._ledgers[namespace] = Ledger(self._limits(namespace))
        return self._ledgers[namespace]

    def _limits(self, namespace: str) -> Limits:
        return limits_of(self._accounts.get("", namespace), self._settings)

    def _judge(self, account: AccountView) -> AccountStatus:
        ledger = self._ledgers.get(account.name)
        return status_of(account, ledger, self._limits(account.name), self._clock.now())

    def _seconds(self) -> float:
        return self._clock.now().timestamp()
