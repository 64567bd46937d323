"""What befalls containers and pods that run: each fault once, all of them at the same time.

Phases, reason, exit code and Events are those of the project's table of faults.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from tests.cluster_tool import cgroups
from tests.support.history import condition, terminated
from tests.support.installation import REGISTRY
from tests.support.node_faults import kill_container
from tests.support.rest import MERGE_PATCH
from tests.support.workspace import Admin, Workspace

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

END_SECONDS = 240
"""Longest life of a run here."""

RUNNING = "READY RUNNING"

Act = Callable[[Workspace, str], None]
"""What is done to a run of a name."""


def nothing(_workspace: Workspace, _name: str) -> None:
    """It is left alone."""


def kill(workspace: Workspace, name: str) -> None:
    """Kill its container from outside."""
    workspace.wait(name, "RUNNING")
    kill_container(workspace.status(name)["runId"])


def abort_gracefully(workspace: Workspace, name: str) -> None:
    """Ask it to end."""
    workspace.wait_started(name)
    workspace.abort(name, "Graceful")


def abort_while_it_times_out(workspace: Workspace, name: str) -> None:
    """Abort it when its time is up."""
    workspace.wait(name, "TIMING-OUT", END_SECONDS)
    workspace.abort(name)


def delete_four_times(workspace: Workspace, name: str) -> None:
    """Delete its pod as often as it gets one."""
    for number in range(1, 5):
        done = partial(is_in_pod, workspace, name, number)
        workspace.recorder.wait(f"{name} has pod {number}", done, END_SECONDS)
        pod = workspace.wait_started(name, END_SECONDS)
        workspace.delete("pods", pod["metadata"]["name"], core=True)


def is_in_pod(workspace: Workspace, name: str, number: int) -> bool:
    """Whether the current pod of a run is the one of a number."""
    return bool(workspace.status(name).get("podName", "").endswith(f"-{number}"))


def delete_by_force(workspace: Workspace, name: str) -> None:
    """Remove its pod without a word to its node."""
    pod = workspace.wait_started(name)
    path = workspace.path("pods", pod["metadata"]["name"], core=True)
    workspace.admin.must("DELETE", path, {"gracePeriodSeconds": 0})


def resurrect_at_once(workspace: Workspace, name: str) -> None:
    """Resurrect it while its old pod is still there, because somebody holds that."""
    workspace.wait(name, seconds=END_SECONDS)
    pod = workspace.pod(name) or {}
    path = workspace.path("pods", pod["metadata"]["name"], core=True)
    hold(workspace, path, ["test.actor-operator.dev/hold"])
    workspace.resurrect(name)
    workspace.wait_reason(name, "PodScheduled", "WaitingForPreviousPod")
    hold(workspace, path, [])


def hold(workspace: Workspace, path: str, finalizers: list[str]) -> None:
    """Set the finalizers of an object."""
    body = {"metadata": {"finalizers": finalizers}}
    workspace.admin.must("PATCH", path, body, content_type=MERGE_PATCH)


@dataclass(frozen=True)
class Case:
    """A run, what is done to it, and how it ends."""

    row: str
    """Its row in the table of faults."""

    actor: str
    phases: str
    reason: str
    """Reason of its condition Succeeded."""

    exit_codes: tuple[int | None, ...]
    """Those that are right: a SIGTERM is lost on a program that does not listen yet, and of an
    evicted container the kubelet may only say later, or never, how it ended."""

    events: tuple[str, ...] = ()
    act: Act = nothing
    spec: dict[str, Any] = field(default_factory=dict)
    migrations: int = 0


ALL_OUT_OF_MEMORY = Case(
    "B3", "forker", f"{RUNNING} FAILED", "OOMKilled", (137,), ("Warning/OOMKilled",)
)
"""With control groups of version 2 the kernel kills all of a container when a part of it is out of
memory."""

CASES = {
    "fails": Case(
        "B1",
        "failer",
        f"{RUNNING} FAILED",
        "ContainerFailed",
        (7,),
        ("Warning/ContainerFailed",),
        spec={"input": {"exitCode": 7}},
    ),
    "out-of-memory": Case(
        "B2", "memory-hog", f"{RUNNING} FAILED", "OOMKilled", (137,), ("Warning/OOMKilled",)
    ),
    "child-out-of-memory": ALL_OUT_OF_MEMORY
    if cgroups.is_v2()
    else Case("B3", "forker", f"{RUNNING} SUCCEEDED", "Completed", (0,)),
    "out-of-disk": Case(
        "B4",
        "disk-hog",
        f"{RUNNING} FAILED",
        "StorageLimitExceeded",
        (137, None),
        ("Warning/StorageLimitExceeded",),
    ),
    "deleted": Case(
        "B8",
        "sleeper",
        f"{RUNNING} FAILED",
        "PodDeleted",
        (143, 137),
        ("Warning/Disrupted", "Warning/PodDeleted"),
        delete_four_times,
        migrations=3,
    ),
    "deleted-by-force": Case(
        "B9",
        "sleeper",
        f"{RUNNING} SUCCEEDED",
        "Completed",
        (0,),
        ("Warning/Disrupted",),
        delete_by_force,
        spec={"input": {"seconds": 8}},
        migrations=1,
    ),
    "killed": Case(
        "B10",
        "stubborn",
        f"{RUNNING} FAILED",
        "ContainerFailed",
        (137,),
        ("Warning/ContainerFailed",),
        kill,
    ),
    "timed-out": Case(
        "B17",
        "sleeper",
        f"{RUNNING} TIMING-OUT TIMED-OUT",
        "TimedOut",
        (143,),
        ("Warning/TimingOut", "Warning/TimedOut"),
        spec={"timeoutSecs": 20},
    ),
    "aborted-while-timing-out": Case(
        "B20",
        "stubborn",
        f"{RUNNING} TIMING-OUT ABORTING ABORTED",
        "Aborted",
        (137, None),
        ("Warning/TimingOut", "Normal/Aborted"),
        abort_while_it_times_out,
        spec={"timeoutSecs": 20},
    ),
    "ignores-the-abort": Case(
        "B22",
        "stubborn",
        f"{RUNNING} ABORTING ABORTED",
        "Aborted",
        (137,),
        ("Normal/Aborted",),
        abort_gracefully,
    ),
    "resurrected": Case(
        "B23",
        "failer",
        f"{RUNNING} FAILED {RUNNING} FAILED",
        "ContainerFailed",
        (1,),
        ("Warning/ContainerFailed", "Normal/Resurrected"),
        resurrect_at_once,
    ),
}


@pytest.fixture(scope="module")
def ended(workspace: Workspace) -> Workspace:
    """A namespace in which every case has ended."""
    for actor in sorted({case.actor for case in CASES.values()}):
        workspace.actor(actor, f"{REGISTRY}/{actor}:1")
    for name, case in CASES.items():
        workspace.run(name, case.actor, **{"memoryMbytes": 256, **case.spec})
    with ThreadPoolExecutor(len(CASES)) as pool:
        for acting in [pool.submit(act, workspace, name) for name in CASES]:
            acting.result()
    workspace.wait_all(CASES, seconds=END_SECONDS)
    return workspace


def act(workspace: Workspace, name: str) -> None:
    """Do to a run what is to be done, over a connection of its own."""
    admin = Admin(workspace.admin.control_plane)
    CASES[name].act(workspace.seen_by(admin), name)
    admin.close()


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.fault(case.row)) for name, case in CASES.items()],
)
def test_run(ended: Workspace, name: str) -> None:
    case, status = CASES[name], ended.status(name)

    assert ended.history().phases(name) == case.phases.split()
    assert condition({"status": status}, "Succeeded")["reason"] == case.reason
    assert status.get("exitCode") in case.exit_codes
    assert status.get("migrations", 0) == case.migrations
    assert not status.get("cleanup")
    ended.wait_events(name, case.events)


def test_a_pod_that_is_deleted_is_told_as_the_cause_of_each_move(ended: Workspace) -> None:
    assert ended.reasons("deleted", "PodScheduled").count("PodDeleted") == 3


def test_a_pod_that_vanishes_is_waited_for_until_its_grace_has_passed(ended: Workspace) -> None:
    history = ended.history()
    first, second = history.children("Pod", history.life("ActorRun", "deleted-by-force")[0].uid)

    assert "PodVanished" in ended.reasons("deleted-by-force", "PodScheduled")
    assert second[0].at - first[-1].at >= 30 - 1


def test_an_abort_that_is_ignored_says_that_it_was_forced(ended: Workspace) -> None:
    finished = condition({"status": ended.status("ignores-the-abort")}, "Finished")

    assert "forced" in finished["message"]


def test_the_next_attempt_waits_for_the_pod_of_the_last(ended: Workspace) -> None:
    reasons = ended.reasons("resurrected", "PodScheduled")

    assert "WaitingForPreviousPod" in reasons
    assert reasons[-1] == "Scheduled"


@pytest.mark.skipif(cgroups.is_v2(), reason="the kernel kills all of the container")
def test_a_child_that_is_killed_for_its_memory_does_not_end_the_run(ended: Workspace) -> None:
    history = ended.history()
    (pod,) = history.children("Pod", history.life("ActorRun", "child-out-of-memory")[0].uid)
    ends = [r for r in pod if terminated(r.object)]

    lived = ends[0].at - pod[0].at
    assert lived > 2, "it went on after the death of its child"
    assert terminated(ends[0].object)["exitCode"] == 0
