"""Which way of getting a cluster fits this machine."""

import os
import shutil
import sys

from tests.cluster_tool import state
from tests.cluster_tool.errors import MissingError
from tests.cluster_tool.paths import state_dir
from tests.cluster_tool.providers.base import Provider
from tests.cluster_tool.providers.existing import ExistingProvider
from tests.cluster_tool.providers.kind import KindProvider, docker_answers
from tests.cluster_tool.providers.local import LocalProvider

NAMES = ("auto", "existing", "kind", "local")
"""Values of `--provider` and of the variable CLUSTER."""


def provider(wanted: str, cluster: str) -> Provider:
    """The provider that is wanted, or with `auto` the first that can.

    `existing` is never chosen by itself: a KUBECONFIG left in the environment must not make a
    test run against somebody's cluster.

    Raises
    ------
    MissingError
        No provider can work on this machine.
    """
    if wanted == "auto":
        wanted = _running_as(cluster) or _first_possible()
    if wanted == "existing":
        return ExistingProvider()
    if wanted == "kind":
        return KindProvider(cluster)
    return LocalProvider(cluster)


def _running_as(cluster: str) -> str | None:
    """Provider of the cluster that runs under this name."""
    known = state.load(state_dir(cluster))
    return known.provider if known else None


def _first_possible() -> str:
    if shutil.which("kind") and docker_answers():
        return "kind"
    if sys.platform == "linux" and os.geteuid() == 0:
        return "local"
    raise MissingError(
        "No cluster can be made here. Either run as root on Linux (Debian 12 or newer), or start "
        "a Docker engine and install kind, or set CLUSTER=existing and KUBECONFIG."
    )
