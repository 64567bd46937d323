"""Why a run is not running, or why it ended, in sentences."""

from typing import Any

import msgspec
import pytest
from msgspec import structs
from tests.support.builders import CREATED, a_pod, a_run, a_status, at

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.account import AccountSpec, AccountStatus, AccountView
from actor_operator.api.views.metadata import Condition, Metadata
from actor_operator.api.views.run import Failure, Options, ResurrectRequest, RunStatus, RunView
from actor_operator.cli.events import EventView
from actor_operator.cli.explanation import Evidence, Explanation, explain_run
from actor_operator.cli.standing import standing


def explained(run: RunView, **evidence: Any) -> Explanation:
    """What is said of a run, a minute after its creation."""
    return explain_run(Evidence(run=run, now=at(60), **evidence))


def waiting(
    kind: ConditionType, reason: Reason, message: str, status: str = "False", **fields: Any
) -> RunView:
    """A run that waits for something."""
    conditions = (Condition(kind, status, reason, message, CREATED),)
    return a_run(status=a_status(conditions=conditions, **fields))


def failed(reason: Reason, message: str, *, platform: bool = False, **fields: Any) -> RunView:
    """A run that has failed after 10 s."""
    failure = Failure(reason, message, platform)
    return a_run(status=a_status(started=2, end=Phase.FAILED, failure=failure, **fields))


def an_event(
    message: str,
    *,
    kind: str = "Warning",
    of: str = "Pod",
    at_second: int = 30,
    count: int = 1,
) -> EventView:
    """An Event of the pod."""
    return msgspec.convert(
        {
            "type": kind,
            "reason": "Failed",
            "message": message,
            "count": count,
            "lastTimestamp": at(at_second).isoformat(),
            "involvedObject": {"kind": of, "name": "hello-abcd-1"},
        },
        EventView,
    )


def test_a_run_that_nobody_has_seen_points_to_the_operator() -> None:
    said = explained(a_run(status=RunStatus()))

    assert said.headline == "hello is READY since 60s: Pending."
    assert said.sentences == ("The operator has not seen the run yet.",)
    assert said.command.startswith(
        "kubectl get pods --all-namespaces -l app.kubernetes.io/part-of="
    )


def test_a_run_in_the_queue_is_told_its_place_and_what_is_free() -> None:
    message = "It needs 1024 MB; the limit is 2048 MB."
    admitted = Condition(
        ConditionType.ADMITTED, "False", Reason.WAITING_FOR_ACCOUNT_MEMORY, message
    )
    runs = [
        a_run(name, uid=name, status=a_status(conditions=(admitted,), queued_at=at(place)))
        for place, name in enumerate(("one", "two", "three"))
    ]
    account = AccountView(
        metadata=Metadata("team"),
        spec=AccountSpec(memory_limit_mbytes=2048, max_concurrent_runs=7),
        status=AccountStatus(memory_used_mbytes=1536, live_runs=1),
    )

    said = explained(runs[1], account=standing("team", account, runs))

    assert said.headline == "two is READY since 60s: WaitingForAccountMemory."
    assert said.sentences == (
        message,
        "It is number 2 of 3 in the queue of the account team.",
        "The account has 1536 of 2048 MB in use, 512 MB free, by 1 live run of at most 7.",
    )
    assert said.command == "actorctl accounts team"


def test_a_suspended_account_is_named_as_such() -> None:
    run = waiting(ConditionType.ADMITTED, Reason.WAITING_FOR_ACCOUNT_MEMORY, "It is suspended.")
    account = AccountView(metadata=Metadata("team"), spec=AccountSpec(suspended=True))

    said = explained(run, account=standing("team", account, [run]))

    assert "The account team is suspended: no further run is started." in said.sentences


def test_the_first_step_that_is_missing_is_the_cause() -> None:
    conditions = (
        Condition(ConditionType.ADMITTED, "Unknown", Reason.PENDING),
        Condition(ConditionType.POD_SCHEDULED, "False", Reason.UNSCHEDULABLE, "0/3 nodes."),
        Condition(ConditionType.STARTED, "False", Reason.WAITING, "It waits."),
    )

    assert explained(a_run(status=a_status(conditions=conditions))).reason == "Unschedulable"


def test_a_webhook_that_does_not_answer_is_a_cause_although_nothing_is_false() -> None:
    run = waiting(ConditionType.ADMITTED, Reason.ADMISSION_UNAVAILABLE, "No answer.", "Unknown")

    assert explained(run).reason == "AdmissionUnavailable"


def test_what_the_scheduler_says_now_is_added_if_it_is_news() -> None:
    run = waiting(ConditionType.POD_SCHEDULED, Reason.UNSCHEDULABLE, "0/3 nodes.", pod_name="p")

    said = explained(run, pod=a_pod(scheduled="0/4 nodes."))

    assert said.sentences == ("0/3 nodes.", "The scheduler says: 0/4 nodes.")
    assert explained(run, pod=a_pod(scheduled="0/3 nodes.")).sentences == ("0/3 nodes.",)
    assert said.command == "kubectl describe pod p"


