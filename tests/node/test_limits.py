"""What a container is really allowed, as the kernel sees it."""

import json
from typing import Any

import pytest
from tests.node.conftest import Installed
from tests.support.installation import REGISTRY
from tests.support.user import User

pytestmark = [pytest.mark.node, pytest.mark.timeout(180)]

MEBIBYTE = 1024 * 1024

BASELINE_CAPABILITIES = 0b11101011
"""CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID by the kernel's numbers 0, 1, 3, 5, 6, 7."""


@pytest.fixture(scope="module")
def report(installed: Installed) -> dict[str, Any]:
    """What a run with 512 MB found out about itself."""
    user = installed.user
    user.make_actor("inspector", f"{REGISTRY}/inspector:1")
    user.start("inspected", "inspector", memoryMbytes=512, timeoutSecs=60, input={"a": [1, "ü"]})
    user.wait("inspected", "SUCCEEDED")
    return dict(json.loads(user.log("inspected")))


def test_memory_is_limited_to_what_the_run_has(report: dict[str, Any]) -> None:
    assert report["memory"] == 512 * MEBIBYTE


def test_the_processor_is_limited_to_one_core_for_each_4096_mb(report: dict[str, Any]) -> None:
    assert report["cores"] == pytest.approx(512 / 4096, abs=0.001)


def test_shared_memory_is_half_of_the_memory(report: dict[str, Any]) -> None:
    assert report["shared_memory"] == 256 * MEBIBYTE


def test_root_keeps_only_the_capabilities_of_the_profile(report: dict[str, Any]) -> None:
    assert report["uid"] == 0
    assert int(report["capabilities"], 16) == BASELINE_CAPABILITIES
    assert report["no_new_privileges"] == "1"
    assert report["seccomp"] == "2"


def test_there_is_no_way_to_the_api_server(report: dict[str, Any]) -> None:
    assert report["token"] is False


def test_the_environment_is_apifys(report: dict[str, Any], user: User) -> None:
    environment, status = report["environment"], user.status("inspected")

    assert json.loads(environment["ACTOR_INPUT_JSON"]) == {"a": [1, "ü"]}
    assert environment["ACTOR_RUN_ID"] == environment["APIFY_ACTOR_RUN_ID"] == status["runId"]
    assert environment["ACTOR_MEMORY_MBYTES"] == "512"
    assert environment["APIFY_DEDICATED_CPUS"] == "0.125"
    assert environment["ACTOR_DEFAULT_DATASET_ID"] == status["defaultDatasetId"]
    assert environment["ACTOR_WEB_SERVER_PORT"] == environment["APIFY_CONTAINER_PORT"] == "4321"
    assert "INSPECTED_PORT" not in " ".join(environment), "service links are off"


def test_the_environment_secret_is_gone_after_the_end(report: dict[str, Any], user: User) -> None:
    secrets = json.loads(user.run_kubectl("get", "secrets", "-o", "json"))["items"]

    assert not [s for s in secrets if s["metadata"]["name"].startswith("inspected-")]


def test_an_entry_point_may_drop_root(user: User) -> None:
    user.make_actor("drop-root", f"{REGISTRY}/drop-root:1")
    user.start("dropped", "drop-root", memoryMbytes=128)

    user.wait("dropped", "SUCCEEDED")

    assert user.log("dropped").splitlines() == ["Started as 0", "Going on as 1000"]


def test_an_image_that_is_not_there_is_told_while_it_is_waited_for(user: User) -> None:
    user.make_actor("nowhere", f"{REGISTRY}/nowhere:1")
    user.start("pulling", "nowhere", memoryMbytes=128)

    user.run_kubectl(
        "wait",
        "actorrun/pulling",
        '--for=jsonpath={.status.conditions[?(@.type=="Started")].reason}=ImagePullBackOff',
        "--timeout=60s",
    )

    assert user.status("pulling")["phase"] == "READY"
    user.abort("pulling")
    status = user.wait("pulling", "ABORTED")
    assert "exitCode" not in status
