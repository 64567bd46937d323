"""One change of a cluster at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.lock import exclusive
from tests.cluster_tool.paths import CHECKOUT

_HOLDER = """
import sys, time
from pathlib import Path
from tests.cluster_tool.lock import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_leaves_no_file_behind(tmp_path: Path) -> None:
    with exclusive(tmp_path / "root/one"):
        assert (tmp_path / "root/one.lock").read_text() == str(os.getpid())
    assert not (tmp_path / "root").exists()


def test_a_second_process_is_told_who_holds_the_lock_and_may_go_on_when_it_is_killed(
    tmp_path: Path,
) -> None:
    argv = [sys.executable, "-c", _HOLDER, str(tmp_path / "one")]
    with subprocess.Popen(argv, cwd=CHECKOUT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(ClusterToolError, match=f"Process {holder.pid} is changing"),
            exclusive(tmp_path / "one"),
        ):
            pytest.fail("the lock was given twice")
        holder.kill()
    with exclusive(tmp_path / "one"):
        assert (tmp_path / "one.lock").exists()


def test_two_clusters_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with exclusive(tmp_path / "one"), exclusive(tmp_path / "two"):
        assert {path.name for path in tmp_path.iterdir()} == {"one.lock", "two.lock"}
