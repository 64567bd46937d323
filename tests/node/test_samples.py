"""Every sample, applied as a user does, on a real node."""

import time
from dataclasses import dataclass
from typing import Any
from unittest.mock import ANY

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
    exit_code: Any
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
    # An evicted pod's log goes with its container, and its exit code may be told too late.
    Expected("run-disk.yaml", "out-of-disk", "FAILED", ANY, "StorageLimitExceeded", ""),
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


def test_applying_every_sample_again_changes_nothing_of_the_runs_that_have_ended(
    installed: Installed,
) -> None:
    user = installed.user
    for expected in ENDS:
        user.wait(expected.run, expected.phase, 120)
    before = {expected.run: _settled(user, expected.run) for expected in ENDS}

    for manifest in sorted(SAMPLES.glob("*.yaml")):
        said = installed.kubectl.run("apply", "-f", str(manifest)).splitlines()
        # stringData of a Secret is written anew by each client-side apply.
        assert all("unchanged" in line for line in said if not line.startswith("secret/")), said

    assert {name: user.get("actorrun", name) for name in before} == before


def _settled(user: User, run: str) -> dict[str, Any]:
    """An ended run once nothing of it is left to be cleaned up."""
    deadline = time.monotonic() + 60
    while user.status(run).get("cleanup"):
        assert time.monotonic() < deadline, f"{run} is not cleaned up"
        time.sleep(0.3)
    found = user.get("actorrun", run)
    assert found is not None
    return found
