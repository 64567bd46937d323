"""The memory of accounts in the leader: who is admitted, who is called, what is remembered."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace
from tests.support.builders import a_pod, a_run, a_status, at
from tests.support.toy_accounts import a_controller

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.account import AccountSpec, AccountView, Retention
from actor_operator.api.views.metadata import Condition, Metadata
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, Options, RunView, stub
from actor_operator.constants import LABEL_RUN_UID, WRITE_LANDING_SECONDS
from actor_operator.engine.store import Key, Store
from actor_operator.errors import NotLeaderError
from actor_operator.reconcile.account import TICK, AccountController

LIMIT = 2048

ENDED = a_status(started=2, end=Phase.SUCCEEDED, observed_generation=1)

WAITED = (Condition("Admitted", "False", Reason.WAITING_FOR_ACCOUNT_MEMORY),)

RESERVED = (Condition("Admitted", "True", Reason.MEMORY_RESERVED),)

OPTIONS = Options("latest", 1024, 60, 2048, "250m")


class World:
    """Stores, a clock, and whom the accounts have called."""

    def __init__(self) -> None:
        self.runs: Store[RunView | FinishedRun] = Store()
        self.pods: Store[PodView] = Store()
        self.accounts: Store[AccountView] = Store()
        self.moment = at(0)
        self.called: list[str] = []
        self._version = 100
        self.controller = self._make()
        self.controller.start_leading(self.call)

    def now(self) -> datetime:
        return self.moment

    def _make(self) -> AccountController:
        return a_controller(
            runs=self.runs, pods=self.pods, clock=self, accounts=self.accounts, limit=LIMIT
        )

    def call(self, uid: str, key: Key) -> None:
        run = self.runs.get(*key)
        assert run is not None
        assert run.uid == uid
        self.called.append(uid)

    def another_leader(self) -> None:
        """Only what is committed is left."""
        self.called.clear()
        self.controller = self._make()
        self.controller.start_leading(self.call)

    def run(self, uid: str, *, reject: bool = False, **status: object) -> RunView:
        """A run is written."""
        self._version += 1
        when = "Reject" if reject else "Wait"
        status_of_all = a_status(options=OPTIONS)
        run = a_run(f"run-{uid}", uid=uid, status=status_of_all, when_memory_exceeded=when)
        run = replace(
            run,
            metadata=replace(run.metadata, resource_version=str(self._version)),
            status=replace(run.status, **status),
        )
        self.runs.apply(run)
        return run

    def end(self, uid: str) -> None:
        """A run ends."""
        self._version += 1
        run = a_run(f"run-{uid}", uid=uid, status=ENDED)
        metadata = replace(run.metadata, resource_version=str(self._version))
        self.runs.apply(stub(replace(run, metadata=metadata)))

    def pod(self, uid: str, *, phase: str = "Running") -> PodView:
        """The pod of a run is written."""
        self._version += 1
        pod = a_pod(run=a_run(f"run-{uid}", uid=uid), phase=phase)
        metadata = replace(pod.metadata, uid=f"pod-{uid}", resource_version=str(self._version))
        pod = replace(pod, metadata=metadata)
        self.pods.apply(pod)
        return pod

    def ask(self, uid: str, memory: int = 1024) -> bool:
        """A look at a run in which it asks; returns whether it is admitted."""
        run = self.run(uid)
        blocked = self.controller.admit(run, memory)
        self.controller.looked_at(run)
        return blocked is None

    def account(self, **spec: int | bool) -> None:
        """The limits of the account are written."""
        self._version += 1
        metadata = Metadata(name="team", resource_version=str(self._version), uid="account")
        self.accounts.apply(AccountView(metadata=metadata, spec=AccountSpec(**spec)))  # type: ignore[arg-type]


@pytest.fixture
def world() -> World:
    return World()


def full_world() -> World:
    """Two runs hold all memory."""
    world = World()
    assert world.ask("a")
    assert world.ask("b")
    return world


def test_a_run_that_waits_is_called_when_another_has_ended() -> None:
    world = full_world()
    assert not world.ask("c")

    world.end("a")

    assert world.called == ["c"]
    assert world.ask("c")


def test_the_run_that_asks_is_not_called_for_that() -> None:
    world = full_world()

    assert world.called == []


def test_whoever_came_first_is_called_first() -> None:
    world = full_world()
    for uid in ("z", "c", "y"):
        assert not world.ask(uid)

    world.end("a")
    world.end("b")

    assert world.called == ["z", "c"]


def test_places_are_given_one_microsecond_apart_when_time_stands_still() -> None:
    world = full_world()
    places = []
    for uid in ("c", "d", "e"):
        blocked = world.controller.admit(world.run(uid), 1024)
        assert blocked is not None
        assert blocked.queued_at is not None
        places.append(blocked.queued_at)
        if uid == "d":
            world.moment -= timedelta(hours=1)

    assert places == [places[0], places[0] + TICK, places[0] + 2 * TICK]


def test_asking_again_does_not_change_the_place() -> None:
    world = full_world()
    first = world.controller.admit(world.run("c"), 1024)
    world.moment = at(9)
    again = world.controller.admit(world.run("c"), 1024)

    assert first == again


def test_memory_is_held_until_the_pod_has_ended() -> None:
    world = full_world()
    world.pod("a")
    world.ask("c")

    world.end("a")
    assert world.called == []
    world.pod("a", phase="Succeeded")

    assert world.called == ["c"]


def test_memory_is_held_by_the_pod_of_a_deleted_run() -> None:
    world = full_world()
    pod = world.pod("a")
    world.ask("c")

    world.runs.remove("team", "run-a", "a")
    assert world.called == []
    world.pods.remove(pod.namespace, pod.name, pod.uid)

    assert world.called == ["c"]


def test_another_run_of_the_same_name_holds_nothing_of_the_old_one() -> None:
    world = full_world()
    world.ask("c")
    other = a_run("run-a", uid="new", status=a_status(options=OPTIONS))
    metadata = replace(other.metadata, resource_version="999")

    world.runs.apply(replace(other, metadata=metadata))

    assert world.called == ["c"]


def test_a_run_that_is_being_deleted_does_not_wait_any_more() -> None:
    world = full_world()
    world.ask("large", 2048)
    world.ask("c")
    run = world.run("large")
    deleted = replace(run.metadata, resource_version="999", deletion_timestamp=at(1))

    world.runs.apply(replace(run, metadata=deleted))
    world.end("a")

    assert world.called == ["c"]


def test_a_look_without_a_question_takes_the_run_out_of_the_line() -> None:
    world = full_world()
    world.ask("large", 2048)
    world.ask("c")
    world.end("a")
    assert world.called == []

    world.controller.looked_at(world.run("large"))

    assert world.called == ["c"]


def test_a_run_that_does_not_use_its_room_gives_it_to_the_next() -> None:
    world = full_world()
    world.ask("c")
    world.ask("d")
    world.end("a")

    world.controller.looked_at(world.run("c"))

    assert world.called == ["c", "d"]


# Creations


def test_a_creation_that_was_answered_holds_nothing_of_its_own() -> None:
    world = full_world()
    world.ask("c")
    with world.controller.creating(world.run("a")):
        pass

    world.runs.remove("team", "run-a", "a")

    assert world.called == ["c"]


def test_a_creation_without_an_answer_holds_its_memory_until_it_cannot_land() -> None:
    world = full_world()
    world.ask("c")
    with pytest.raises(OSError, match="gone"), world.controller.creating(world.run("a")):
        raise OSError("gone")

    world.runs.remove("team", "run-a", "a")
    assert world.called == []
    due = world.controller.timers.get(("team", "a"))
    assert due == at(WRITE_LANDING_SECONDS).timestamp()
    world.controller._end_creation(("team", "a"))

    assert world.called == ["c"]


def test_a_second_creation_does_not_forget_that_the_first_may_still_land() -> None:
    world = full_world()
    with pytest.raises(OSError, match="gone"), world.controller.creating(world.run("a")):
        raise OSError("gone")
    world.moment = at(2)
    with world.controller.creating(world.run("a")):
        assert world.controller.timers.get(("team", "a")) is None

    due = world.controller.timers.get(("team", "a"))
    assert due == at(2 + WRITE_LANDING_SECONDS).timestamp()


# Refusals of the API server


def test_a_refused_run_goes_behind_those_that_wait() -> None:
    world = full_world()
    world.ask("c")
    world.moment = at(5)

    world.controller.refused(world.run("a"))
    assert world.called == ["c"]

    assert not world.ask("a")
    world.ask("d")
    world.end("b")
    assert world.called == ["c", "a"]


def test_the_first_that_was_refused_is_called_when_a_pod_ends() -> None:
    world = full_world()
    world.pod("b")
    world.controller.refused(world.run("a"))
    world.ask("c")
    world.controller.refused(world.run("c"))

    world.pod("b", phase="Succeeded")

    assert world.called == ["a"]


def test_the_next_that_was_refused_is_called_when_the_first_has_found_room() -> None:
    world = full_world()
    world.controller.refused(world.run("a"))
    world.controller.refused(world.run("b"))

    world.pod("a")

    assert world.called == ["b"]


def test_a_refused_run_that_has_ended_is_not_called() -> None:
    world = full_world()
    world.pod("b")
    world.controller.refused(world.run("a"))

    world.end("a")
    world.pod("b", phase="Succeeded")

    assert world.called == []


# Limits


def test_another_limit_is_heard_of() -> None:
    world = full_world()
    world.ask("c")

    world.account(memory_limit_mbytes=3072)

    assert world.called == ["c"]


def test_those_that_can_never_fit_are_called_to_hear_it() -> None:
    world = full_world()
    world.ask("large", 2048)

    world.account(memory_limit_mbytes=1024)
    blocked = world.controller.admit(world.run("large"), 2048)

    assert world.called == ["large"]
    assert blocked is not None
    assert (blocked.reason, blocked.final) == (Reason.MEMORY_LIMIT_EXCEEDED, True)


def test_without_its_account_the_limit_of_the_installation_holds_again() -> None:
    world = full_world()
    world.account(memory_limit_mbytes=8192)
    assert world.ask("c")

    world.accounts.remove("", "team", "account")
    world.end("a")

    assert not world.ask("d")


def test_what_the_account_says_of_retention_is_known() -> None:
    world = World()
    assert world.controller.retention_of("team") is None

    world.account(memory_limit_mbytes=8192)

    assert world.controller.retention_of("team") == Retention()


@pytest.mark.parametrize(("attempt", "final"), [(1, True), (2, False)])
def test_a_run_that_does_not_want_to_wait_fails_in_its_first_attempt(
    attempt: int, *, final: bool
) -> None:
    world = full_world()
    run = world.run("c", reject=True, attempt=attempt)

    blocked = world.controller.admit(run, 1024)
    world.controller.looked_at(run)

    assert blocked is not None
    assert blocked.final is final
    world.end("a")
    assert world.called == ([] if final else ["c"])


# Another leader


def test_another_leader_counts_what_is_committed() -> None:
    world = World()
    world.run("a", conditions=RESERVED)
    world.pod("b")
    world.run("b")
    world.another_leader()

    assert not world.ask("c")


def test_another_leader_counts_a_run_whose_pod_has_ended_until_its_end_is_told() -> None:
    """Its start is told first, with its memory: until then another one must not have that."""
    world = World()
    world.run("a", conditions=RESERVED)
    world.run("b")
    world.pod("b", phase="Succeeded")
    world.another_leader()
    assert not world.ask("c")

    world.end("b")
    assert world.ask("c")


def test_another_leader_gives_no_memory_for_the_pod_of_an_earlier_attempt() -> None:
    """A resurrected run stands in line while its old pod, which has ended, is still there."""
    world = full_world()
    world.run("a", conditions=RESERVED)
    world.run("b", conditions=RESERVED)
    world.run("again", attempt=2, conditions=WAITED, queued_at=at(-60))
    world.pod("again", phase="Succeeded")
    world.another_leader()

    ledger = world.controller._ledgers["team"]
    assert (ledger.used_mbytes, ledger.waiting) == (LIMIT, 1)


def test_another_leader_lets_nobody_pass_those_that_have_waited() -> None:
    world = World()
    world.run("old", conditions=WAITED, queued_at=at(-60))
    world.another_leader()

    assert not world.ask("new")
    assert world.ask("old")
    assert world.called == ["new"]


def test_another_leader_gives_later_places_than_those_that_are_committed() -> None:
    world = World()
    world.run("old", conditions=WAITED, queued_at=at(60))
    world.another_leader()
    world.controller.admit(world.run("old", conditions=WAITED, queued_at=at(60)), LIMIT)

    blocked = world.controller.admit(world.run("new"), 1024)

    assert blocked is not None
    assert blocked.queued_at == at(60) + TICK


async def test_who_leads_no_more_remembers_nothing_and_calls_nobody() -> None:
    world = full_world()
    world.ask("c")

    assert await world.controller.stop_leading(1)
    world.end("a")
    world.pod("b")
    world.account(memory_limit_mbytes=8192)

    assert world.called == []
    assert not world.controller._ledgers


async def test_work_that_ends_after_leading_did_is_not_admitted_and_leaves_nothing() -> None:
    world = full_world()
    run = world.run("c")
    await world.controller.stop_leading(1)

    with pytest.raises(NotLeaderError):
        world.controller.admit(run, 1024)
    with pytest.raises(OSError, match="gone"), world.controller.creating(run):
        raise OSError("gone")
    world.controller.start_leading(world.call)

    assert world.controller._ledgers["team"].live == 0


def test_an_account_that_nobody_uses_is_forgotten() -> None:
    world = full_world()
    world.end("a")
    world.end("b")

    assert not world.controller._ledgers


def test_a_pod_without_a_known_run_counts_under_the_uid_on_its_label() -> None:
    world = World()
    pod = world.pod("gone")

    assert pod.metadata.labels[LABEL_RUN_UID] == "gone"
    assert world.ask("c")
    assert not world.ask("d")
