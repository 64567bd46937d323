"""One look at a run: what is read, written and asked for next."""

import pytest
from msgspec.structs import replace
from tests.support.builders import a_run, an_actor, at
from tests.support.toy_cluster import Fault, ToyCluster
from tests.support.toy_kubelet import ToyKubelet
from tests.support.toy_operator import ToyOperator

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.run import (
    AbortRequest,
    FinishedRun,
    RebootRequest,
    ResurrectRequest,
)
from actor_operator.kube.errors import ForbiddenError, QuotaExceededError


class World:
    """One run, its operator and its kubelet."""

    def __init__(
        self, *, actor: bool = True, timeout: int = 60, restart_on_error: bool = False
    ) -> None:
        run = a_run(timeout_secs=timeout, restart_on_error=restart_on_error)
        self.cluster = ToyCluster(run, an_actor() if actor else None)
        self.kubelet = ToyKubelet(self.cluster)
        self.operator = ToyOperator(self.cluster)

    @property
    def secrets(self) -> frozenset[str]:
        return frozenset(self.cluster.secrets)

    @property
    def phases(self) -> list[Phase]:
        return [status.phase for status in self.cluster.history]

    def settle(self) -> None:
        """Everything is told and done."""
        for _ in range(20):
            while self.cluster.run_events:
                self.operator.hear_of_run()
            while self.cluster.pod_events:
                self.operator.hear_of_pod()
            if not self.operator.due:
                return
            self.operator.work()
        raise AssertionError("the operator does not come to rest")

    def start(self) -> None:
        """The container runs."""
        self.settle()
        self.kubelet.schedule()
        self.kubelet.accept()
        self.kubelet.start()
        self.settle()


@pytest.fixture
def world() -> World:
    return World()


def test_a_run_that_starts_and_ends_by_itself_costs_five_writes(world: World) -> None:
    """Secret, pod, RUNNING, the Secret's delete, SUCCEEDED."""
    world.start()
    world.kubelet.exit(0)
    world.settle()

    assert world.phases == [Phase.RUNNING, Phase.SUCCEEDED]
    assert world.cluster.writes == 5
    assert not world.secrets
    assert world.cluster.pod is not None


def test_a_finished_run_is_kept_as_a_stub_and_never_looked_at_again(world: World) -> None:
    world.start()
    world.kubelet.exit(0)
    world.settle()
    world.kubelet.tell_phase()
    world.settle()

    assert isinstance(world.operator.runs.get("team", "hello"), FinishedRun)
    assert world.cluster.writes == 5


def test_an_abort_is_carried_out_without_anybody_telling_of_our_own_write(world: World) -> None:
    """The watch is silent about what the answer to a write has already told."""
    world.start()
    world.cluster.change_spec(abort=AbortRequest(1))
    world.settle()

    assert world.phases == [Phase.RUNNING, Phase.ABORTING]
    assert world.kubelet.deleting


def test_an_abort_is_committed_before_anything_is_removed(world: World) -> None:
    world.start()
    world.cluster.change_spec(abort=AbortRequest(1))
    world.operator.hear_of_run()
    world.operator.work()

    assert world.phases[-1] is Phase.ABORTING
    assert not world.kubelet.deleting
    assert world.secrets


def test_a_pod_that_may_still_start_is_removed_after_the_verdict(world: World) -> None:
    world.settle()
    world.kubelet.schedule()
    world.kubelet.accept()
    world.kubelet.wait("InvalidImageName")
    world.settle()

    assert world.phases == [Phase.FAILED]
    assert "Pod" in world.cluster.run.status.cleanup
    world.kubelet.remove()
    world.settle()
    assert not world.cluster.run.status.cleanup
    assert not world.secrets


