"""Two replicas: what becomes of runs when the leader dies, freezes or goes in order."""

import time
from collections.abc import Callable

import pytest
from tests.support.audit import AuditLog, Entry
from tests.support.history import POD, RUN, History
from tests.support.operators import OperatorProcess
from tests.support.workspace import Workspace

pytestmark = pytest.mark.cluster

RUNS = 50

FREEZE_SECONDS = 20.0
"""Longer than the lease."""


@pytest.fixture
def runs(workspace: Workspace) -> list[str]:
    """Fifty runs in all stages: some have ended, some run, some have no pod yet."""
    workspace.actor("slow", "simulate-8s")
    names = [workspace.run(f"run-{n}", "slow" if n % 2 else "quick") for n in range(RUNS)]
    workspace.wait(names[RUNS // 2], ["RUNNING", "SUCCEEDED"])
    return names


@pytest.mark.fault("C5")
def test_after_the_death_of_the_leader_every_run_ends_right(
    replicas: list[OperatorProcess],
    workspace: Workspace,
    runs: list[str],
    audit: AuditLog,
    report: Callable[[str], None],
) -> None:
    leader, heir = replicas

    died = time.time()
    leader.kill()
    heir.wait_leading()
    seconds = time.time() - died
    workspace.wait_all(runs)

    history = workspace.history()
    assert all(history.phases(name) == ["READY", "RUNNING", "SUCCEEDED"] for name in runs)
    assert all(pods_made(history, name) == 1 for name in runs)
    first = min(e.received for e in audit.entries() if e.is_work and is_of(e, heir))
    report(
        f"leader killed → heir leads: {seconds:.1f} s, its first write: {first - died:.1f} s;"
        f" {RUNS} runs, no second pod"
    )


def test_a_leader_that_freezes_does_not_write_when_it_comes_back(
    replicas: list[OperatorProcess], workspace: Workspace, runs: list[str], audit: AuditLog
) -> None:
    leader, heir = replicas

    leader.freeze()
    began = time.monotonic()
    heir.wait_leading()
    workspace.run("during-the-freeze")
    workspace.wait("during-the-freeze")
    time.sleep(max(0.0, FREEZE_SECONDS - (time.monotonic() - began)))
    thawed = time.time()
    leader.thaw()
    workspace.run("after-the-freeze")
    workspace.wait_all([*runs, "after-the-freeze"])

    late = [e for e in audit.entries(since=thawed) if e.is_write and is_of(e, leader)]
    assert [entry for entry in late if entry.code < 300] == []
    assert not leader.leads
    leader.check()
    assert all(pods_made(workspace.history(), name) == 1 for name in runs)


def test_a_leader_that_is_asked_to_stop_hands_over_in_seconds(
    replicas: list[OperatorProcess],
    workspace: Workspace,
    runs: list[str],
    report: Callable[[str], None],
) -> None:
    leader, heir = replicas

    begun = time.time()
    code, seconds = leader.stop()
    heir.wait_leading()
    handed = time.time() - begun
    workspace.wait_all(runs)

    assert code == 0
    assert leader.said("The lease was given back.")
    report(f"SIGTERM → exit {seconds:.1f} s, heir leads {handed:.1f} s")
    assert all(pods_made(workspace.history(), name) == 1 for name in runs)


def pods_made(history: History, name: str) -> int:
    """How many pods a run ever had."""
    return len(history.children(POD, history.life(RUN, name)[0].uid))


def is_of(entry: Entry, replica: OperatorProcess) -> bool:
    """Whether a replica made a request."""
    return entry.credential == replica.credentials.id
