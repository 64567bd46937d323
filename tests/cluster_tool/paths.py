"""Where the tool keeps things: a cache that is safe to delete, and one state folder a cluster."""

import os
import re
from pathlib import Path

from tests.cluster_tool.errors import ClusterToolError

SOURCE = Path(__file__).resolve().parent
"""Folder of this package."""

CHECKOUT = SOURCE.parent.parent
"""The project's checkout."""

DEFAULT_NAME = "actor-operator"
"""Name of the cluster when none is given."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")


def cache_dir() -> Path:
    """Folder of what was built or downloaded; made on the first use."""
    given = os.environ.get("ACTOR_OPERATOR_CACHE")
    if given:
        path = Path(given)
    else:
        path = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "actor-operator"
    path = path.resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


def state_root() -> Path:
    """Folder that holds one folder for each running cluster.

    Not under `/run`: that is memory on most machines, and container images lie here.
    """
    return Path(os.environ.get("ACTOR_OPERATOR_STATE") or "/var/lib/actor-operator").resolve()


def state_dir(name: str) -> Path:
    """Folder of one cluster's keys, data, logs and kubeconfig; absent while it does not run.

    Raises
    ------
    ClusterToolError
        The name would not do as a host name and a folder name.
    """
    if not _NAME.fullmatch(name):
        raise ClusterToolError(
            f"{name!r} cannot be a cluster's name: use 1 to 32 of a-z, 0-9 and '-', "
            "with a letter or digit at both ends."
        )
    return state_root() / name