def test_what_the_kubelet_says_now_is_added_and_how_much_time_is_left() -> None:
    run = waiting(
        ConditionType.STARTED, Reason.IMAGE_PULL_BACK_OFF, "Not found.", timeout_at=at(100)
    )

    said = explained(run, pod=a_pod(waiting="ImagePullBackOff", message="Back-off."))

    assert said.sentences == (
        "Not found.",
        "The kubelet says: Back-off.",
        "Of its time 40s are left. The time to fetch the image counts.",
    )


def test_a_running_run_needs_no_reason_and_no_advice() -> None:
    status = a_status(started=2, pod_name="hello-abcd-1", node_name="node-1", timeout_at=at(100))

    said = explained(a_run(status=status))

    assert said.headline == "hello is RUNNING since 58s."
    assert said.sentences == (
        "The current pod is hello-abcd-1 on node node-1.",
        "Of its time 40s are left.",
    )
    assert (said.advice, said.command) == ("", "")


def test_a_run_that_moves_says_why_and_how_often() -> None:
    conditions = (
        Condition(ConditionType.POD_SCHEDULED, "False", Reason.EVICTED_BY_API, "A drain."),
        Condition(ConditionType.STARTED, "True", Reason.STARTED),
    )
    status = a_status(started=2, migrations=2, conditions=conditions)

    said = explained(a_run(status=status))

    assert said.headline == "hello is RUNNING since 58s: EvictedByAPI."
    assert said.sentences[:2] == (
        "A drain.",
        "In this attempt the run lost its pod and got another one 2 times.",
    )
    assert said.advice.startswith("Nothing: the run goes on in a new pod")


def test_a_node_that_does_not_answer_is_told_also_while_the_run_is_running() -> None:
    conditions = (Condition(ConditionType.STARTED, "True", Reason.NODE_UNREACHABLE, "No answer."),)

    said = explained(a_run(status=a_status(started=2, conditions=conditions)))

    assert (said.reason, said.sentences[0]) == ("NodeUnreachable", "No answer.")


@pytest.mark.parametrize(
    ("reason", "advice", "command"),
    [
        (Reason.NO_INGRESS, "Let the administrator do what the message says", ""),
        (Reason.NOT_LISTENING, "Nothing while the container starts.", "actorctl logs hello"),
    ],
)
def test_a_running_run_that_requests_do_not_reach_says_why(
    reason: Reason, advice: str, command: str
) -> None:
    web = Condition(ConditionType.WEB_SERVER_READY, "False", reason, "It is so.")

    said = explained(a_run(status=a_status(started=2, conditions=(web,))))

    assert said.headline == f"hello is RUNNING since 58s: {reason}."
    assert said.sentences[0] == "Requests by its URL do not reach it: It is so."
    assert said.advice.startswith(advice)
    assert said.command == command


@pytest.mark.parametrize(
    ("status", "reason"),
    [("True", Reason.ENDPOINT_READY), ("False", Reason.DISABLED), ("False", Reason.TERMINATING)],
)
def test_a_web_server_that_nobody_has_to_mend_is_no_cause(status: str, reason: Reason) -> None:
    web = Condition(ConditionType.WEB_SERVER_READY, status, reason, "It is so.")

    assert explained(a_run(status=a_status(started=2, conditions=(web,)))).reason == "Running"


def test_a_run_that_is_being_stopped_says_why_and_where() -> None:
    status = a_status(started=2, stop=Reason.ABORT_GRACEFUL, node_name="node-1")

    said = explained(a_run(status=status))

    assert said.headline == "hello is ABORTING since 60s: AbortGraceful."
    assert said.sentences == ("As it was.", "Its container on node node-1 is being stopped.")
    assert said.command == "actorctl abort hello"


def test_a_failed_run_gets_the_next_larger_memory_proposed() -> None:
    said = explained(failed(Reason.OOM_KILLED, "The actor used more than its 1024 MB."))

    assert said.headline == "hello is FAILED since 50s: OOMKilled."
    assert said.sentences == ("The actor used more than its 1024 MB.",)
    assert said.command == "actorctl resurrect hello --memory 2048"


@pytest.mark.parametrize(
    ("reason", "memory"), [(Reason.OOM_KILLED, 32768), (Reason.NOT_SCHEDULED, 128)]
)
def test_beyond_the_sizes_there_is_nothing_to_propose(reason: Reason, memory: int) -> None:
    options = Options("latest", memory, 60, 2 * memory, "1")

    assert explained(failed(reason, "It is so.", options=options)).command == ""


def test_of_a_run_that_never_got_options_the_memory_asked_for_counts() -> None:
    failure = Failure(Reason.MEMORY_LIMIT_EXCEEDED, "It needs 4096 MB.")
    status = a_status(end=Phase.FAILED, failure=failure, options=None)

    said = explained(a_run(status=status, memory_mbytes=4096))

    assert said.command == "actorctl resurrect hello --memory 2048"


