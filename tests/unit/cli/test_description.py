"""A run in full, as text."""

from datetime import timedelta

import msgspec
from tests.support.builders import a_run, a_status, at
from tests.support.golden import Golden

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.run import Attempt, Failure, RunStatus, RunView, Stats
from actor_operator.cli.description import describe_run
from actor_operator.cli.events import EventView


def described(run: RunView, events: tuple[EventView, ...] | None = ()) -> list[str]:
    """The lines about a run, a minute after its creation."""
    return list(describe_run(run, events, at(60)))


def an_event(**fields: object) -> EventView:
    """An Event as JSON says it."""
    return msgspec.convert(
        {"type": "Normal", "reason": "Pulled", "message": "It is here."} | fields, EventView
    )


def test_a_new_run_is_told_by_what_was_asked_for(golden: Golden) -> None:
    run = a_run(
        status=RunStatus(), build="beta", memory_mbytes=512, timeout_secs=0, input={"message": "Hi"}
    )

    golden.check("describe-new", described(run))


def test_a_failed_run_is_told_by_what_became_of_it(golden: Golden) -> None:
    status = a_status(
        started=2,
        end=Phase.FAILED,
        run_id="29c9xq5t1qhnx40q5",
        build_number="1.0.1",
        image="hello:1@sha256:abcd",
        pod_name="hello-abcd-3",
        node_name="node-1",
        container_url="http://x.example/",
        exit_code=137,
        attempt=2,
        migrations=1,
        finished_at=at(42),
        failure=Failure("OOMKilled", "The actor used more than its 1024 MB."),
        stats=Stats(resurrect_count=1, restart_count=1, compute_units=0.0111),
        attempts=(
            Attempt(1, "TIMED-OUT", "Timeout", at(0), at(10), 143),
            Attempt(1, "FAILED"),
        ),
        cleanup=("Pod",),
    )
    events = (
        an_event(
            involvedObject={"kind": "Pod", "name": "hello-abcd-3"},
            count=4,
            lastTimestamp="2026-03-01T12:00:30Z",
        ),
        an_event(
            type="Warning",
            reason="Evicted",
            message="Two\nlines.",
            involvedObject={"kind": "ActorRun", "name": "hello"},
            series={"count": 2, "lastObservedTime": "2026-03-01T12:00:50.000001Z"},
        ),
    )

    golden.check("describe-failed", described(a_run(status=status), events))


def test_a_running_run_says_how_much_time_is_left() -> None:
    status = a_status(started=2, timeout_at=at(90))

    lines = described(a_run(status=status))

    assert "Ran for:       58s" in lines
    assert "Times out:     2026-03-01T12:01:30Z (in 30s)" in lines


def test_a_run_that_waits_says_for_what() -> None:
    status = RunStatus(
        observed_generation=1,
        conditions=(
            Condition(ConditionType.ADMITTED, "False", Reason.QUOTA_EXCEEDED, "The quota is full."),
        ),
    )

    assert "Phase:         READY (The quota is full.)" in described(a_run(status=status))


def test_a_fault_of_the_platform_is_said() -> None:
    status = a_status(end=Phase.FAILED, failure=Failure("NodeLost", "Gone.", platform=True))

    assert "               The platform is at fault, not the actor." in described(
        a_run(status=status)
    )


def test_nothing_of_others_can_move_the_cursor() -> None:
    failure = Failure("Error", "\x1b[2Jgone\nand more")
    conditions = (Condition("Started", "True", "Started", "\x1b]0;title\x07"),)
    status = a_status(end=Phase.FAILED, failure=failure, conditions=conditions)

    text = "".join(described(a_run(status=status)))

    assert all(symbol.isprintable() for symbol in text)
    assert " [2Jgone and more" in text


def test_below_a_url_that_leads_nowhere_it_is_said_why() -> None:
    url, kind = "http://x.example/", ConditionType.WEB_SERVER_READY
    waits = (Condition(kind, "False", Reason.NOT_LISTENING, "The pod is not ready."),)
    ready = (Condition(kind, "True", Reason.ENDPOINT_READY, "Requests reach the pod."),)

    lines = described(a_run(status=a_status(started=2, container_url=url, conditions=waits)))
    place = lines.index(f"URL:           {url}")
    assert lines[place + 1] == "               The pod is not ready."

    lines = described(a_run(status=a_status(started=2, container_url=url, conditions=ready)))
    assert lines[lines.index(f"URL:           {url}") + 1] == "Conditions:"


def test_a_long_input_is_shortened() -> None:
    (line,) = (x for x in described(a_run(input={"a": "x" * 500})) if x.startswith("Input:"))

    assert line.endswith("… (508 symbols)")
    assert len(line) < 240


def test_a_run_that_is_being_deleted_says_so() -> None:
    run = a_run(deleted=at(50))

    assert any(line.startswith("Being deleted: since ") for line in described(run))


def test_events_that_may_not_be_read_are_not_none() -> None:
    assert described(a_run(), None)[-1] == "Events: you may not read them."
    assert described(a_run(), ())[-1] == "Events: none"


def test_an_event_happened_last_when_its_newest_time_says() -> None:
    moment = "2026-03-01T12:00:30Z"

    assert an_event().last_seen is None
    assert an_event(metadata={"creationTimestamp": moment}).last_seen == at(30)
    assert an_event(eventTime=moment).last_seen == at(30)
    series = {"count": 1, "lastObservedTime": moment}
    earlier = (at(30) - timedelta(hours=1)).isoformat()
    assert an_event(series=series, lastTimestamp=earlier).last_seen == at(30)
    assert an_event().times == 1
