"""Each of the four ends, and the attempt after it, on a real node."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from tests.node.conftest import Installed
from tests.support.attempts import attempts_of
from tests.support.history import POD, RUN, Object
from tests.support.installation import REGISTRY
from tests.support.user import User
from tests.support.workspace import Workspace

pytestmark = [pytest.mark.node, pytest.mark.timeout(240)]

KEPT = (
    "runId",
    "defaultKeyValueStoreId",
    "defaultDatasetId",
    "defaultRequestQueueId",
    "containerUrl",
    "buildNumber",
    "image",
)
"""Fields of a status that the next attempt keeps."""


@dataclass(frozen=True)
class Case:
    """A run, what it is resurrected with, and how both attempts end."""

    actor: str
    verdict: str
    changes: dict[str, Any] = field(default_factory=dict)
    """What the next attempt has otherwise."""

    spec: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    """What holds for the next attempt."""


CASES = {
    "succeeded": Case("hello-world", "SUCCEEDED", options={"memoryMbytes": 256}),
    "failed": Case(
        "failer", "FAILED", {"memoryMbytes": 512}, options={"memoryMbytes": 512, "diskMbytes": 1024}
    ),
    "timed-out": Case(
        "sleeper", "TIMED-OUT", {"timeoutSecs": 15}, {"timeoutSecs": 12}, {"timeoutSecs": 15}
    ),
    "aborted": Case("sleeper", "ABORTED", options={"memoryMbytes": 256}),
}


@dataclass(frozen=True)
class Ends:
    """What was seen of the runs."""

    workspace: Workspace
    first: dict[str, Object]
    """The status of each at its first end."""


@pytest.fixture(scope="module")
def ends(workspace: Workspace) -> Ends:
    """A namespace in which every case has ended twice."""
    for actor in sorted({case.actor for case in CASES.values()}):
        workspace.actor(actor, f"{REGISTRY}/{actor}:1")
    for name, case in CASES.items():
        workspace.run(name, case.actor, **{"memoryMbytes": 256, **case.spec})
    first = end_all(workspace, 1)
    for name, case in CASES.items():
        workspace.resurrect(name, **case.changes)
    end_all(workspace, 2)
    return Ends(workspace, first)


def end_all(workspace: Workspace, attempt: int) -> dict[str, Object]:
    """Wait until an attempt of every run has ended; the one that does not end is aborted."""

    def is_there(name: str, phases: set[str]) -> bool:
        return workspace.attempt(name) == attempt and workspace.phase(name) in phases

    workspace.recorder.wait("it runs", partial(is_there, "aborted", {"RUNNING"}), 120)
    workspace.abort("aborted", "Graceful")  # keeps its pod, which the next attempt must remove
    for name, case in CASES.items():
        what = f"attempt {attempt} of {name} is {case.verdict}"
        workspace.recorder.wait(what, partial(is_there, name, {case.verdict}), 120)
    return {name: workspace.status(name) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_ids_and_build_stay(ends: Ends, name: str) -> None:
    before, after = ends.first[name], ends.workspace.status(name)

    assert {f: after.get(f) for f in KEPT} == {f: before.get(f) for f in KEPT}
    assert after["attempt"] == 2
    assert after["stats"]["resurrectCount"] == 1


@pytest.mark.parametrize("name", CASES)
def test_the_pod_is_another_and_the_old_one_goes_with_its_log(
    ends: Ends, installed: Installed, name: str
) -> None:
    user = User(installed.kubectl, ends.workspace.namespace)
    before, after = ends.first[name]["podName"], ends.workspace.status(name)["podName"]

    assert (before[-2:], after[-2:]) == ("-1", "-2")
    assert "not found" in user.refusal("logs", before)
    assert user.run_kubectl("logs", after)


@pytest.mark.parametrize("name", CASES)
def test_what_was_asked_for_holds_for_the_next_attempt(ends: Ends, name: str) -> None:
    options = ends.workspace.status(name)["options"]

    assert {field: options[field] for field in CASES[name].options} == CASES[name].options


@pytest.mark.parametrize("name", CASES)
def test_durations_have_the_gap_and_run_times_have_not(ends: Ends, name: str) -> None:
    history = ends.workspace.history()
    run = history.life(RUN, name)
    status, stats = ends.workspace.status(name), ends.workspace.status(name)["stats"]
    created = run[0].object["metadata"]["creationTimestamp"]
    spans = [
        seconds_between(a.end.object["status"]["startedAt"], a.end.object["status"]["finishedAt"])
        for a in attempts_of(history, run)
        if a.end is not None
    ]

    assert len(spans) == 2
    assert stats["durationMillis"] == 1000 * seconds_between(created, status["finishedAt"])
    assert stats["runTimeSecs"] == pytest.approx(sum(spans))
    assert stats["computeUnits"] < stats["durationMillis"] / 1000 / 3600
    assert [entry["attempt"] for entry in status["attempts"]] == [1, 2]


def test_the_timeout_counts_anew(ends: Ends) -> None:
    history = ends.workspace.history()
    uid = history.life(RUN, "timed-out")[0].uid
    first, second = history.children(POD, uid)

    assert first[0].object["spec"]["activeDeadlineSeconds"] == 12
    assert second[0].object["spec"]["activeDeadlineSeconds"] == 15
    begun = second[-1].object["status"]["startTime"]
    assert seconds_between(begun, ends.workspace.status("timed-out")["timeoutAt"]) == 15


@pytest.mark.parametrize("name", CASES)
def test_the_resurrection_is_told(ends: Ends, name: str) -> None:
    ended = {"FAILED": "Warning/ContainerFailed", "ABORTED": "Normal/Aborted"}
    first = ["Warning/TimingOut", "Warning/TimedOut"] if name == "timed-out" else []
    first += [ended[CASES[name].verdict]] if CASES[name].verdict in ended else []

    ends.workspace.wait_events(name, [*first, "Normal/Resurrected"])


def seconds_between(begin: str, end: str) -> float:
    """Seconds from one time to another."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
