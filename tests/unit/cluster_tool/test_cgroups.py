"""Control groups, on folders that look like the kernel's."""

from pathlib import Path

from tests.cluster_tool import cgroups


def _version_1(root: Path) -> None:
    for name in ("cpuset", "memory"):
        (root / name).mkdir()
        (root / name / "tasks").touch()
        (root / name / "cgroup.procs").touch()
    (root / "cpuset/cpuset.cpus").write_text("0-1\n")
    (root / "cpuset/cpuset.mems").write_text("0\n")
    (root / "memory-alias").symlink_to("memory")
    (root / "unified").mkdir()
    (root / "unified/cgroup.procs").touch()


def test_version_1_makes_a_group_in_every_tree_and_fills_the_cpuset(tmp_path: Path) -> None:
    _version_1(tmp_path)
    assert not cgroups.is_v2(tmp_path)
    assert cgroups.create("demo", "node1", tmp_path) == "/actor-operator-demo/node1"
    group = tmp_path / "cpuset/actor-operator-demo"
    # The kernel makes these files; here they are written by us alone.
    assert (tmp_path / "memory/actor-operator-demo/node1").is_dir()
    assert (group / "cpuset.cpus").read_text() == "0-1\n"
    assert (group / "node1/cpuset.mems").read_text() == "0\n"


def test_version_2_passes_its_controllers_down(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids hugetlb\n")
    assert cgroups.is_v2(tmp_path)
    assert cgroups.create("demo", "node1", tmp_path) == "/actor-operator-demo/node1"
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    inner = tmp_path / "actor-operator-demo/cgroup.subtree_control"
    assert inner.read_text() == "+cpu +memory +pids"
    assert (tmp_path / "actor-operator-demo/node1").is_dir()


def test_removal_takes_every_tree_and_only_this_cluster(tmp_path: Path) -> None:
    _version_1(tmp_path)
    for tree in ("memory", "unified"):
        (tmp_path / tree / "actor-operator-demo/node1/kubepods/pod-1").mkdir(parents=True)
        (tmp_path / tree / "actor-operator-other/node1").mkdir(parents=True)
    cgroups.remove("demo", tmp_path)
    assert not list(tmp_path.glob("*/actor-operator-demo"))
    others = {path.resolve() for path in tmp_path.glob("*/actor-operator-other/node1")}
    assert len(others) == 2
    cgroups.remove("demo", tmp_path)
