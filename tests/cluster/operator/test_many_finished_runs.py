"""A start among thousands of runs that have ended long ago."""

import threading
import time
from collections.abc import Callable

import pytest
from tests.support.audit import AuditLog
from tests.support.fleet import Fleet
from tests.support.recorder import Recorder
from tests.support.rest import MERGE_PATCH
from tests.support.workspace import Admin, Workspace

pytestmark = pytest.mark.cluster

FINISHED = 2000

WRITERS = 4

MOST_MBYTES = 150.0
"""Also holds for ten thousand."""

END = {
    "phase": "FAILED",
    "finished": True,
    "finishedAt": "2026-01-01T00:00:09Z",
    "observedGeneration": 1,
}
"""Status of a run that has ended."""


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
    fill(admin, Workspace(admin, recorder))
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


def fill(admin: Admin, workspace: Workspace) -> None:
    """Make many finished runs, by several connections."""
    numbers = iter(range(FINISHED))
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
    """Make a run and write its end, which the operator has observed."""
    body = {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorRun",
        "metadata": {"name": name},
        "spec": {"actor": "quick", "input": {"text": "x" * 500}},
    }
    own.must("POST", workspace.path("actorruns"), body)
    path = workspace.path("actorruns", name) + "/status"
    own.must("PATCH", path, {"status": END}, content_type=MERGE_PATCH)
