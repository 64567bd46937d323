"""Helm waits for a run in a real container, as a user of docs/gitops.md does."""

from collections.abc import Iterator

import pytest
from tests.cluster_tool.errors import CommandError
from tests.node.conftest import Installed
from tests.support.installation import REGISTRY, ROOT, helm

pytestmark = [pytest.mark.node, pytest.mark.timeout(180)]

EXAMPLE = ROOT / "manifests" / "gitops" / "chart"
"""A chart that holds a run."""


@pytest.fixture(autouse=True)
def release(installed: Installed) -> Iterator[None]:
    """The release of a test is gone afterwards."""
    yield
    helm(installed.kubeconfig, "uninstall", "report", "--wait", "--ignore-not-found")


def _upgrade(installed: Installed, *values: str) -> str:
    """Install the example, or upgrade it."""
    arguments = ("upgrade", "--install", "report", str(EXAMPLE), "--wait", "--timeout=100s")
    return helm(installed.kubeconfig, *arguments, *values)


def test_a_release_is_deployed_when_its_run_has_succeeded(installed: Installed) -> None:
    installed.user.make_actor("greeter", f"{REGISTRY}/hello-world:1")

    assert "STATUS: deployed" in _upgrade(installed, "--set=run.actor=greeter")

    (name,) = installed.user.run_kubectl(
        "get", "actorruns", "-l", "app.kubernetes.io/managed-by=Helm", "-o", "name"
    ).split()
    assert installed.user.status(name.partition("/")[2])["phase"] == "SUCCEEDED"


def test_a_release_fails_at_once_with_the_cause_when_its_run_needs_more_memory(
    installed: Installed,
) -> None:
    installed.user.make_actor("hungry", f"{REGISTRY}/memory-hog:1")

    with pytest.raises(CommandError) as failure:
        _upgrade(installed, "--set=run.actor=hungry", "--set=run.memoryMbytes=128")

    said = str(failure.value)
    assert "status: Failed, message: The actor used more than its 128 MB" in said
    assert "deadline exceeded" not in said