def test_a_pod_that_somebody_removes_before_we_do_leaves_no_secret(world: World) -> None:
    world.settle()
    world.kubelet.schedule()
    world.kubelet.accept()
    world.kubelet.wait("InvalidImageName")
    while world.cluster.pod_events:
        world.operator.hear_of_pod()
    world.kubelet.remove()
    world.operator.work()

    assert world.secrets, "the verdict comes first"
    world.settle()
    assert not world.cluster.run.status.cleanup
    assert not world.secrets


def test_a_pod_of_a_lost_answer_does_not_outlive_an_abort(world: World) -> None:
    """The create was committed, its answer and its event are late, and a user aborts."""
    world.cluster.faults.extend([None, Fault.ANSWER_LOST])
    world.operator.work()
    world.cluster.change_spec(abort=AbortRequest(1))
    while world.cluster.run_events:
        world.operator.hear_of_run()
    for _ in range(5):
        world.operator.work()
    world.settle()

    assert world.cluster.pods_created == 1
    assert world.cluster.pod is None
    assert (world.phases[0], world.phases[-1]) == (Phase.ABORTING, Phase.ABORTED)


def test_a_pod_of_a_lost_answer_is_taken_over(world: World) -> None:
    world.cluster.faults.extend([None, Fault.ANSWER_LOST])
    world.operator.work()
    world.operator.work()

    assert world.cluster.pods_created == 1
    assert world.operator.pods.get("team", world.kubelet.pod.name) is not None


def test_a_stored_pod_that_a_late_watch_does_not_show_is_read(world: World) -> None:
    """Only the API server can say that a pod that existed is gone."""
    world.start()
    name = world.kubelet.pod.name
    world.operator.pods.remove("team", name, world.kubelet.pod.uid)
    world.operator.queued = True
    world.operator.work()

    assert world.phases == [Phase.RUNNING]


def test_a_pod_that_the_watch_has_lost_is_not_followed_by_another_while_it_is_there() -> None:
    world = World(timeout=0)
    world.start()
    world.operator.pods.remove("team", world.kubelet.pod.name, world.kubelet.pod.uid)
    world.operator.queued = True
    for _ in range(4):
        world.settle()
        world.cluster.pass_time(31)

    assert world.phases == [Phase.RUNNING]
    assert world.cluster.pods_created == 1


def test_a_namesake_that_took_the_place_of_a_pod_is_not_taken_for_it(world: World) -> None:
    world.start()
    theirs = replace(
        world.kubelet.pod,
        metadata=replace(world.kubelet.pod.metadata, uid="theirs", owner_references=()),
    )
    name = world.kubelet.pod.name
    world.cluster.remove_pod(world.kubelet.pod)
    world.cluster.put_pod(theirs)
    world.settle()
    world.cluster.pass_time(31)
    world.settle()

    assert world.phases == [Phase.RUNNING, Phase.RUNNING]
    assert world.cluster.run.status.migrations == 1
    assert world.cluster.pods[name].uid == "theirs"
    assert len(world.cluster.pods) == 2


# Another pod


def test_an_evicted_run_goes_on_in_another_pod(world: World) -> None:
    world.start()
    world.kubelet.evict_for_node("EvictionByEvictionAPI")
    world.kubelet.exit(0)
    world.kubelet.tell_phase()
    first = world.kubelet.pod.name
    world.settle()

    status = world.cluster.run.status
    scheduled = status.condition(ConditionType.POD_SCHEDULED)
    assert (status.phase, status.migrations, status.exit_code) == (Phase.RUNNING, 1, None)
    assert scheduled is not None
    assert (scheduled.status, scheduled.reason) == ("False", Reason.EVICTED_BY_API)
    assert [*world.cluster.pods] == [first, status.pod_name]
    assert {name.rpartition("-")[0] for name in world.secrets} == {status.pod_name}


