"""What is decided and told in whole, with every sentence, in the situations that users meet.

Other tests say why one thing is so; these say that nothing else has changed. Read the difference
of a golden file as its users would.
"""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.support.builders import (
    KEYRING,
    SETTINGS,
    a_pod,
    a_run,
    a_status,
    an_actor,
    at,
    ended,
    observe,
)
from tests.support.golden import Golden
from tests.unit.lifecycle.whole import plain, whole

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import Options, RebootRequest, ResurrectRequest, Stats
from actor_operator.lifecycle.archive import with_archived
from actor_operator.lifecycle.decide import admit_first, decide
from actor_operator.lifecycle.events import events_of, recreated
from actor_operator.lifecycle.observed import Blocked, Observed
from actor_operator.lifecycle.resurrection import resurrect
from actor_operator.lifecycle.status import summarise

STARTED = a_run(status=a_status(started=2))
STOPPED = a_run(status=a_status(started=2, stop=Reason.TIMEOUT, since=at(61)))
KILLED = a_run(status=a_status(started=2, stop=Reason.ABORT_IMMEDIATE, since=at(8)))
ASKED = a_run(status=a_status(started=2, stop=Reason.ABORT_GRACEFUL, since=at(8)))
AGAIN = Options("latest", 1024, 60, 2048, "250m", restart_on_error=True)
NODE_LOST: dict[str, Any] = {"disrupted": "DeletionByTaintManager", "disrupted_at": 10}


def blocked(reason: Reason, message: str, *, final: bool = False) -> Blocked:
    return Blocked(reason, message, final, at(1), tries=2, retry_at=at(15))


def silent(pod: PodView) -> PodView:
    """A pod of whose node nothing is heard: its Ready is taken away, its container's is not."""
    ready = Condition("Ready", "False", "", "", at(30))
    (container,) = pod.status.container_statuses
    status = replace(
        pod.status,
        conditions=(*pod.status.conditions, ready),
        container_statuses=(replace(container, ready=True),),
    )
    return replace(pod, status=status)


