"""The API server takes the steps of a correct operator and refuses all others."""

from typing import Any

import pytest
from tests.support.kinds import FINISHED, PATHS, bring, resurrect, write_status
from tests.support.rest import RestClient, collection

pytestmark = pytest.mark.cluster

STEPS = {
    "READY": {"RUNNING", "FAILED", "TIMING-OUT", "ABORTING"},
    "RUNNING": {"SUCCEEDED", "FAILED", "TIMING-OUT", "ABORTING"},
    "TIMING-OUT": {"TIMED-OUT", "SUCCEEDED", "FAILED", "ABORTING"},
    "ABORTING": {"ABORTED"},
    "SUCCEEDED": set(),
    "FAILED": set(),
    "TIMED-OUT": set(),
    "ABORTED": set(),
}
"""Each phase, and those that it may step to within an attempt; on purpose not the code's own."""

PHASE = (
    "status.phase: Forbidden: the phase goes"
    " from READY to ABORTING or FAILED or RUNNING or TIMING-OUT;"
    " from RUNNING to ABORTING or FAILED or SUCCEEDED or TIMING-OUT;"
    " from TIMING-OUT to ABORTING or FAILED or SUCCEEDED or TIMED-OUT;"
    " from ABORTING to ABORTED; and from each of the others to READY, with the next attempt"
)
ATTEMPT = (
    "status.attempt: Forbidden: attempt rises by one when a finished run becomes READY again, and"
    " else stays"
)
VERDICT = (
    "status: Forbidden: the verdict of a finished attempt (exitCode, finishedAt, failure) never"
    " changes"
)
COUNTERS = (
    "status.stats: Forbidden: the counters (resurrectCount, migrationCount, restartCount,"
    " rebootCount) never fall"
)
WITHIN = "status: Forbidden: within an attempt, migrations never falls and startedAt never changes"
IDENTITY = (
    "status: Forbidden: once they are told, runId, defaultKeyValueStoreId, defaultDatasetId,"
    " defaultRequestQueueId, inputSha256 never change"
)
MARK = (
    "status.finished: Invalid value: finished must be true in the phases SUCCEEDED, FAILED,"
    " TIMED-OUT and ABORTED, and false in all others"
)


@pytest.mark.parametrize("after", sorted(PATHS))
@pytest.mark.parametrize("before", sorted(PATHS))
@pytest.mark.fault("B28")
def test_a_step_within_an_attempt(api: RestClient, run: str, before: str, after: str) -> None:
    bring(api, run, before)

    sentences = write_status(api, run, phase=after, finished=after in FINISHED)

    if after == before or after in STEPS[before]:
        assert sentences == []
    elif before in FINISHED and after == "READY":
        assert sentences == [ATTEMPT]
    elif before in FINISHED and after not in FINISHED:
        assert sentences == [ATTEMPT, PHASE]
    else:
        assert sentences == [PHASE]


@pytest.mark.parametrize("after", sorted(PATHS))
@pytest.mark.parametrize("before", sorted(PATHS))
def test_a_step_to_the_next_attempt(api: RestClient, run: str, before: str, after: str) -> None:
    bring(api, run, before)

    sentences = write_status(api, run, phase=after, finished=after in FINISHED, attempt=2)

    if before in FINISHED and after == "READY":
        assert sentences == []
    elif before in FINISHED and after not in FINISHED:
        assert sentences == [PHASE]
    elif after == before or after in STEPS[before]:
        assert sentences == [ATTEMPT]
    else:
        assert sentences == [ATTEMPT, PHASE]


@pytest.mark.parametrize("attempt", [0, 1, 4])
def test_the_attempt_never_falls_nor_jumps(api: RestClient, run: str, attempt: int) -> None:
    bring(api, run, "FAILED")
    resurrect(api, run)

    sentences = write_status(api, run, attempt=attempt)

    assert ATTEMPT in sentences


def test_the_attempt_does_not_jump_at_a_resurrection(api: RestClient, run: str) -> None:
    bring(api, run, "FAILED")

    assert write_status(api, run, phase="READY", finished=False, attempt=3) == [ATTEMPT]