def test_the_next_pod_of_an_attempt_gets_what_is_left_of_its_time(world: World) -> None:
    world.start()
    world.cluster.pass_time(20)
    world.kubelet.evict_for_node("PreemptionByScheduler")
    world.kubelet.exit(143)
    world.settle()

    next_pod = world.cluster.pods[str(world.cluster.run.status.pod_name)]
    assert next_pod.spec.active_deadline_seconds == 40


def test_a_pod_removed_by_force_is_followed_once_its_container_must_have_ended(
    world: World,
) -> None:
    world.start()
    world.kubelet.remove()
    world.settle()
    assert world.cluster.pods == {}

    world.cluster.pass_time(29)
    world.settle()
    assert world.cluster.pods == {}

    world.cluster.pass_time(1)
    world.settle()
    assert [*world.cluster.pods] == [world.cluster.run.status.pod_name]
    assert world.cluster.run.status.migrations == 1


def test_a_leader_that_has_seen_nothing_waits_as_long(world: World) -> None:
    world.start()
    world.kubelet.remove()
    world.operator.restart()
    world.settle()
    world.cluster.pass_time(29)
    world.settle()
    assert world.cluster.pods == {}

    world.cluster.pass_time(1)
    world.settle()
    assert len(world.cluster.pods) == 1


def test_a_reboot_waits_for_the_end_of_the_old_container(world: World) -> None:
    world.start()
    old = world.kubelet.pod.name
    world.cluster.change_spec(reboot=RebootRequest(1, 1))
    world.settle()

    assert [*world.cluster.pods] == [old]
    assert world.cluster.pods[old].metadata.deletion_grace_period_seconds == 30
    world.kubelet.exit(143)
    world.kubelet.remove()
    world.settle()
    status = world.cluster.run.status
    assert [*world.cluster.pods] == [status.pod_name] != [old]
    assert (status.phase, status.stats.reboot_count, status.migrations) == (Phase.RUNNING, 1, 0)
    assert {name.rpartition("-")[0] for name in world.secrets} == {status.pod_name}


def test_a_leader_that_did_not_see_a_rebooted_pod_go_waits_for_its_grace(world: World) -> None:
    world.start()
    world.cluster.change_spec(reboot=RebootRequest(1, 1))
    world.settle()
    world.kubelet.remove()
    world.operator.restart()
    world.cluster.pass_time(29)
    world.settle()
    assert world.cluster.pods == {}

    world.cluster.pass_time(1)
    world.settle()
    assert len(world.cluster.pods) == 1


def test_a_reboot_of_a_pod_that_is_gone_waits_for_the_next_one(world: World) -> None:
    world.start()
    world.kubelet.remove()
    world.settle()
    world.cluster.change_spec(reboot=RebootRequest(1, 1))
    world.settle()
    world.operator.restart()
    world.settle()
    assert world.cluster.run.status.stats.reboot_count == 0
    assert world.cluster.pods == {}


def test_a_container_that_fails_is_started_again_fewer_than_three_times_in_a_minute() -> None:
    world = World(restart_on_error=True)
    world.start()
    for _ in range(3):
        world.kubelet.exit(1)
        world.kubelet.tell_phase()
        world.start()
    assert world.cluster.run.status.stats.restart_count == 3

    world.kubelet.exit(7)
    world.settle()
    status = world.cluster.run.status
    assert (status.phase, status.exit_code) == (Phase.FAILED, 7)


def test_of_the_pods_that_a_run_has_left_the_last_one_keeps_its_log() -> None:
    world = World(restart_on_error=True)
    world.start()
    for _ in range(3):
        world.kubelet.exit(1)
        world.kubelet.tell_phase()
        world.start()

    numbers = [name.rpartition("-")[2] for name in world.cluster.pods]
    assert numbers == ["3", "4"]


# Resurrection


