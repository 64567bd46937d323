"""One account against everything that can happen to it, in any order (Hypothesis state machine).

Runs come, ask, get pods, end and are deleted; answers are lost, watches lag, limits change, another
leader takes over at any step. The ledger never knows of less than what is committed, never admits
beyond the limit, lets nobody pass who came later, and in the end everybody had his turn.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.support.builders import at
from typing_extensions import override

from actor_operator.lifecycle.memory import Ledger, Limits

STEPS = (128, 1024, 4096)
"""Sizes of runs in MB."""

LARGEST = max(STEPS)

LIMITS = (LARGEST, 2 * LARGEST, None)

PATIENCE = 500
"""Rounds in which everybody has his turn once nothing goes wrong any more."""


@dataclass
class Run:
    """What is committed of a run."""

    memory: int
    place: datetime
    queued: bool = False
    """Its status says since when it waits."""

    admitted: bool = False
    """Its status says so."""

    finished: bool = False
    gone: bool = False
    pods: set[str] = field(default_factory=set)
    """Those that live."""

    had_pod: bool = False

    @property
    def over(self) -> bool:
        return self.finished or self.gone

    @property
    def holds(self) -> bool:
        return bool(self.pods) or (self.admitted and not self.over)


class AccountMachine(RuleBasedStateMachine):
    """The runs of one account and its ledger in one leader after another."""

    @initialize(limit=st.sampled_from(LIMITS), runs=st.sampled_from([None, 2, 5]))
    def begin(self, *, limit: int | None, runs: int | None) -> None:
        self.limits = Limits(limit, runs)
        self.runs: dict[str, Run] = {}
        self.number = 0
        self.start()
        for memory in (*STEPS, LARGEST):
            self.run_comes(memory, asks=True)

    def start(self) -> None:
        """A leader begins, from what is committed."""
        self.ledger = Ledger(self.limits)
        self.waiting: dict[str, datetime] = {}
        self.news: deque[Callable[[], object]] = deque()
        self.on_their_way: dict[str, str] = {}
        self.unanswered: set[str] = set()
        for uid, run in self.runs.items():
            self.ledger.commit(uid, run.memory if run.admitted and not run.over else None)
            for pod in run.pods:
                self.ledger.pod_lives(uid, pod, run.memory)
        for uid, run in self.runs.items():
            if run.queued and not run.over and not run.admitted:
                self.ledger.expect(uid, run.place)
                if not self.ledger.is_admitted(uid):
                    self.waiting[uid] = run.place
        self.note_use()

    def note_use(self) -> None:
        """What is beyond the limits now stays so until it is given back."""
        self.most = self.ledger.used_mbytes
        self.most_runs = self.ledger.live

    # Rules

    @precondition(lambda self: len(self.runs) < 12)
    @rule(memory=st.sampled_from(STEPS), asks=st.sampled_from([True, True, False]))
    def run_comes(self, memory: int, *, asks: bool) -> None:
        self.number += 1
        # Two share each moment: their uids decide, which are in no order.
        uid = f"{(self.number * 7) % 10}-{self.number}"
        self.runs[uid] = Run(memory, at(self.number // 2))
        if asks:
            self.ask(uid)

    @precondition(lambda self: self.those(self.may_ask))
    @rule(data=st.data())
    def run_asks(self, data: st.DataObject) -> None:
        self.ask(data.draw(st.sampled_from(self.those(self.may_ask))))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), wants=st.booleans())
    def waiting_is_committed_or_given_up(self, data: st.DataObject, *, wants: bool) -> None:
        uid = data.draw(st.sampled_from(sorted(self.waiting)))
        if wants:
            self.runs[uid].queued = True
            return
        assert self.ledger.withdraw(uid)
        del self.waiting[uid]
        self.settle()

    @precondition(lambda self: self.those(self.may_create))
    @rule(
        data=st.data(),
        outcome=st.sampled_from(["made", "told", "refused", "lost", "not used"]),
    )
    def admitted_run_makes_its_pod(self, data: st.DataObject, outcome: str) -> None:
        uid = data.draw(st.sampled_from(self.those(self.may_create)))
        if outcome == "not used":
            self.ledger.withdraw(uid)
            self.settle()
            return
        pod = f"pod-{self.number}-{len(self.runs[uid].pods)}"
        self.ledger.begin_creation(uid)
        if outcome == "lost":
            self.on_their_way[uid] = pod
            self.unanswered.add(uid)
            return
        if outcome in {"made", "told"}:
            self.pod_is_made(uid, pod)
            self.hear_everything()
        self.ledger.end_creation(uid)
        if outcome == "refused":
            self.ledger.refuse(uid)
            assert self.ledger.is_admitted(uid) is self.runs[uid].admitted
        if outcome == "told":
            self.commit(uid)
        self.settle()

    @precondition(lambda self: self.those(self.may_create))
    @rule(data=st.data(), landed=st.booleans())
    def run_ends_while_its_pod_is_made(self, data: st.DataObject, *, landed: bool) -> None:
        uid = data.draw(st.sampled_from(self.those(self.may_create)))
        self.ledger.begin_creation(uid)
        self.unanswered.add(uid)
        self.runs[uid].finished = True
        self.forget(uid)
        self.settle()
        if landed:
            self.pod_is_made(uid, f"late-{uid}")

    @precondition(lambda self: self.on_their_way)
    @rule(data=st.data())
    def lost_creation_lands(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(sorted(self.on_their_way)))
        self.pod_is_made(uid, self.on_their_way.pop(uid))

    @precondition(lambda self: self.unanswered)
    @rule(data=st.data())
    def creation_cannot_land_any_more(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(sorted(self.unanswered)))
        self.give_up_on(uid)

    @precondition(lambda self: self.those(self.may_commit))
    @rule(data=st.data())
    def admission_is_committed(self, data: st.DataObject) -> None:
        self.commit(data.draw(st.sampled_from(self.those(self.may_commit))))

    @precondition(lambda self: self.those(lambda run: bool(run.pods)))
    @rule(data=st.data())
    def pod_ends(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(self.those(lambda run: bool(run.pods))))
        pod = self.runs[uid].pods.pop()
        self.news.append(lambda: self.ledger.pod_ended(uid, pod))

    @precondition(lambda self: self.those(self.is_open))
    @rule(data=st.data(), deleted=st.booleans())
    def run_ends(self, data: st.DataObject, *, deleted: bool) -> None:
        uid = data.draw(st.sampled_from(self.those(self.is_open)))
        if deleted:
            self.runs[uid].gone = True
            self.news.append(lambda: self.forget(uid))
        else:
            self.runs[uid].finished = True
            self.forget(uid)
        self.settle()

    @precondition(lambda self: self.news)
    @rule()
    def watch_tells(self) -> None:
        self.news.popleft()()
        self.settle()

    @rule(
        limit=st.sampled_from(LIMITS),
        runs=st.sampled_from([None, 1, 3]),
        suspended=st.sampled_from([False, False, True]),
    )
    def limits_change(self, limit: int | None, runs: int | None, *, suspended: bool) -> None:
        self.limits = self.ledger.limits = Limits(limit, runs, suspended)
        self.note_use()
        self.settle()

    @rule(landed=st.booleans())
    def another_leader_takes_over(self, *, landed: bool) -> None:
        for uid, pod in self.on_their_way.items():
            if landed and not self.runs[uid].gone:
                self.runs[uid].pods.add(pod)
        self.start()

    # What holds at each step

    @invariant()
    def it_never_knows_of_less_than_is_committed(self) -> None:
        held = [run.memory for run in self.runs.values() if run.holds]
        assert sum(held) <= self.ledger.used_mbytes
        assert len(held) <= self.ledger.live

    @invariant()
    def nothing_is_admitted_beyond_the_limits(self) -> None:
        self.most = min(self.most, self.ledger.used_mbytes)
        self.most_runs = min(self.most_runs, self.ledger.live)
        if self.limits.memory_mbytes is not None:
            assert self.ledger.used_mbytes <= max(self.limits.memory_mbytes, self.most)
        if self.limits.max_runs is not None:
            assert self.ledger.live <= max(self.limits.max_runs, self.most_runs)

    @invariant()
    def the_line_is_who_waits(self) -> None:
        assert self.ledger.waiting == len(self.waiting)
        if self.waiting:
            assert self.ledger.first is not None
            assert self.ledger.first[0] == self.head()

    # Within

    def those(self, which: Callable[[Run], bool] | Callable[[str], bool]) -> list[str]:
        """Uids of the runs of which something holds."""
        by_uid = which in (self.may_ask, self.may_create, self.may_commit)
        return [uid for uid, run in self.runs.items() if which(uid if by_uid else run)]  # type: ignore[arg-type]

    @staticmethod
    def is_open(run: Run) -> bool:
        return not run.over

    def may_ask(self, uid: str) -> bool:
        return not self.runs[uid].over and not self.runs[uid].pods

    def may_create(self, uid: str) -> bool:
        busy = uid in self.unanswered or uid in self.on_their_way
        return self.may_ask(uid) and self.ledger.is_admitted(uid) and not busy

    def may_commit(self, uid: str) -> bool:
        run = self.runs[uid]
        return bool(run.pods) and not run.over and self.ledger.is_admitted(uid)

    def ask(self, uid: str) -> None:
        run, before = self.runs[uid], self.ledger.is_admitted(uid)
        self.ledger.ask(uid, run.place, run.memory)
        if self.ledger.is_admitted(uid):
            self.waiting.pop(uid, None)
            assert before or not self.limits.suspended
        else:
            self.waiting[uid] = run.place
        self.settle()

    def commit(self, uid: str) -> None:
        self.runs[uid].admitted = True
        self.ledger.commit(uid, self.runs[uid].memory)

    def head(self) -> str:
        return min(self.waiting, key=lambda uid: (self.waiting[uid], uid))

    def forget(self, uid: str) -> None:
        self.ledger.end(uid)
        self.waiting.pop(uid, None)

    def pod_is_made(self, uid: str, pod: str) -> None:
        run = self.runs[uid]
        if run.gone:
            return  # the garbage collector takes it away at once
        run.pods.add(pod)
        run.had_pod = True
        self.news.append(lambda: self.ledger.pod_lives(uid, pod, run.memory))

    def give_up_on(self, uid: str) -> None:
        """After its time limit; what did land has been told by then."""
        self.on_their_way.pop(uid, None)
        self.unanswered.discard(uid)
        self.hear_everything()
        self.ledger.end_creation(uid)
        self.settle()

    def hear_everything(self) -> None:
        while self.news:
            self.news.popleft()()
        self.settle()

    def settle(self) -> None:
        for uid in self.ledger.admit_waiting():
            assert uid == self.head(), "somebody passed"
            assert not self.limits.suspended
            del self.waiting[uid]

    @override
    def teardown(self) -> None:
        """Nothing goes wrong any more: everybody has his turn."""
        if not hasattr(self, "runs"):
            return
        self.limits_change(LARGEST, 1, suspended=False)
        for _ in range(PATIENCE):
            self.take_one_round()
            if all(run.over for run in self.runs.values()):
                break
        assert [uid for uid, run in self.runs.items() if not run.over] == []
        self.hear_everything()
        assert self.ledger.is_empty

    def take_one_round(self) -> None:
        for uid in sorted(self.unanswered):
            self.give_up_on(uid)
        self.hear_everything()
        for uid in self.those(self.may_ask):
            self.ask(uid)
        for uid in self.those(self.may_create):
            self.ledger.begin_creation(uid)
            self.pod_is_made(uid, f"last-{uid}")
            self.hear_everything()
            self.ledger.end_creation(uid)
        for uid, run in self.runs.items():
            for pod in list(run.pods):
                self.ledger.pod_ended(uid, pod)
            if run.pods and not run.over:
                run.finished = True
                self.forget(uid)
            run.pods.clear()


TestAccountMachine = AccountMachine.TestCase
