"""Finding and ending what a cluster runs."""

import os
import sys
import time
from pathlib import Path

import pytest
from tests.cluster_tool import members
from tests.cluster_tool.errors import ClusterToolError

_SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def test_a_marked_process_is_found_by_its_role_and_ended(tmp_path: Path) -> None:
    process = members.start(tmp_path, "node1/kubelet", _SLEEP)
    try:
        assert members.find(tmp_path) == [members.Member(process.pid, "node1/kubelet")]
        assert members.roles(tmp_path) == {"node1/kubelet"}
        assert members.kill_all(tmp_path) == 1
        assert members.find(tmp_path) == []
    finally:
        process.kill()
        process.wait()


def test_processes_of_another_cluster_are_left_alone(tmp_path: Path) -> None:
    other = members.start(tmp_path / "one-more", "x", _SLEEP)
    try:
        assert members.kill_all(tmp_path / "one") == 0
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_processes_of_one_role_are_ended_alone(tmp_path: Path) -> None:
    processes = {role: members.start(tmp_path, role, _SLEEP) for role in ("node1/a", "node1/b")}
    try:
        assert members.kill_all(tmp_path, "node1/a") == 1
        assert members.roles(tmp_path) == {"node1/b"}
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


def test_a_child_of_a_marked_process_is_ended_too(tmp_path: Path) -> None:
    script = f"import subprocess; print('ready', flush=True); subprocess.run({_SLEEP!r})"
    starting = members.start_announcing(tmp_path, "parent", [sys.executable, "-c", script])
    starting.wait_ready("")
    deadline = time.monotonic() + 10
    while len(members.find(tmp_path)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert members.kill_all(tmp_path) == 2
    starting.reap()


def test_a_start_that_fails_shows_its_log(tmp_path: Path) -> None:
    script = "raise SystemExit('no room left')"
    starting = members.start_announcing(tmp_path, "a/b", [sys.executable, "-c", script])
    with pytest.raises(ClusterToolError, match="Make room") as raised:
        starting.wait_ready("Make room.")
    assert "no room left" in str(raised.value)
    assert members.log_file(tmp_path, "a/b").name == "a.b.log"
    starting.reap()


def test_this_process_never_counts(tmp_path: Path) -> None:
    assert os.getpid() not in [member.pid for member in members.find(tmp_path)]