def test_a_resurrected_run_begins_anew_once_its_old_pod_is_gone(world: World) -> None:
    world.start()
    world.kubelet.exit(1)
    world.settle()
    old, before = world.kubelet.pod.name, world.cluster.run.status
    world.cluster.change_spec(resurrect=ResurrectRequest(2, memory_mbytes=512))
    world.settle()

    assert [*world.cluster.pods] == [old]
    assert world.phases[-1] is Phase.READY
    world.kubelet.remove()
    world.settle()
    status = world.cluster.run.status
    assert [*world.cluster.pods] == [status.pod_name] != [old]
    assert (status.attempt, status.stats.resurrect_count) == (2, 1)
    assert (status.run_id, status.default_dataset_id) == (before.run_id, before.default_dataset_id)
    assert status.options is not None
    assert (status.options.memory_mbytes, status.options.disk_mbytes) == (512, 1024)
    assert [(line.attempt, line.phase) for line in status.attempts] == [(1, Phase.FAILED)]


def test_an_old_pod_whose_deletion_was_missed_is_not_waited_for_for_ever(world: World) -> None:
    world.start()
    world.kubelet.exit(1)
    world.settle()
    world.cluster.change_spec(resurrect=ResurrectRequest(2))
    world.settle()
    world.cluster.remove_pod(world.kubelet.pod)
    world.cluster.pod_events.clear()
    world.settle()
    assert world.cluster.pods == {}

    for _ in range(62):
        world.cluster.pass_time(1)
        world.settle()
    assert [*world.cluster.pods] == [world.cluster.run.status.pod_name]


def test_an_abort_of_the_attempt_before_does_not_touch_the_next_one(world: World) -> None:
    world.start()
    world.cluster.change_spec(abort=AbortRequest(1, "Immediate"))
    world.settle()
    world.kubelet.exit(137)
    world.kubelet.remove()
    world.settle()
    before = len(world.phases)

    world.cluster.change_spec(resurrect=ResurrectRequest(2))
    world.start()
    assert world.phases[before - 1 :] == [Phase.ABORTED, Phase.READY, Phase.RUNNING]


def test_after_an_abort_whose_end_nobody_saw_the_next_attempt_waits_for_the_grace(
    world: World,
) -> None:
    world.start()
    world.cluster.change_spec(abort=AbortRequest(1, "Immediate"))
    world.settle()
    world.kubelet.remove()
    world.settle()
    assert world.cluster.run.status.finished

    world.operator.restart()
    world.cluster.change_spec(resurrect=ResurrectRequest(2))
    world.cluster.pass_time(29)
    world.settle()
    assert world.cluster.pods == {}

    world.cluster.pass_time(1)
    world.settle()
    assert len(world.cluster.pods) == 1


# Stops that do not end


def test_a_stop_that_does_not_end_is_told_and_cleaned_up_later(world: World) -> None:
    world.start()
    world.cluster.change_spec(abort=AbortRequest(1, "Immediate"))
    world.settle()
    world.cluster.pass_time(61)
    world.settle()

    assert world.phases[-1] is Phase.ABORTED
    world.kubelet.remove()
    world.settle()
    told = [status.cleanup for status in world.cluster.history]
    assert told == [(), (), (Reason.POD_STUCK_TERMINATING,), ()]


def test_a_run_that_changed_meanwhile_is_looked_at_again(world: World) -> None:
    """A status never overwrites what it has not seen."""
    world.settle()
    world.kubelet.schedule()
    world.kubelet.accept()
    world.kubelet.start()
    while world.cluster.pod_events:
        world.operator.hear_of_pod()
    world.cluster.change_spec(abort=AbortRequest(1))
    world.operator.work()

    assert world.operator.failures == 1
    assert world.phases == []
    world.settle()
    assert world.phases == [Phase.RUNNING, Phase.ABORTING]


