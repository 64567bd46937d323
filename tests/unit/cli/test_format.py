"""Runs in words."""

from datetime import timedelta

import pytest
from tests.support.builders import a_run, a_status, an_actor, at

from actor_operator.api.base import Definition
from actor_operator.api.v1alpha1.actor import Actor
from actor_operator.api.v1alpha1.actor_run import ActorRun
from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import FINISHED, Phase
from actor_operator.api.views.metadata import Condition
from actor_operator.api.views.run import Failure, Options, RunStatus
from actor_operator.cli.format import (
    ACTOR_COLUMNS,
    EXIT_CODES,
    RUN_COLUMNS,
    WIDE_ACTOR_COLUMNS,
    WIDE_RUN_COLUMNS,
    actor_cells,
    age,
    duration,
    exit_code,
    run_cells,
    situation,
    verdict,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (0.9, "0s"),
        (119, "119s"),
        (120, "2m"),
        (192, "3m12s"),
        (3599, "59m59s"),
        (3600, "1h"),
        (7500, "2h5m"),
        (86_400, "1d"),
        (4 * 86_400 + 3 * 3600 + 59, "4d3h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_what_has_not_happened_has_no_age() -> None:
    assert age(None, at(0)) == "-"
    assert age(at(0), at(61)) == "61s"


@pytest.mark.parametrize(
    ("definition", "narrow", "wide"),
    [
        (ActorRun.definition, RUN_COLUMNS, WIDE_RUN_COLUMNS),
        (Actor.definition, ACTOR_COLUMNS, WIDE_ACTOR_COLUMNS),
    ],
)
def test_the_columns_are_those_of_the_crd(
    definition: Definition, narrow: tuple[str, ...], wide: tuple[str, ...]
) -> None:
    of_crd = [column.name.upper() for column in definition.columns if not column.wide]
    wide_of_crd = [column.name.upper() for column in definition.columns if column.wide]

    assert list(narrow) == ["NAME", *of_crd]
    assert list(wide) == ["NAME", *of_crd, *wide_of_crd]


def test_a_new_run_shows_dashes_for_what_is_not_known() -> None:
    cells = run_cells(a_run(status=RunStatus()), at(5))

    assert dict(zip(WIDE_RUN_COLUMNS, cells, strict=True)) == {
        "NAME": "hello",
        "PHASE": "READY",
        "REASON": "-",
        "ACTOR": "greeter",
        "BUILD": "-",
        "MEMORY": "-",
        "ATTEMPT": "1",
        "AGE": "5s",
        "POD": "-",
        "NODE": "-",
        "EXIT": "-",
        "URL": "-",
        "FINISHED": "-",
    }


def test_a_finished_run_shows_all_that_is_known() -> None:
    status = a_status(
        started=2,
        end=Phase.FAILED,
        build_number="1.0.1",
        options=Options("latest", 512, 60, 1024, "125m"),
        pod_name="hello-abcd-1",
        node_name="node-1",
        exit_code=3,
        container_url="http://x.example/",
        finished_at=at(20),
        conditions=(Condition("Succeeded", "False", "ContainerFailed"),),
    )

    assert run_cells(a_run(status=status), at(30)) == (
        *("hello", "FAILED", "ContainerFailed", "greeter", "1.0.1", "512", "1", "30s"),
        *("hello-abcd-1", "node-1", "3", "http://x.example/", "10s"),
    )


def test_an_actor_shows_its_latest_build() -> None:
    assert actor_cells(an_actor(is_public=True), at(0))[:4] == ("greeter", "1.0.1", "true", "-")


def test_a_run_that_nobody_has_seen_says_so() -> None:
    assert situation(a_run(status=RunStatus())) == "the operator has not seen it yet"


def test_a_waiting_run_names_the_first_step_that_is_missing() -> None:
    status = RunStatus(
        observed_generation=1,
        conditions=(
            Condition(ConditionType.ADMITTED, "True", Reason.MEMORY_RESERVED, "Room."),
            Condition(ConditionType.POD_SCHEDULED, "False", Reason.UNSCHEDULABLE, "No node fits."),
            Condition(ConditionType.STARTED, "False", Reason.IMAGE_PULLING, "Pulling."),
        ),
    )

    assert situation(a_run(status=status)) == "No node fits."


def test_a_condition_without_a_message_is_told_by_its_reason() -> None:
    status = RunStatus(
        observed_generation=1,
        conditions=(Condition(ConditionType.STARTED, "False", Reason.IMAGE_PULLING),),
    )

    assert situation(a_run(status=status)) == "ImagePulling"


def test_a_stopping_run_says_why() -> None:
    status = RunStatus(
        phase=Phase.ABORTING,
        observed_generation=1,
        conditions=(Condition(ConditionType.TERMINATION_TARGET, "True", "AbortNow", "Asked"),),
    )

    assert situation(a_run(status=status)) == "Asked"


def test_a_running_run_speaks_only_of_a_lost_pod() -> None:
    fine = RunStatus(phase=Phase.RUNNING, observed_generation=1)
    lost = RunStatus(
        phase=Phase.RUNNING,
        observed_generation=1,
        conditions=(Condition(ConditionType.POD_SCHEDULED, "False", "Evicted", "Evicted."),),
    )

    assert situation(a_run(status=fine)) == ""
    assert situation(a_run(status=lost)) == "Evicted."


def test_the_verdict_of_a_good_run_is_short() -> None:
    status = RunStatus(phase=Phase.SUCCEEDED, started_at=at(2), finished_at=at(14))

    assert verdict(a_run(status=status)) == "hello SUCCEEDED after 12s."


def test_the_verdict_of_a_failed_run_says_why() -> None:
    status = RunStatus(
        phase=Phase.FAILED,
        started_at=at(2),
        finished_at=at(2) + timedelta(minutes=3),
        failure=Failure("OOMKilled", "The actor used more than its 256 MB."),
    )

    assert verdict(a_run(status=status)) == (
        "hello FAILED after 3m: OOMKilled: The actor used more than its 256 MB."
    )


def test_the_verdict_of_an_aborted_run_needs_no_reason() -> None:
    status = RunStatus(phase=Phase.ABORTED, failure=Failure("Aborted", "The run was aborted."))

    assert verdict(a_run(status=status)) == "hello ABORTED."


def test_a_verdict_cannot_move_the_cursor() -> None:
    status = RunStatus(phase=Phase.FAILED, failure=Failure("Error", "\x1b[2J\r\nx"))

    assert verdict(a_run(status=status)) == "hello FAILED: Error:  [2J  x"


def test_each_end_has_its_exit_code() -> None:
    assert set(EXIT_CODES) == FINISHED
    codes = {p: exit_code(a_run(status=RunStatus(phase=p))) for p in FINISHED}
    assert codes == {"SUCCEEDED": 0, "FAILED": 1, "TIMED-OUT": 124, "ABORTED": 130}
