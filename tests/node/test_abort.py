"""Aborting real containers."""

import pytest
from tests.support.installation import REGISTRY
from tests.support.user import User

pytestmark = [pytest.mark.node, pytest.mark.timeout(180)]


@pytest.fixture(autouse=True)
def actor(user: User) -> None:
    user.make_actor("signal-printer", f"{REGISTRY}/signal-printer:1")


def test_an_immediate_abort_ends_the_container_at_once_and_takes_the_pod(user: User) -> None:
    user.start("cut-off", "signal-printer", memoryMbytes=128)
    pod = user.wait("cut-off", "RUNNING")["podName"]

    user.abort("cut-off")
    status = user.wait("cut-off", "ABORTED", 20)

    assert {c["reason"] for c in status["conditions"] if c["type"] == "TerminationTarget"} == {
        "AbortImmediate"
    }
    user.run_kubectl("wait", "--for=delete", f"pod/{pod}", "--timeout=20s")


def test_a_graceful_abort_lets_the_actor_end_and_keeps_its_log(user: User) -> None:
    user.start("wound-up", "signal-printer", memoryMbytes=128)
    user.wait("wound-up", "RUNNING")
    # The kernel drops a SIGTERM for a first process that does not handle it yet.
    user.wait_for_log("wound-up", "Waiting for signals")

    user.abort("wound-up", "Graceful")
    status = user.wait("wound-up", "ABORTED", 40)

    # The actor ended with 0, and was aborted all the same.
    assert status["exitCode"] == 0
    assert "Got SIGTERM" in user.log("wound-up")
    assert "Ending with exit code 0" in user.log("wound-up")


def test_deleting_a_run_removes_its_pod_and_secret(user: User) -> None:
    user.start("deleted", "signal-printer", memoryMbytes=128)
    pod = user.wait("deleted", "RUNNING")["podName"]

    user.run_kubectl("delete", "actorrun", "deleted", "--timeout=20s")

    user.run_kubectl("wait", "--for=delete", f"pod/{pod}", "--timeout=60s")
    assert "deleted-" not in user.run_kubectl("get", "secrets", "-o", "name")
