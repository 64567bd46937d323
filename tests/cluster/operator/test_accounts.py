"""Hundreds of runs that share the memory of one account, on the real API server."""

import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from tests.support.audit import AuditLog
from tests.support.history import (
    ACCOUNT,
    POD,
    RUN,
    History,
    Life,
    Object,
    condition,
    status_of,
)
from tests.support.invariants_accounts import Account, lines_of_accounts_are_kept
from tests.support.operators import OperatorProcess
from tests.support.recorder import Recorder
from tests.support.workspace import Admin, Workspace

from actor_operator.api.v1alpha1.conditions import Reason

pytestmark = pytest.mark.cluster

RUNS = 500

LIMIT = 8192
"""Memory of the account in MB: room for eight runs of 1024 MB."""

AT_A_TIME = 8

WRITERS = 8

SECONDS = 900.0
"""In which all of them have ended, eight at a time."""


@pytest.mark.timeout(SECONDS + 100)
def test_five_hundred_runs_share_an_account(
    replicas: list[OperatorProcess],
    workspace: Workspace,
    recorder: Recorder,
    audit: AuditLog,
    report: Callable[[str], None],
) -> None:
    workspace.account(memoryLimitMbytes=LIMIT)

    names = apply_at_once(workspace, RUNS)
    workspace.wait_all(names, seconds=SECONDS)
    recorder.wait("it is told", lambda: account(recorder, workspace).get("liveRuns") == 0, 30)

    history = workspace.history()
    assert most_at_a_time(history) == (AT_A_TIME, LIMIT)
    assert lines_of_accounts_are_kept(history) == []
    assert all(history.phases(name) == ["READY", "RUNNING", "SUCCEEDED"] for name in names)
    assert max(waits_written(life) for life in history.objects(RUN)) == 1
    status = account(recorder, workspace)
    assert (status["memoryUsedMbytes"], status["waitingRuns"]) == (0, 0)
    accounts = [e for e in audit.entries() if e.resource.startswith("actoraccounts")]
    writes = sum(entry.is_write for entry in accounts)
    seconds = history.revisions[-1].at - history.revisions[0].at
    report(
        f"{RUNS} runs, {AT_A_TIME} at a time: {seconds:.0f} s, {RUNS / seconds:.1f} runs/s;"
        f" {places_out_of_order(history)} pods were made before one that stood in front;"
        f" {writes} writes of the account"
    )
    assert writes < seconds + 10


def test_the_line_outlasts_the_death_of_the_leader(
    replicas: list[OperatorProcess], workspace: Workspace
) -> None:
    leader, heir = replicas
    workspace.account(memoryLimitMbytes=2048)
    names = apply_at_once(workspace, 40)
    workspace.wait(names[0], ["RUNNING", "SUCCEEDED"])

    leader.kill()
    heir.wait_leading()
    workspace.wait_all(names, seconds=120)

    history = workspace.history()
    assert most_at_a_time(history) == (2, 2048)
    assert lines_of_accounts_are_kept(history) == []


def test_the_operator_removes_a_pod_that_its_run_left_behind(
    replicas: list[OperatorProcess],
    workspace: Workspace,
    recorder: Recorder,
) -> None:
    workspace.account(memoryLimitMbytes=1024)
    workspace.actor("endless", "forever")
    workspace.run("left", "endless")
    workspace.wait("left", ["RUNNING"])
    pod = workspace.status("left")["podName"]
    workspace.run("next")

    orphan = {"propagationPolicy": "Orphan"}
    workspace.admin.must("DELETE", workspace.path("actorruns", "left"), orphan)
    workspace.wait("next", seconds=60)

    assert recorder.find(POD, workspace.namespace, pod) is None


def apply_at_once(workspace: Workspace, count: int) -> list[str]:
    """Create runs by several connections; returns their names."""
    names = [f"run-{number:03}" for number in range(count)]
    left = iter(names)
    lock = threading.Lock()

    def work() -> None:
        own = Admin(workspace.admin.control_plane)
        mine = workspace.seen_by(own)
        while True:
            with lock:
                name = next(left, None)
            if name is None:
                break
            mine.run(name)
        own.close()

    writers = [threading.Thread(target=work) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return names


def most_at_a_time(history: History) -> tuple[int, int]:
    """How many runs held memory at a time, at most, and how much."""
    book = Account()
    most = (0, 0)
    for revision in history.revisions:
        book.take(revision)
        held = book.held()
        most = max(most, (len(held), sum(held.values())))
    return most


def places_out_of_order(history: History) -> int:
    """How many pods were made before that of a run which stood further in front."""
    places = {}
    for life in history.objects(RUN):
        queued_at = status_of(life[-1].object).get("queuedAt")
        pods = history.children(POD, life[0].uid)
        if queued_at and pods:
            place = (datetime.fromisoformat(queued_at), life[0].uid)
            places[pods[0][0].number] = place
    order = [places[number] for number in sorted(places)]
    return sum(place > min(order[n:]) for n, place in enumerate(order))


def waits_written(life: Life) -> int:
    """How often it was written that a run waits."""
    reasons = [condition(revision.object, "Admitted").get("reason") for revision in life]
    return reasons.count(Reason.WAITING_FOR_ACCOUNT_MEMORY)


def account(recorder: Recorder, workspace: Workspace) -> Object:
    """The status of the account."""
    return status_of(recorder.find(ACCOUNT, workspace.namespace, workspace.namespace) or {})