VERDICTS = [
    {"exitCode": 1},
    {"exitCode": None},
    {"finishedAt": "2026-11-22T09:00:00.000001Z"},
    {"finishedAt": None},
    {"failure": {"message": "Something else."}},
    {"failure": {"reason": "OOMKilled"}},
    {"failure": {"platform": True}},
    {"failure": None},
]


@pytest.fixture
def failed(api: RestClient, run: str) -> str:
    """The name of a run that has failed, with a whole verdict."""
    verdict = {
        "exitCode": 0,
        "finishedAt": "2026-11-22T09:00:00Z",
        "failure": {"reason": "ContainerFailed", "message": "It failed."},
    }
    assert write_status(api, run, phase="FAILED", finished=True, **verdict) == []
    return run


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.fault("B28")
def test_the_verdict_of_a_finished_attempt_never_changes(
    api: RestClient, failed: str, verdict: dict[str, Any]
) -> None:
    assert write_status(api, failed, **verdict) == [VERDICT]


@pytest.mark.parametrize("verdict", [{"exitCode": 0}, {"failure": {"reason": "X"}}])
def test_no_verdict_is_added_to_a_finished_attempt(
    api: RestClient, run: str, verdict: dict[str, Any]
) -> None:
    bring(api, run, "ABORTED")

    assert write_status(api, run, **verdict) == [VERDICT]


def test_what_is_no_verdict_may_change_after_the_end(api: RestClient, failed: str) -> None:
    assert write_status(api, failed, observedGeneration=2, cleanup=["Pod"]) == []
    assert write_status(api, failed, cleanup=None, stats={"durationMillis": 5}) == []


def test_the_next_attempt_starts_without_a_verdict(api: RestClient, failed: str) -> None:
    cleared = dict.fromkeys(("exitCode", "finishedAt", "failure"))

    assert write_status(api, failed, phase="READY", attempt=2, finished=False, **cleared) == []


# What only grows, and what stays


NAMES_OF_COUNTERS = ("resurrectCount", "migrationCount", "restartCount", "rebootCount")


@pytest.mark.parametrize("counter", NAMES_OF_COUNTERS)
@pytest.mark.parametrize(
    "stats", [{"less": 1}, {"less": None}, None], ids=["1", "none", "no stats"]
)
def test_a_counter_never_falls(
    api: RestClient, run: str, counter: str, stats: dict[str, Any] | None
) -> None:
    assert write_status(api, run, stats={counter: 2}) == []

    fallen = None if stats is None else {counter: stats["less"]}
    assert write_status(api, run, stats=fallen) == [COUNTERS]


def test_no_counter_falls_with_the_next_attempt_either(api: RestClient, run: str) -> None:
    assert write_status(api, run, stats={"migrationCount": 2}) == []
    bring(api, run, "FAILED")

    again = {"phase": "READY", "attempt": 2, "finished": False}
    assert write_status(api, run, **again, stats={"migrationCount": 0}) == [COUNTERS]


@pytest.mark.parametrize("counter", NAMES_OF_COUNTERS)
def test_a_counter_may_rise(api: RestClient, run: str, counter: str) -> None:
    assert write_status(api, run, stats={counter: 1}) == []
    assert write_status(api, run, stats={counter: 2}) == []
    assert write_status(api, run, stats={"durationMillis": 5}) == []
    assert write_status(api, run, stats={"durationMillis": 4}) == []


@pytest.mark.parametrize("migrations", [1, 0, None])
def test_migrations_never_falls_within_an_attempt(
    api: RestClient, run: str, migrations: int | None
) -> None:
    assert write_status(api, run, migrations=2) == []

    assert write_status(api, run, migrations=migrations) == [WITHIN]
    assert write_status(api, run, migrations=3) == []


@pytest.mark.parametrize("started", ["2026-11-22T09:00:00.000001Z", None])
def test_the_start_of_an_attempt_never_changes(
    api: RestClient, run: str, started: str | None
) -> None:
    assert write_status(api, run, phase="RUNNING", startedAt="2026-11-22T09:00:00Z") == []

    assert write_status(api, run, startedAt=started) == [WITHIN]
    assert write_status(api, run, nodeName="another") == []


