"""Programs that must not outlive the process that started them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cluster_tool.child import Child
from tests.cluster_tool.commands import run
from tests.cluster_tool.errors import ClusterToolError, CommandError
from tests.cluster_tool.paths import CHECKOUT

_PARENT = """
import sys, time
from pathlib import Path
from tests.cluster_tool.child import Child
child = Child("sleep", ["sleep", "60"], Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(60)
"""


def _is_running(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def _wait_until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", _PARENT, str(tmp_path / "log")]
    with subprocess.Popen(argv, cwd=CHECKOUT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        # Until the wrapper has made way for it, nobody has told the kernel yet.
        _wait_until(lambda: Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep"))
        parent.kill()
    _wait_until(lambda: not _is_running(pid))


def test_a_child_that_ended_is_told_with_its_log(tmp_path: Path) -> None:
    child = Child("shell", ["sh", "-c", "echo the disk is full; exit 3"], tmp_path / "log")
    child.terminate()
    script = Child("shell", ["sh", "-c", "echo the disk is full; exit 3"], tmp_path / "log")
    script.wait()
    with pytest.raises(ClusterToolError, match="shell ended with code 3") as raised:
        script.check()
    assert "the disk is full" in str(raised.value)


def test_a_running_child_checks_well_and_can_be_ended(tmp_path: Path) -> None:
    child = Child("sleep", ["sleep", "60"], tmp_path / "log")
    assert child.check()
    child.kill()
    assert not _is_running(child.pid)
    assert child.pid != os.getpid()


def test_a_failing_command_shows_code_output_and_advice() -> None:
    with pytest.raises(CommandError) as raised:
        run(["sh", "-c", "echo nobody home >&2; exit 7"], advice="Ring twice.")
    text = str(raised.value)
    assert "ended with code 7" in text
    assert "nobody home" in text
    assert text.endswith("Ring twice.")


def test_a_missing_command_is_told_by_its_name() -> None:
    with pytest.raises(CommandError, match="no-such-program"):
        run(["no-such-program"])


def test_a_command_reads_what_it_is_given_and_sees_added_variables() -> None:
    assert run(["cat"], stdin="hello") == "hello"
    assert run(["sh", "-c", "echo $GREETING"], env={"GREETING": "hi"}) == "hi\n"