def test_a_timeout_is_proposed_to_be_doubled() -> None:
    failure = Failure(Reason.TIMED_OUT, "The run was stopped after its timeout of 60 s.")
    status = a_status(started=2, end=Phase.TIMED_OUT, failure=failure, stop=Reason.TIMEOUT)

    assert explained(a_run(status=status)).command == "actorctl resurrect hello --timeout 120"


def test_a_run_that_lost_its_pod_too_often_is_to_be_resurrected_and_not_waited_for() -> None:
    run = failed(Reason.NODE_LOST, "The node is gone.", platform=True, cleanup=("NodeUnreachable",))

    said = explained(run)

    assert said.sentences == (
        "The node is gone.",
        "The platform is at fault, not the actor.",
        "Of the run is still left: NodeUnreachable.",
    )
    assert said.advice.startswith("Resurrect it")
    assert said.command == "actorctl resurrect hello"


def test_a_run_that_succeeded_says_so_and_asks_for_nothing() -> None:
    conditions = (Condition(ConditionType.SUCCEEDED, "True", Reason.COMPLETED, "Exit code 0."),)

    said = explained(a_run(status=a_status(end=Phase.SUCCEEDED, attempt=3, conditions=conditions)))

    assert said.headline == "hello is SUCCEEDED since 50s, attempt 3: Completed."
    assert (said.sentences, said.advice) == (("Exit code 0.",), "")


def test_what_is_asked_for_and_not_begun_is_told() -> None:
    running = a_run(status=a_status(started=2), abort="Immediate")
    ended = a_run(status=a_status(end=Phase.ABORTED), resurrect=ResurrectRequest(2))

    assert explained(running).sentences == (
        "An abort is asked for; the operator has not begun with it yet.",
    )
    assert explained(ended).sentences == (
        "Attempt 2 is asked for; the operator has not begun with it yet.",
    )


def test_requests_for_other_attempts_are_none_of_its_business() -> None:
    running = a_run(status=a_status(started=2, attempt=2), abort="Immediate", abort_attempt=1)
    ended = a_run(status=a_status(end=Phase.ABORTED, attempt=2), resurrect=ResurrectRequest(2))

    assert explained(running).sentences == ()
    assert explained(ended).sentences == ()


def test_the_newest_warnings_that_say_something_new_are_told() -> None:
    run = waiting(ConditionType.STARTED, Reason.IMAGE_PULL_BACK_OFF, "Not found.")
    events = (
        an_event("It happened first."),
        an_event("It happened second.", count=4),
        an_event("It was pulled.", kind="Normal"),
        an_event("Not found."),
        an_event("Failed to pull: Not found."),
        an_event("Error: ErrImagePull"),
        an_event("It happened third."),
        an_event("It happened last.", at_second=45),
        an_event("It happened in another attempt.", at_second=-10),
        an_event("The operator says so.", of="ActorRun"),
    )

    said = explained(run, events=events)

    assert said.sentences[1:] == (
        "Event Failed of the pod (30s ago, 4 times): It happened second.",
        "Event Failed of the pod (30s ago): It happened third.",
        "Event Failed of the pod (15s ago): It happened last.",
    )


def test_a_probe_that_failed_is_no_news_once_requests_reach_the_run() -> None:
    def with_web_server(status: str, reason: Reason) -> RunView:
        web = Condition(ConditionType.WEB_SERVER_READY, status, reason, "It is so.")
        url = "http://x.example/"
        return a_run(status=a_status(started=2, container_url=url, conditions=(web,)))

    event = structs.replace(an_event("Readiness probe failed: it refuses."), reason="Unhealthy")
    waits = explained(with_web_server("False", Reason.NOT_LISTENING), events=(event,))
    reached = explained(with_web_server("True", Reason.ENDPOINT_READY), events=(event,))

    assert waits.sentences[-1].endswith("Readiness probe failed: it refuses.")
    assert reached.sentences == ()


def test_names_are_put_into_labels_too() -> None:
    run = waiting(ConditionType.POD_SCHEDULED, Reason.WAITING_FOR_PREVIOUS_POD, "It ends.")

    assert explained(run).command == ("kubectl get pods -l actor-operator.dev/run=hello -o wide")


def test_nothing_of_others_can_move_the_cursor() -> None:
    run = failed(Reason.CONTAINER_FAILED, "\x1b[2Jgone")

    assert all(symbol.isprintable() for symbol in "".join(explained(run).sentences))


@pytest.mark.parametrize("reason", Reason)
def test_there_is_something_to_say_for_each_reason(reason: Reason) -> None:
    assert explained(failed(reason, "It is so.")).sentences[0] == "It is so."
    assert explained(waiting(ConditionType.STARTED, reason, "It is so.")).headline
