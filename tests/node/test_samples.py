"""Every sample, applied as a user does, on a real node."""

from dataclasses import dataclass

import pytest
from tests.node.conftest import Installed
from tests.support.installation import SAMPLES
from tests.support.user import User

pytestmark = [pytest.mark.node, pytest.mark.timeout(240)]


@dataclass(frozen=True)
class Expected:
    """What becomes of a run."""

    manifest: str
    run: str
    phase: str
    exit_code: int | None
    reason: str
    says: str
    """Something in its log."""


ENDS = [
    Expected("run.yaml", "hello", "SUCCEEDED", 0, "Completed", "Hello, Kubernetes"),
    Expected("run-failing.yaml", "failing", "FAILED", 3, "ContainerFailed", "exit code 3"),
    Expected("run-timeout.yaml", "too-slow", "TIMED-OUT", 143, "TimedOut", "Stopped by SIGTERM"),
    Expected("run-memory.yaml", "out-of-memory", "FAILED", 137, "OOMKilled", ""),
    Expected("run-memory.yaml", "within-memory", "SUCCEEDED", 0, "Completed", ""),
    Expected("run-build.yaml", "hello-beta", "SUCCEEDED", 0, "Completed", "Hello"),
    Expected("public-actor.yaml", "greeting", "SUCCEEDED", 0, "Completed", "Hello"),
    # An evicted pod's log goes with its container.
    Expected("run-disk.yaml", "out-of-disk", "FAILED", 137, "StorageLimitExceeded", ""),
]


@pytest.fixture(scope="module", autouse=True)
def applied(installed: Installed) -> None:
    """All samples at once: they run side by side."""
    user = installed.user
    user.delete_all()
    for manifest in sorted(SAMPLES.glob("*.yaml")):
        installed.kubectl.run("apply", "-f", str(manifest))


@pytest.mark.parametrize("expected", ENDS, ids=lambda e: e.run)
def test_a_sample_run_ends_as_its_comment_says(user: User, expected: Expected) -> None:
    status = user.wait(expected.run, expected.phase, 120)

    assert status.get("exitCode") == expected.exit_code
    conditions = {c["type"]: c for c in status["conditions"]}
    assert conditions["Succeeded"]["reason"] == expected.reason
    if expected.says:
        assert expected.says in user.log(expected.run)
