"""One local cluster for the whole level, with the operator installed by Helm."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cluster_tool.images.build import Build, build
from tests.cluster_tool.kubectl import Kubectl
from tests.support.installation import REGISTRY, install_operator, project_images
from tests.support.user import User

NAME = "node-test"
"""The cluster of these tests; others may run beside it."""

IMAGES = Path(__file__).parent / "images"
"""Images that only tests need."""

SMALL_CLUSTER = ("settings.pod.cpuRequestFraction=0.1", "settings.pod.diskRequestFraction=0.1")
"""Values for one machine: limits stay, requests are lowered so that several runs fit."""


@dataclass(frozen=True)
class Installed:
    """A cluster with the operator on it."""

    kubeconfig: Path
    kubectl: Kubectl
    user: User


@pytest.fixture(scope="session")
def installed() -> Iterator[Installed]:
    """The cluster, our images on its node, and the operator."""
    cluster_tool("down")
    up = cluster_tool("up", "--api-port=16443", "--http-port=18080", check=False)
    if up.returncode:
        pytest.skip(f"no local cluster: {up.stderr.strip()[-500:]}")
    try:
        archives = [str(build(image)) for image in [*project_images(), *_own_images()]]
        cluster_tool("load-image", *archives)
        kubeconfig = Path(cluster_tool("kubeconfig").stdout.strip())
        install_operator(kubeconfig, *SMALL_CLUSTER)
        kubectl = Kubectl(kubeconfig)
        yield Installed(kubeconfig, kubectl, User(kubectl))
    finally:
        cluster_tool("down")


@pytest.fixture
def user(installed: Installed) -> User:
    """Someone with kubectl."""
    return installed.user


def _own_images() -> list[Build]:
    folders = sorted(path.parent for path in IMAGES.glob("*/Dockerfile"))
    return [Build(f"{REGISTRY}/{f.name}:1", f / "Dockerfile", f) for f in folders]


def cluster_tool(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the cluster tool as its users do: what it starts outlives it."""
    argv = [sys.executable, "-m", "tests.cluster_tool", "--name", NAME, *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=check)