SITUATIONS: dict[str, tuple[Observed, float]] = {
    "new": (observe(), 0),
    "new, without its Actor": (Observed(a_run()), 5),
    "never got its Actor": (Observed(a_run()), 11),
    "never got its build": (observe(run=a_run(build="beta")), 11),
    "waits for quota": (
        observe(blocked=blocked(Reason.QUOTA_EXCEEDED, "Waits for room: exceeded quota: q")),
        10,
    ),
    "refused for good": (
        observe(blocked=blocked(Reason.POD_REJECTED, "The pod was refused: no.", final=True)),
        10,
    ),
    "waits for its account": (
        observe(blocked=blocked(Reason.WAITING_FOR_ACCOUNT_MEMORY, "Waits for memory.")),
        10,
    ),
    "waits for a node": (observe(a_pod(scheduled="0/3 nodes are available.")), 20),
    "waits for its image": (observe(a_pod(waiting="ImagePullBackOff", message="No.")), 20),
    "never got its image": (observe(a_pod(waiting="ImagePullBackOff", message="No.")), 130),
    "never got a node": (observe(a_pod(scheduled="0/3 nodes are available.")), 700),
    "image has no name": (observe(a_pod(waiting="InvalidImageName", message="Bad.")), 5),
    "misses a Secret": (observe(a_pod(waiting="CreateContainerConfigError", message="s?")), 70),
    "runtime does not answer": (observe(a_pod(waiting="ContainerCreating")), 700),
    "refused by its node": (observe(a_pod(phase="Failed", reason="OutOfcpu")), 5),
    "cannot start": (
        observe(a_pod(ended=ended(128, reason="StartError"), phase="Failed")),
        5,
    ),
    "starts": (observe(a_pod(running=2, image_id="registry.example/hello@sha256:1")), 3),
    "runs": (observe(a_pod(running=2), run=STARTED), 20),
    "succeeds": (observe(a_pod(ended=ended(0), phase="Succeeded"), run=STARTED), 12),
    "succeeds unseen": (observe(a_pod(ended=ended(0), phase="Succeeded")), 12),
    "fails": (observe(a_pod(ended=ended(3), phase="Failed"), run=STARTED), 12),
    "uses too much memory": (observe(a_pod(ended=ended(137, reason="OOMKilled")), run=STARTED), 12),
    "writes too much": (
        observe(a_pod(ended=ended(137), phase="Failed", reason="Evicted"), run=STARTED),
        12,
    ),
    "is past its time": (observe(a_pod(running=2), run=STARTED), 63),
    "was stopped after its time": (
        observe(a_pod(ended=ended(137, after=63), phase="Failed", reason="DeadlineExceeded")),
        64,
    ),
    "times out": (
        observe(
            a_pod(ended=ended(137, after=63), phase="Failed", reason="DeadlineExceeded"),
            run=STOPPED,
        ),
        64,
    ),
    "does not end after its time": (observe(a_pod(running=2), run=STOPPED), 200),
    "is aborted": (
        observe(a_pod(running=2), run=a_run(status=STARTED.status, abort="Immediate")),
        8,
    ),
    "is aborted gracefully": (
        observe(a_pod(running=2), run=a_run(status=STARTED.status, abort="Graceful")),
        8,
    ),
    "carries out an abort": (observe(a_pod(running=2), run=KILLED), 9),
    "carries out a graceful abort": (observe(a_pod(running=2), run=ASKED), 9),
    "was aborted": (observe(a_pod(ended=ended(143)), run=ASKED), 12),
    "was aborted by force": (observe(a_pod(ended=ended(137, after=40)), run=ASKED), 42),
    "does not end after its abort": (observe(a_pod(running=2), run=KILLED), 200),
    "is drained": (
        observe(
            a_pod(ended=ended(0, after=12), disrupted="EvictionByEvictionAPI", disrupted_at=10),
            run=STARTED,
        ),
        20,
    ),
    "is drained once too often": (
        observe(
            a_pod(ended=ended(0, after=12), disrupted="EvictionByEvictionAPI", disrupted_at=10),
            run=a_run(status=a_status(started=2, migrations=3)),
        ),
        20,
    ),
    "does not want to move": (
        observe(
            a_pod(ended=ended(0, after=12), disrupted="PreemptionByScheduler", disrupted_at=10),
            run=STARTED,
            actor=an_actor(restart_on_disruption=False),
        ),
        20,
    ),
    "loses its node": (observe(a_pod(running=2, **NODE_LOST), run=STARTED), 40),
    "loses its pod": (observe(a_pod(running=2), run=STARTED, gone_since=at(10)), 45),
    "is started again": (
        observe(
            a_pod(ended=ended(3), phase="Failed"),
            run=a_run(status=a_status(started=2, options=AGAIN)),
        ),
        12,
    ),
    "is rebooted": (
        observe(a_pod(running=2), run=a_run(status=STARTED.status, reboot=RebootRequest(1, 1))),
        12,
    ),
    "does not hear of its node": (observe(silent(a_pod(running=2)), run=STARTED), 40),
    "was on a node that was started anew": (
        observe(a_pod(ended=ended(255, reason="Unknown"), phase="Failed"), run=STARTED),
        40,
    ),
    "waits for its previous pod": (
        observe(
            None,
            run=a_run(status=a_status(started=2, stats=Stats(reboot_count=1))),
            previous=(a_pod(running=2),),
        ),
        12,
    ),
}
"""What is there, and how many seconds after the run's creation it is looked at."""


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_decided_and_told(situation: str, golden: Golden) -> None:
    golden.check(
        f"decided/{situation.replace(',', '').replace(' ', '-').lower()}",
        whole(*SITUATIONS[situation]),
    )


def test_what_an_attempt_begins_with(golden: Golden) -> None:
    over = a_status(started=2, end=Phase.FAILED, exit_code=3, migrations=2)
    run = replace(a_run(), status=over)
    plainly = resurrect(run, ResurrectRequest(2), at(100))
    changed = resurrect(
        run, ResurrectRequest(2, build="beta", memory_mbytes=2048, timeout_secs=5), at(100)
    )

    golden.check("decided/resurrected", plain([plainly, changed]))
    golden.check("decided/events-of-a-resurrection", plain(list(events_of(over, plainly))))


def test_what_is_told_of_an_archive(golden: Golden) -> None:
    run = replace(a_run(), status=a_status(started=2, end=Phase.SUCCEEDED))

    golden.check("decided/not-archived-yet", plain(with_archived(run, at(400))))


def test_what_is_told_of_a_route_that_was_made_again(golden: Golden) -> None:
    golden.check("decided/route-made-again", plain(recreated("Service")))


def test_an_admission_after_a_wait_is_told_before_the_pod_is_made(golden: Golden) -> None:
    waiting = blocked(Reason.WAITING_FOR_ACCOUNT_MEMORY, "Waits for memory.")
    observed = observe(blocked=waiting)
    decision = decide(observed, at(10), SETTINGS, KEYRING)
    (status,) = summarise(observed, decision, at(10), SETTINGS)
    admitted = observe(run=a_run(status=status))
    now = at(20.5)

    first = admit_first(admitted, decide(admitted, now, SETTINGS, KEYRING), now)

    golden.check(
        "decided/admitted-after-a-wait",
        {
            "actions": [repr(action) for action in first.actions],
            "statuses": plain(summarise(admitted, first, now, SETTINGS)),
        },
    )
