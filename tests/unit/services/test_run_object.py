"""Runs as Apify's objects."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.builders import CREATED, a_run, at

from actor_operator.api.v1alpha1.phase import FINISHED, Phase
from actor_operator.api.views.run import Failure, Options, ResurrectRequest, RunStatus, RunView
from actor_operator.desired.names import ids_of
from actor_operator.services.run_object import RunFacts, build_number_int, run_item, run_object
from actor_operator.services.times import millis_of
from actor_operator.storage.runs import RunRow

OPTIONS = Options("latest", 1024, 60, 2048, "250m")
RUN_ID = "a" * 17

NEEDED = {
    "id", "actId", "userId", "startedAt", "status", "meta", "stats", "options", "buildId",
    "defaultKeyValueStoreId", "defaultDatasetId", "defaultRequestQueueId", "generalAccess",
}  # fmt: skip
"""Fields without which clients do not read a run."""


def a_row(**more: Any) -> RunRow:
    kept = RunStatus(options=OPTIONS, build_number="1.0.1")
    fields: dict[str, Any] = {
        "account": 1,
        "id": RUN_ID,
        "name": RUN_ID,
        "actor_id": "b" * 17,
        "actor": "team/greeter",
        "origin": "API",
        "started_at": millis_of(CREATED),
        "meta": b'{"origin":"API"}',
        "build_number": "1.0.1",
        "build_id": "c" * 17,
        "mirror": msgspec.json.encode(kept),
    }
    return RunRow(**(fields | more))


def told(run: RunView | None, seconds: float = 10, **row: Any) -> dict[str, Any]:
    facts = RunFacts(a_row(**row), run, "u" * 17, "c" * 17, at(seconds))
    return run_object(facts)


def ended(phase: Phase = Phase.SUCCEEDED, **more: Any) -> RunView:
    fields: dict[str, Any] = {
        "phase": phase,
        "finished": phase in FINISHED,
        "options": OPTIONS,
        "started_at": at(2),
        "finished_at": at(5),
        "exit_code": 0,
    }
    return a_run(status=RunStatus(**(fields | more)))


@pytest.mark.parametrize("run", [None, a_run(), ended()])
def test_every_field_that_clients_need_is_there(run: RunView | None) -> None:
    answer = told(run)
    assert set(answer) >= NEEDED
    assert answer["storageIds"]["datasets"] == {"default": ids_of(RUN_ID).dataset}
    assert answer["startedAt"] == "2026-03-01T12:00:00.000Z"
    assert msgspec.json.decode(msgspec.json.encode(answer)) == answer


def test_before_the_operator_has_looked_the_options_are_those_of_the_start() -> None:
    answer = told(a_run())
    assert answer["status"] == "READY"
    assert answer["options"]["memoryMbytes"] == 1024
    assert answer["options"]["diskMbytes"] == 2048
    assert answer["buildNumber"] == "1.0.1"
    assert answer["finishedAt"] is answer["exitCode"] is None


def test_while_a_run_goes_on_its_figures_do_too() -> None:
    running = a_run(status=RunStatus(phase=Phase.RUNNING, options=OPTIONS, started_at=at(2)))
    stats = told(running, seconds=3602)["stats"]
    assert stats["durationMillis"] == 3_602_000
    assert stats["runTimeSecs"] == 3600
    assert stats["computeUnits"] == 1


def test_a_resurrected_run_has_no_end_any_more_and_the_same_start() -> None:
    run = ended(Phase.FAILED, exit_code=1)
    spec = msgspec.structs.replace(run.spec, resurrect=ResurrectRequest(attempt=2))
    answer = told(msgspec.structs.replace(run, spec=spec))
    assert (answer["status"], answer["finishedAt"], answer["exitCode"]) == ("READY", None, None)
    assert answer["startedAt"] == "2026-03-01T12:00:00.000Z"
    assert answer["statusMessage"] is None


@pytest.mark.parametrize(
    ("phase", "own", "said"),
    [
        (Phase.SUCCEEDED, None, "Actor succeeded with exit code 0."),
        (Phase.SUCCEEDED, ("Mine.", None), "Mine."),
        (Phase.ABORTED, ("Mine.", None), "Actor was aborted."),
        (Phase.ABORTED, ("Mine.", True), "Mine."),
        (Phase.TIMED_OUT, None, "Actor timed out."),
        (Phase.FAILED, ("Mine.", False), "Actor failed with exit code 3. It fell."),
    ],
)
def test_the_end_has_the_last_word_unless_the_actor_had(
    phase: Phase, own: tuple[str, bool | None] | None, said: str
) -> None:
    message, terminal = own or (None, None)
    run = ended(phase, exit_code=3, failure=Failure("ContainerFailed", "It fell."))
    answer = told(run, status_message=message, status_message_terminal=terminal)
    assert answer["statusMessage"] == said


def test_when_the_object_cannot_be_asked_for_the_row_says_what_it_last_said() -> None:
    status = ended(Phase.FAILED, exit_code=3).status
    answer = told(
        None,
        status="FAILED",
        finished_at=millis_of(at(5)),
        mirror=msgspec.json.encode(status),
    )
    assert (answer["status"], answer["exitCode"]) == ("FAILED", 3)
    assert answer["finishedAt"] == "2026-03-01T12:00:05.000Z"


def test_an_entry_of_a_list_says_what_clients_need() -> None:
    item = run_item(a_row(), "u" * 17)
    assert set(item) >= NEEDED - {"stats", "options", "generalAccess"} | {"usageTotalUsd"}


@given(
    st.tuples(*[st.integers(0, 99)] * 2, st.integers(0, 99_999)),
    st.tuples(*[st.integers(0, 99)] * 2, st.integers(0, 99_999)),
)
def test_numbers_of_builds_sort_as_their_parts_do(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    numbers = [build_number_int(".".join(map(str, parts))) or 0 for parts in (one, other)]
    assert (numbers[0] < numbers[1]) == (one < other)


def test_a_run_never_lasted_less_than_nothing() -> None:
    early = RunFacts(a_row(), a_run(), "u", "c", CREATED - timedelta(seconds=5))
    assert run_object(early)["stats"]["durationMillis"] == 0


def test_a_run_does_not_end_before_it_began() -> None:
    started = millis_of(CREATED) + 5_900
    answer = told(ended(), started_at=started)
    assert answer["finishedAt"] == answer["startedAt"] == "2026-03-01T12:00:05.900Z"
    listed = run_item(a_row(started_at=started, finished_at=millis_of(at(5))), "u" * 17)
    assert listed["finishedAt"] == listed["startedAt"]
