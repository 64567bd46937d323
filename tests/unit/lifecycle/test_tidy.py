"""What is left to do for a finished run."""

from msgspec.structs import replace
from tests.support.builders import SUFFIX, a_pod, a_run, a_status, at, ended, observe

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunStatus
from actor_operator.lifecycle.actions import DeletePod, DeleteSecret
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.removal import remove_stray, tidy
from actor_operator.lifecycle.status import settle

POD = a_pod().name
SECRET = DeleteSecret("team", f"{POD}-{SUFFIX}")
KILL = DeletePod("team", POD, "pod-uid", 1)


def finished(*, cleanup: tuple[str, ...] = (), generation: int = 1) -> RunStatus:
    return a_status(end=Phase.FAILED, cleanup=cleanup, generation=generation)


def left(pod: PodView | None, cleanup: tuple[str, ...] = ("Pod",)) -> Observed:
    return observe(pod, run=a_run(status=finished(cleanup=cleanup)))


def test_a_pod_that_may_still_start_is_removed_with_its_secret() -> None:
    assert tidy(left(a_pod(waiting="ErrImagePull"))) == ((SECRET, KILL), ("Pod",))


def test_what_is_left_stays_left_until_the_pod_is_gone() -> None:
    assert tidy(left(a_pod(waiting="ErrImagePull", deleted=700))) == ((SECRET, KILL), ("Pod",))
    assert tidy(left(None)) == ((), ())


def test_a_pod_that_has_ended_meanwhile_stays_for_its_log() -> None:
    assert tidy(left(a_pod(phase="Failed", ended=ended(1)))) == ((SECRET,), ())


def test_the_secret_of_a_pod_that_somebody_else_removed_goes() -> None:
    run = a_run(status=finished(cleanup=("Pod",)))
    by_others = observe(a_pod(waiting="ErrImagePull"), run=run, gone_since=at(700))
    deleted = a_pod(deleted=700)
    ours = replace(deleted, metadata=replace(deleted.metadata, deletion_grace_period_seconds=1))
    by_us = observe(ours, run=run, gone_since=at(701))

    assert tidy(by_others) == ((SECRET,), ())
    assert tidy(by_us) == ((), ())


def test_a_run_that_left_nothing_behind_needs_nothing() -> None:
    assert tidy(left(a_pod(phase="Succeeded", ended=ended(0)), cleanup=())) == ((), ())


def test_the_clean_up_is_told_when_it_is_done() -> None:
    status = settle(left(None), cleanup=())

    assert status is not None
    assert status.cleanup == ()
    assert replace(status, cleanup=("Pod",)) == finished(cleanup=("Pod",))


def test_nothing_is_told_when_nothing_has_changed() -> None:
    assert settle(left(None), cleanup=("Pod",)) is None


def test_the_generation_of_a_finished_run_is_followed_in_the_conditions_too() -> None:
    """``kubectl wait`` ignores a condition that was judged for an older generation."""
    observed = Observed(a_run(generation=2, status=finished(generation=1)))
    status = settle(observed, cleanup=())

    assert status is not None
    assert status.observed_generation == 2
    assert {c.observed_generation for c in status.conditions} == {2}
    assert (status.phase, status.finished_at) == (Phase.FAILED, finished().finished_at)


def test_a_pod_that_lands_after_the_verdict_does_not_run_on() -> None:
    assert remove_stray(a_pod()) == (SECRET, KILL)
    assert remove_stray(a_pod(ended=ended(0), phase="Succeeded")) == ()
