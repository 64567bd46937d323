"""Which frames a socket gets."""

import json
from typing import Any

import msgspec
import pytest
from tests.support.builders import a_pod, a_run, a_status, at, ended

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RebootRequest, RunView, Stats, stub
from actor_operator.services.events import EventScript, Step, Usage, frame, system_info
from actor_operator.services.run_watch import RunState

NOW = at(20)
RUNNING = a_status(started=2)
ABORTING = a_status(started=2, stop=Reason.ABORT_GRACEFUL)


def see(script: EventScript, run: RunView, *pods: PodView) -> Step:
    return script.see(RunState(run, pods), NOW)


def names(step: Step) -> list[str]:
    return [json.loads(text)["name"] for text in step.frames]


def first_names(run: RunView, *pods: PodView, attempt: int = 1) -> list[str]:
    return names(see(EventScript(attempt), run, *pods))


def test_a_run_that_goes_on_gets_no_frame() -> None:
    assert see(EventScript(1), a_run(status=RUNNING), a_pod(running=2)) == Step()


def test_an_unknown_run_neither_gets_a_frame_nor_ends() -> None:
    assert EventScript(1).see(RunState(None), NOW) == Step()


def test_a_graceful_abort_is_told_once_with_the_order_to_save() -> None:
    script, run = EventScript(1), a_run(status=ABORTING, abort="Graceful")
    step = see(script, run, a_pod(running=2))
    assert [json.loads(text) for text in step.frames] == [
        {"name": "aborting", "data": {}, "createdAt": "2026-03-01T12:00:20.000Z"},
        {
            "name": "persistState",
            "data": {"isMigrating": False},
            "createdAt": "2026-03-01T12:00:20.000Z",
        },
    ]
    assert see(script, run, a_pod(running=2)) == Step()


def test_an_immediate_abort_is_not_told() -> None:
    assert first_names(a_run(status=ABORTING, abort="Immediate"), a_pod(running=2)) == []


def test_an_abort_that_is_not_committed_is_not_told_yet() -> None:
    assert first_names(a_run(status=RUNNING, abort="Graceful"), a_pod(running=2)) == []


def test_a_request_to_abort_an_earlier_attempt_is_not_told() -> None:
    status = msgspec.structs.replace(ABORTING, attempt=2)
    run = a_run(status=status, abort="Graceful", abort_attempt=1)
    assert first_names(run, attempt=2) == []


def test_a_pod_that_is_deleted_makes_the_run_migrate_and_says_how_long_it_has() -> None:
    script, run = EventScript(1), a_run(status=RUNNING)
    (text,) = see(script, run, a_pod(running=2, deleted=10, grace=30)).frames
    assert json.loads(text)["name"] == "migrating"
    assert json.loads(text)["data"] == {"timeRemainingSecs": 20.0}
    assert see(script, run, a_pod(running=2, deleted=10)) == Step()


def test_a_pod_that_is_to_be_evicted_makes_the_run_migrate() -> None:
    pod = a_pod(running=2, disrupted="EvictionByEvictionAPI", disrupted_at=10)
    assert first_names(a_run(status=RUNNING), pod) == ["migrating"]


def test_a_second_migration_of_the_same_socket_is_told_too() -> None:
    script = EventScript(1)
    run = a_run(status=RUNNING)
    assert names(see(script, run, a_pod(running=2, deleted=10))) == ["migrating"]
    other = a_pod(running=2, deleted=15, number=2)
    assert names(see(script, run, other)) == ["migrating"]


@pytest.mark.parametrize(
    ("run", "pod"),
    [
        (a_run(status=ABORTING, abort="Immediate"), a_pod(running=2, deleted=10)),
        (a_run(status=RUNNING, abort="Immediate"), a_pod(running=2, deleted=10)),
        (a_run(status=a_status(started=2, stop=Reason.TIMEOUT)), a_pod(running=2, deleted=10)),
        (a_run(status=RUNNING), a_pod(ended=ended(after=5), deleted=10)),
    ],
    ids=["aborting", "abort asked for", "timing out", "container has ended"],
)
def test_a_pod_that_is_deleted_for_another_reason_is_no_migration(
    run: RunView, pod: PodView
) -> None:
    assert "migrating" not in first_names(run, pod)


def test_a_reboot_is_no_migration() -> None:
    leaving = a_pod(running=2, deleted=10)
    asked = a_run(status=RUNNING, reboot=RebootRequest(1, 1))
    assert first_names(asked, leaving) == []
    status = msgspec.structs.replace(
        RUNNING, stats=Stats(reboot_count=1), pod_name=a_pod(number=2).name
    )
    committed = a_run(status=status, reboot=RebootRequest(1, 1))
    assert first_names(committed, leaving) == []


def test_the_end_of_the_attempt_ends_the_socket() -> None:
    run = a_run(status=a_status(started=2, end=Phase.SUCCEEDED))
    assert see(EventScript(1), run) == Step(ended=True)
    settled = stub(run)
    assert EventScript(1).see(RunState(settled), NOW) == Step(ended=True)


def test_a_later_attempt_ends_the_socket_and_an_earlier_one_is_an_old_state() -> None:
    run = a_run(status=msgspec.structs.replace(RUNNING, attempt=2))
    assert see(EventScript(1), run) == Step(ended=True)
    before = a_run(status=a_status(started=2, end=Phase.ABORTED))
    assert see(EventScript(2), before) == Step()


def test_a_system_info_frame_is_complete() -> None:
    usage = Usage(1 << 30, 100, 90.4, 12.34567, 10.5, 80.0, overloaded=True)
    data: dict[str, Any] = json.loads(system_info(usage, NOW))["data"]
    assert data == {
        "memAvgBytes": 90,
        "memCurrentBytes": 100,
        "memMaxBytes": 1 << 30,
        "cpuAvgUsage": 10.5,
        "cpuMaxUsage": 80.0,
        "cpuCurrentUsage": 12.346,
        "isCpuOverloaded": True,
        "createdAt": "2026-03-01T12:00:20.000Z",
    }


def test_a_frame_is_one_json_object() -> None:
    assert json.loads(frame("x", {"a": "é"}, NOW))["data"] == {"a": "é"}
