"""Control groups of a cluster's nodes, for both versions of the kernel's interface."""

import time
from pathlib import Path

from tests.cluster_tool.errors import ClusterToolError

ROOT = Path("/sys/fs/cgroup")
"""Where Linux mounts them."""

_V2_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "pids")
_REMOVE_SECONDS = 10.0


def is_v2(root: Path = ROOT) -> bool:
    """Whether the machine has the one tree of version 2."""
    return (root / "cgroup.controllers").is_file()


def parent(cluster: str) -> str:
    """Name of the group that holds all groups of a cluster."""
    return f"actor-operator-{cluster}"


def create(cluster: str, node: str, root: Path = ROOT) -> str:
    """Make the group of one node and return its path, as a kubelet's `cgroupRoot` wants it.

    Raises
    ------
    ClusterToolError
        The kernel does not let us.
    """
    path = f"{parent(cluster)}/{node}"
    try:
        if is_v2(root):
            _create_v2(root, path)
        else:
            for controller in _v1_controllers(root):
                _create_v1(controller, path)
    except OSError as error:
        raise ClusterToolError(
            f"Control groups cannot be made under {root}: {error}. The local cluster needs root "
            "on the machine itself, or in a container that may write there."
        ) from error
    return f"/{path}"


def remove(cluster: str, root: Path = ROOT) -> None:
    """Remove all groups of a cluster, whose processes have ended.

    Raises
    ------
    ClusterToolError
        A group still holds a process.
    """
    # Beside the trees of version 1 there may be one of version 2, where runc makes groups too.
    trees = [root] if is_v2(root) else [path.parent for path in root.glob("*/cgroup.procs")]
    deadline = time.monotonic() + _REMOVE_SECONDS
    for tree in trees:
        top = tree / parent(cluster)
        # The kernel may need a moment to let go of a group whose last process was killed.
        while top.is_dir() and (left := _remove_tree(top)):
            if time.monotonic() > deadline:
                raise ClusterToolError(f"The control group {left} cannot be removed: it is in use.")
            time.sleep(0.05)


def _remove_tree(top: Path) -> Path | None:
    """Remove a group and those beneath; the first that could not be removed, if any."""
    for group in sorted((p for p in top.rglob("*") if p.is_dir()), reverse=True):
        try:
            group.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return group
    try:
        top.rmdir()
    except OSError:
        return top
    return None


def _v1_controllers(root: Path) -> list[Path]:
    """Trees of version 1; aliases such as `cpu` for `cpu,cpuacct` count once."""
    return [
        path
        for path in sorted(root.iterdir())
        if path.is_dir() and not path.is_symlink() and (path / "tasks").is_file()
    ]


def _create_v1(controller: Path, path: str) -> None:
    group = controller
    for name in path.split("/"):
        above, group = group, group / name
        group.mkdir(exist_ok=True)
        # A new cpuset is empty, and nothing may enter it before it has processors and memory.
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if (above / setting).is_file():
                (group / setting).write_text((above / setting).read_text())


def _create_v2(root: Path, path: str) -> None:
    group = root
    available = (root / "cgroup.controllers").read_text().split()
    wanted = " ".join(f"+{name}" for name in _V2_CONTROLLERS if name in available)
    for name in path.split("/"):
        (group / "cgroup.subtree_control").write_text(wanted)
        group = group / name
        group.mkdir(exist_ok=True)
