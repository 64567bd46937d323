"""A start among thousands of runs that have ended, and the removal of as many at once."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from tests.support.audit import AuditLog
from tests.support.fleet import Fleet
from tests.support.history import RUN
from tests.support.invariants_retention import removed_early
from tests.support.recorder import Recorder
from tests.support.rest import MERGE_PATCH
from tests.support.workspace import Admin, Workspace

pytestmark = pytest.mark.cluster

FINISHED = 2000

WRITERS = 4

MOST_MBYTES = 150.0
"""Also holds for ten thousand."""

EXPIRED = 500
"""How many are to be removed at once."""

MANY_EXPIRED = 10_000
"""The same, where there is time."""

REMOVAL_SECONDS = 300.0
"""How long their removal may take."""

KEPT = 5
"""How many of them stay."""


@pytest.mark.fault("C12")
def test_it_begins_to_work_soon_and_stays_small(
    fleet: Fleet,
    admin: Admin,
    recorder: Recorder,
    workspace: Workspace,
    audit: AuditLog,
    report: Callable[[str], None],
) -> None:
    for replica in fleet.replicas:
        replica.stop()
    fill(admin, Workspace(admin, recorder), FINISHED)
    workspace.run("next")

    begun = time.time()
    replica = fleet.start()
    workspace.wait("next", ["RUNNING", "SUCCEEDED"])
    works = [entry for entry in audit.entries(since=begun) if entry.is_work]
    led = min(
        e.received for e in audit.entries(since=begun) if e.resource == "leases" and e.is_write
    )
    seconds = works[0].received - led

    report(
        f"{FINISHED} finished runs: process start → lease {led - begun:.1f} s → first write"
        f" {seconds:.1f} s; {replica.memory_mbytes:.0f} MB"
    )
    assert not any(entry.name.startswith("old-") for entry in works)
    assert replica.memory_mbytes < MOST_MBYTES


@pytest.mark.fault("C12")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("expired", [EXPIRED, pytest.param(MANY_EXPIRED, marks=pytest.mark.long)])
def test_a_backlog_of_finished_runs_goes_without_holding_up_others(
    fleet: Fleet,
    admin: Admin,
    recorder: Recorder,
    workspace: Workspace,
    report: Callable[[str], None],
    expired: int,
) -> None:
    for replica in fleet.replicas:
        replica.stop()
    crowded = Workspace(admin, recorder)
    crowded.account(retention={"ttlSecondsAfterFinished": 0, "keepLast": KEPT})
    fill(admin, crowded, expired)
    workspace.run("next")

    fleet.start().wait_leading()
    begun = time.monotonic()
    workspace.wait("next", ["RUNNING", "SUCCEEDED"])
    started = time.monotonic() - begun
    left = recorder.all
    recorder.wait(
        "all but the newest are gone",
        lambda: len(left(RUN, crowded.namespace)) == KEPT,
        REMOVAL_SECONDS,
    )

    seconds = time.monotonic() - begun
    report(
        f"{expired} runs removed in {seconds:.0f} s, {expired / seconds:.0f}/s; another run started"
        f" within {started:.1f} s"
    )
    assert removed_early(crowded.history(), ttl=0) == []


def fill(admin: Admin, workspace: Workspace, count: int) -> None:
    """Make many finished runs, by several connections."""
    numbers = iter(range(count))
    lock = threading.Lock()

    def work() -> None:
        own = Admin(admin.control_plane)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            finish(own, workspace, f"old-{number}")
        own.close()

    writers = [threading.Thread(target=work) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()


def finish(own: Admin, workspace: Workspace, name: str) -> None:
    """Make a run and write its end of this moment, which the operator has observed."""
    body = {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorRun",
        "metadata": {"name": name},
        "spec": {"actor": "quick", "input": {"text": "x" * 500}},
    }
    own.must("POST", workspace.path("actorruns"), body)
    path = workspace.path("actorruns", name) + "/status"
    end = {
        "phase": "FAILED",
        "finished": True,
        "finishedAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "observedGeneration": 1,
    }
    own.must("PATCH", path, {"status": end}, content_type=MERGE_PATCH)
