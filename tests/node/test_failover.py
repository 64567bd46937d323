"""The leader is lost while runs are going, on a real node."""

import json
import time
from collections.abc import Callable

import pytest
from tests.node.conftest import Installed
from tests.support.installation import NAMESPACE, REGISTRY

pytestmark = [pytest.mark.node, pytest.mark.timeout(240)]

RUNS = [f"going-{number}" for number in range(6)]


@pytest.mark.fault("C5")
def test_the_standby_takes_over_and_no_run_gets_a_second_pod(
    installed: Installed, record_property: Callable[[str, object], None]
) -> None:
    user = installed.user
    user.make_actor("sleeper", f"{REGISTRY}/sleeper:1")
    for name in RUNS:
        user.start(name, "sleeper", memoryMbytes=128, input={"seconds": 15})
    user.wait(RUNS[0], "RUNNING")

    killed = _kill_leader(installed)
    begun = time.monotonic()
    statuses = {name: user.wait(name, "SUCCEEDED", 90) for name in RUNS}

    record_property("seconds_to_the_end", round(time.monotonic() - begun, 1))
    for name, status in statuses.items():
        pods = user.run_kubectl("get", "pods", "-l", f"actor-operator.dev/run={name}", "-o", "name")
        assert pods.split() == [f"pod/{status['podName']}"]
    assert _leader_pod(installed) != killed
    installed.kubectl.run(
        "-n",
        NAMESPACE,
        "rollout",
        "status",
        "deployment",
        "--timeout=60s",
        "-l",
        "app.kubernetes.io/name=actor-operator",
    )


def _kill_leader(installed: Installed) -> str:
    """Kill the leader's pod without any grace; returns its name."""
    name = _leader_pod(installed)
    installed.kubectl.run("-n", NAMESPACE, "delete", "pod", name, "--grace-period=0", "--force")
    return name


def _leader_pod(installed: Installed) -> str:
    """The pod whose uid stands in the lease."""
    lease = json.loads(installed.kubectl.run("-n", NAMESPACE, "get", "lease", "-o", "json"))
    holder = lease["items"][0]["spec"]["holderIdentity"].partition("_")[0]
    pods = json.loads(installed.kubectl.run("-n", NAMESPACE, "get", "pods", "-o", "json"))["items"]
    return next((p["metadata"]["name"] for p in pods if p["metadata"]["uid"] == holder), "")
