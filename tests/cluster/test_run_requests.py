"""What may be asked of a run, and when: abort, resurrect, reboot."""

from typing import Any

import pytest
from tests.support.kinds import FINISHED, PATHS, bring, manifest, resurrect, write_status
from tests.support.rest import RestClient

pytestmark = pytest.mark.cluster

ABORT_ATTEMPT = (
    "spec.abort.attempt: Invalid value: abort.attempt must be the run's current attempt,"
    " as in status.attempt"
)
ABORT_MODE = (
    "spec.abort.mode: Invalid value: within an attempt, abort.mode may change from Graceful to"
    " Immediate only"
)
RESURRECT = (
    "spec.resurrect.attempt: Invalid value: only a finished run can be resurrected, and"
    " resurrect.attempt must be status.attempt + 1"
)
RESURRECT_CHANGED = "spec.resurrect: Forbidden: what an attempt was resurrected with never changes"
RESURRECT_BUILD = (
    'spec.resurrect.build: Invalid value: "1.2": a build is named by its tag (a letter, then'
    " letters, digits, '-', '_' and '.'), such as latest, or by its number, such as 1.2.34"
)
REBOOT = (
    "spec.reboot: Invalid value: only a RUNNING run can be rebooted; reboot.attempt must be"
    " status.attempt and reboot.count must be status.stats.rebootCount + 1 (1 at first)"
)


def request(api: RestClient, name: str, **requests: Any) -> list[str]:
    """Patch requests into a run's spec; what the server says against it."""
    return api.patch("actorruns", name, {"spec": requests}).sentences


def test_an_abort_names_the_current_attempt(api: RestClient, run: str) -> None:
    assert request(api, run, abort={"attempt": 2}) == [ABORT_ATTEMPT]
    assert request(api, run, abort={"attempt": 1}) == []


def test_an_abort_may_become_immediate_but_not_graceful(api: RestClient, run: str) -> None:
    assert request(api, run, abort={"attempt": 1, "mode": "Graceful"}) == []
    assert request(api, run, abort={"mode": "Immediate"}) == []
    assert request(api, run, abort={"mode": "Graceful"}) == [ABORT_MODE]


def test_an_abort_has_no_other_mode(api: RestClient, run: str) -> None:
    assert request(api, run, abort={"attempt": 1, "mode": "Softly"}) == [
        'spec.abort.mode: Unsupported value: "Softly": supported values: "Immediate", "Graceful"'
    ]


def test_an_abort_needs_an_attempt(api: RestClient, run: str) -> None:
    assert "spec.abort.attempt: Required value" in request(api, run, abort={"mode": "Immediate"})


def test_an_abort_may_be_removed(api: RestClient, run: str) -> None:
    assert request(api, run, abort={"attempt": 1}) == []
    assert request(api, run, abort=None) == []


@pytest.mark.parametrize(("attempt", "sentences"), [(1, []), (2, [ABORT_ATTEMPT])])
def test_a_run_may_be_made_with_an_abort_of_its_first_attempt_only(
    api: RestClient, attempt: int, sentences: list[str]
) -> None:
    body = manifest("actorruns", {"abort": {"attempt": attempt}})

    assert api.create("actorruns", body).sentences == sentences


def test_an_abort_of_an_earlier_attempt_stays_without_harm_and_may_be_renewed(
    api: RestClient, run: str
) -> None:
    assert request(api, run, abort={"attempt": 1}) == []
    bring(api, run, "ABORTED")
    resurrect(api, run)

    assert request(api, run, ttlSecondsAfterFinished=5) == []
    assert request(api, run, abort={"attempt": 2, "mode": "Graceful"}) == []
    assert request(api, run, abort={"attempt": 1}) == [ABORT_ATTEMPT]


@pytest.mark.parametrize("phase", sorted(PATHS))
def test_only_a_finished_run_can_be_resurrected(api: RestClient, run: str, phase: str) -> None:
    bring(api, run, phase)

    assert request(api, run, resurrect={"attempt": 2}) == ([] if phase in FINISHED else [RESURRECT])


@pytest.mark.parametrize("attempt", [3, 2**31 - 1])
def test_a_resurrection_names_the_next_attempt(api: RestClient, run: str, attempt: int) -> None:
    bring(api, run, "FAILED")

    assert request(api, run, resurrect={"attempt": attempt}) == [RESURRECT]


def test_a_run_cannot_be_made_resurrected(api: RestClient) -> None:
    body = manifest("actorruns", {"resurrect": {"attempt": 2}})

    assert api.create("actorruns", body).sentences == [RESURRECT]


def test_the_options_of_a_resurrection_are_checked_and_stay(api: RestClient, run: str) -> None:
    bring(api, run, "FAILED")

    assert request(api, run, resurrect={"attempt": 2, "memoryMbytes": 300})
    assert request(api, run, resurrect={"attempt": 2, "timeoutSecs": -1})
    assert request(api, run, resurrect={"attempt": 2, "build": "1.2"}) == [RESURRECT_BUILD]
    assert request(api, run, resurrect={"attempt": 2, "memoryMbytes": 512, "build": "beta"}) == []
    assert request(api, run, resurrect={"memoryMbytes": 1024}) == [RESURRECT_CHANGED]
    assert request(api, run, resurrect={"build": None}) == [RESURRECT_CHANGED]
    assert request(api, run, resurrect={"timeoutSecs": 5}) == [RESURRECT_CHANGED]


def test_a_resurrection_stays_in_the_spec_while_its_attempt_runs(api: RestClient, run: str) -> None:
    bring(api, run, "FAILED")
    assert request(api, run, resurrect={"attempt": 2}) == []
    resurrect(api, run)

    assert request(api, run, ttlSecondsAfterFinished=5) == []
    assert request(api, run, resurrect={"attempt": 3}) == [RESURRECT]
    assert request(api, run, resurrect=None) == []


@pytest.mark.parametrize("phase", sorted(PATHS))
def test_only_a_running_run_can_be_rebooted(api: RestClient, run: str, phase: str) -> None:
    bring(api, run, phase)

    assert request(api, run, reboot={"attempt": 1, "count": 1}) == (
        [] if phase == "RUNNING" else [REBOOT]
    )


def test_reboots_are_counted_one_by_one(api: RestClient, run: str) -> None:
    bring(api, run, "RUNNING")

    assert request(api, run, reboot={"attempt": 1, "count": 2}) == [REBOOT]
    assert request(api, run, reboot={"attempt": 2, "count": 1}) == [REBOOT]
    assert request(api, run, reboot={"attempt": 1, "count": 1}) == []
    assert request(api, run, reboot={"attempt": 1, "count": 2}) == [REBOOT]

    # The operator has done it.
    assert write_status(api, run, stats={"rebootCount": 1}) == []
    assert request(api, run, reboot={"attempt": 1, "count": 3}) == [REBOOT]
    assert request(api, run, reboot={"attempt": 1, "count": 2}) == []
    assert request(api, run, reboot={"attempt": 1, "count": 1}) == [REBOOT]


def test_a_reboot_stays_in_the_spec_after_the_end(api: RestClient, run: str) -> None:
    bring(api, run, "RUNNING")
    assert request(api, run, reboot={"attempt": 1, "count": 1}) == []
    assert write_status(api, run, phase="SUCCEEDED", finished=True) == []

    assert request(api, run, ttlSecondsAfterFinished=5) == []