def test_the_next_attempt_counts_its_migrations_anew_and_has_not_started(
    api: RestClient, run: str
) -> None:
    started = {"startedAt": "2026-11-22T09:00:00Z", "migrations": 3}
    assert write_status(api, run, phase="RUNNING", **started) == []
    assert write_status(api, run, phase="FAILED", finished=True) == []

    again = {"phase": "READY", "attempt": 2, "finished": False}
    assert write_status(api, run, **again, startedAt=None, migrations=None) == []


@pytest.mark.parametrize("value", ["b", None])
@pytest.mark.parametrize(
    "field",
    [
        "runId",
        "defaultKeyValueStoreId",
        "defaultDatasetId",
        "defaultRequestQueueId",
        "inputSha256",
    ],
)
def test_what_a_run_is_known_by_never_changes(
    api: RestClient, run: str, field: str, value: str | None
) -> None:
    assert write_status(api, run, **{field: "a" * 17}) == []
    bring(api, run, "FAILED")

    other = value and value * 17
    assert write_status(api, run, **{field: other}) == [IDENTITY]
    again = {"phase": "READY", "attempt": 2, "finished": False}
    assert write_status(api, run, **again, **{field: other}) == [IDENTITY]


@pytest.mark.parametrize("phase", sorted(PATHS))
def test_the_mark_finished_goes_with_the_phase(api: RestClient, run: str, phase: str) -> None:
    bring(api, run, phase)

    assert MARK in write_status(api, run, finished=phase not in FINISHED)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (
            {"phase": "DONE"},
            (
                'status.phase: Unsupported value: "DONE": supported values: "READY", "RUNNING",'
                ' "SUCCEEDED", "FAILED", "TIMING-OUT", "TIMED-OUT", "ABORTING", "ABORTED"'
            ),
        ),
        (
            {"runId": "short"},
            'status.runId: Invalid value: "short": runId in body should be at least 17 chars long',
        ),
        (
            {"cleanup": ["x"] * 17},
            "status.cleanup: Too many: 17: must have at most 16 items",
        ),
    ],
)
def test_a_status_of_another_form_is_refused(
    api: RestClient, run: str, status: dict[str, Any], sentence: str
) -> None:
    assert sentence in write_status(api, run, **status)


def test_a_condition_stands_in_the_status_once(api: RestClient, run: str) -> None:
    condition = {
        "type": "Finished",
        "status": "False",
        "reason": "Running",
        "message": "",
        "lastTransitionTime": "2026-11-22T09:00:00Z",
    }

    assert write_status(api, run, conditions=[condition]) == []
    assert write_status(api, run, conditions=[condition, condition]) == [
        'status.conditions[1]: Duplicate value: {"type":"Finished"}'
    ]


def test_a_new_run_has_a_status_before_anyone_writes_one(api: RestClient, run: str) -> None:
    assert api.call("GET", f"{collection('actorruns')}/{run}").body["status"] == {
        "phase": "READY",
        "attempt": 1,
        "observedGeneration": -1,
        "finished": False,
    }


def test_a_status_that_is_written_whole_leaves_all_else_alone(api: RestClient, run: str) -> None:
    path = f"{collection('actorruns')}/{run}"
    before = api.call("GET", path).body
    metadata = {"name": run, "resourceVersion": before["metadata"]["resourceVersion"]}

    # The form in which the operator writes it: what has its default is left out.
    body = {**before, "metadata": metadata, "spec": None, "status": {"podName": "x-abcd-1"}}
    after = api.call("PUT", f"{path}/status", body).body

    assert after["spec"] == before["spec"]
    assert after["status"] == {**before["status"], "podName": "x-abcd-1"}


def test_a_status_cannot_be_wiped(api: RestClient, failed: str) -> None:
    path = f"{collection('actorruns')}/{failed}"
    stored = api.call("GET", path).body
    del stored["status"]

    assert ATTEMPT in api.call("PUT", f"{path}/status", stored).sentences


def test_a_status_in_a_manifest_is_ignored(api: RestClient, run: str) -> None:
    path = f"{collection('actorruns')}/{run}"

    answer = api.patch("actorruns", run, {"status": {"phase": "SUCCEEDED", "finished": True}})

    assert answer.accepted
    assert api.call("GET", path).body["status"]["phase"] == "READY"