def test_refusals_are_tried_again_after_growing_pauses(world: World) -> None:
    world.cluster.refusal = QuotaExceededError("exceeded quota: q", status=403)
    pauses = []
    for _ in range(7):
        world.settle()
        assert world.operator.wake_at is not None
        blocked = world.operator.reconciler._blocked[world.cluster.run.uid]
        assert blocked.retry_at is not None
        pauses.append((blocked.retry_at - world.cluster.now).total_seconds())
        world.cluster.now = blocked.retry_at

    assert pauses == [5, 10, 20, 40, 60, 60, 60]


def test_a_refusal_is_told_once_however_often_it_is_tried(world: World) -> None:
    world.cluster.refusal = QuotaExceededError("exceeded quota: q", status=403)
    for _ in range(100):
        world.settle()
        world.cluster.pass_time(2)

    assert world.phases == [Phase.READY]
    admitted = world.cluster.run.status.condition(ConditionType.ADMITTED)
    assert admitted is not None
    assert (admitted.status, admitted.reason) == ("False", Reason.QUOTA_EXCEEDED)


def test_a_refusal_that_passes_is_forgotten(world: World) -> None:
    world.cluster.refusal = QuotaExceededError("exceeded quota: q", status=403)
    world.settle()
    world.cluster.refusal = None
    world.cluster.pass_time(5)
    world.start()

    assert world.phases[-1] is Phase.RUNNING
    assert world.operator.reconciler._blocked == {}


def test_a_final_refusal_ends_the_run_at_once_and_is_forgotten(world: World) -> None:
    world.cluster.refusal = ForbiddenError("violates PodSecurity", status=403, reason="Forbidden")
    world.settle()

    assert world.phases == [Phase.FAILED]
    assert world.operator.reconciler._blocked == {}
    assert not world.secrets


def test_an_actor_that_comes_late_is_found() -> None:
    world = World(actor=False)
    world.settle()
    world.cluster.actor = an_actor()
    world.operator.hear_of_actor()
    world.start()

    assert world.phases == [Phase.RUNNING]


def test_an_actor_that_the_watch_has_missed_is_read_before_the_run_fails() -> None:
    world = World(actor=False)
    world.settle()
    world.cluster.actor = an_actor()
    world.cluster.now = at(10)
    world.settle()

    assert world.cluster.pods_created == 1


def test_an_actor_that_never_comes_fails_the_run() -> None:
    world = World(actor=False)
    for second in (0, 2, 10):
        world.cluster.now = at(second)
        world.settle()

    assert world.phases == [Phase.READY, Phase.FAILED]
    assert world.cluster.run.status.failure is not None
    assert world.cluster.run.status.failure.reason == Reason.ACTOR_NOT_FOUND


def test_a_run_that_is_being_deleted_gets_nothing_more(world: World) -> None:
    meta = replace(world.cluster.run.metadata, deletion_timestamp=at(1))
    world.cluster._put_run(replace(world.cluster.run, metadata=meta))
    world.settle()

    assert world.cluster.writes == 0


def test_a_finished_run_follows_its_generation(world: World) -> None:
    world.start()
    world.kubelet.exit(0)
    world.settle()
    world.cluster.change_spec(ttl_seconds_after_finished=60)
    world.settle()

    status = world.cluster.run.status
    assert status.observed_generation == world.cluster.run.metadata.generation
    assert {c.observed_generation for c in status.conditions} == {status.observed_generation}
    assert world.cluster.writes == 6


def test_a_run_without_timeout_is_never_looked_at_by_time_alone() -> None:
    world = World(timeout=0)
    world.start()
    world.cluster.pass_time(10)
    world.settle()

    assert world.phases == [Phase.RUNNING]
    assert world.operator.wake_at is None


def test_a_pod_that_somebody_made_in_the_runs_name_stops_nothing(world: World) -> None:
    world.start()
    other = replace(world.kubelet.pod.metadata, name="somebodys", uid="theirs")
    world.cluster.put_pod(replace(world.kubelet.pod, metadata=other))
    world.settle()
    world.kubelet.exit(0)
    world.settle()

    assert world.phases[-1] is Phase.SUCCEEDED
