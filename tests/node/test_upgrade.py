"""An upgrade and the way back, with live runs: their containers and verdicts do not notice.

There is no older release yet. Its place is taken by this one under another version and image,
with other settings, and with CRDs that lack the newest fields.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster_tool.images.build import build
from tests.node.conftest import VALUES, Installed, cluster_tool
from tests.support.installation import (
    NAMESPACE,
    OPERATOR_IMAGE,
    REGISTRY,
    RELEASE,
    chart_of_version,
    helm,
    install_operator,
    operator_image,
)
from tests.support.older import NEWEST, older_crds
from tests.support.user import User

pytestmark = [pytest.mark.node, pytest.mark.timeout(600)]

THIS = OPERATOR_IMAGE.rpartition(":")[2]
"""Version of this release."""

PREVIOUS = "0.0.9"
"""Version of the release before this one."""

VERDICT = ("phase", "exitCode", "finishedAt", "startedAt", "failure", "podName", "attempt", "stats")
"""What of a finished run's status never changes."""


@pytest.fixture(scope="module")
def previous(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The chart of the release before this one; its image is on the nodes."""
    image = f"{OPERATOR_IMAGE.rpartition(':')[0]}:{PREVIOUS}"
    cluster_tool("load-image", str(build(replace(operator_image(), reference=image))))
    chart = chart_of_version(PREVIOUS, tmp_path_factory.mktemp("previous"))
    for crd in older_crds():
        (chart / "files/crds" / f"{crd['metadata']['name']}.yaml").write_text(yaml.safe_dump(crd))
    yield chart
    install_operator(installed.kubeconfig, *VALUES)


def _pods(user: User) -> dict[str, tuple[str, str, int]]:
    """Uid, container and restarts of the pod of each run."""
    found = json.loads(
        user.run_kubectl("get", "pods", "-l", "actor-operator.dev/run-uid", "-o", "json")
    )["items"]
    return {
        pod["metadata"]["labels"]["actor-operator.dev/run"]: (
            pod["metadata"]["uid"],
            pod["status"]["containerStatuses"][0].get("containerID", ""),
            pod["status"]["containerStatuses"][0]["restartCount"],
        )
        for pod in found
    }


def _verdict(status: dict[str, Any]) -> dict[str, Any]:
    return {field: status.get(field) for field in VERDICT}


def _versions(installed: Installed) -> set[str]:
    """Tags of the images of the operator's pods."""
    image = "-o=jsonpath={.items[*].spec.containers[0].image}"
    said = installed.kubectl.run(
        "-n", NAMESPACE, "get", "pods", "-l", "app.kubernetes.io/name=actor-operator", image
    )
    return {name.rpartition(":")[2] for name in said.split()}


def _knows(installed: Installed, field: str) -> bool:
    """Whether the API server knows a field of a run."""
    return field.rpartition(".")[2] in installed.kubectl.run(
        "explain", f"actorrun.{field.rpartition('.')[0]}"
    )


@pytest.mark.fault("C11")
def test_no_run_notices_an_upgrade_nor_the_way_back(installed: Installed, previous: Path) -> None:
    user = installed.user
    user.delete_all()
    install_operator(installed.kubeconfig, *VALUES, "settings.engine.workers=8", chart=previous)
    assert _versions(installed) == {PREVIOUS}
    assert not _knows(installed, NEWEST["actorruns"][0])
    user.make_actor("sleeper", f"{REGISTRY}/sleeper:1")
    user.make_actor("failer", f"{REGISTRY}/failer:1")
    user.start("succeeded", "sleeper", memoryMbytes=128, input={"seconds": 1})
    user.start("failed", "failer", memoryMbytes=128)
    live = [f"live-{number}" for number in range(4)]
    for name in live:
        user.start(name, "sleeper", memoryMbytes=128, timeoutSecs=0, input={"seconds": 3600})
    ended = {
        "succeeded": user.wait("succeeded", "SUCCEEDED"),
        "failed": user.wait("failed", "FAILED"),
    }
    for name in live:
        user.wait(name, "RUNNING")
    before = _pods(user)

    for number, version in enumerate((THIS, PREVIOUS, THIS)):
        during = f"during-{number}"
        user.start(during, "sleeper", memoryMbytes=128, input={"seconds": 10})
        user.wait(during, "RUNNING")

        if version == THIS:
            install_operator(installed.kubeconfig, *VALUES)
        else:
            where = ("--namespace", NAMESPACE, "--wait", "--timeout=120s")
            helm(installed.kubeconfig, "rollback", RELEASE, *where)

        assert _versions(installed) == {version}
        assert {name: user.status(name)["phase"] for name in live} == dict.fromkeys(live, "RUNNING")
        pods = _pods(user)
        assert {name: pods[name] for name in live} == {name: before[name] for name in live}
        for name, status in ended.items():
            assert _verdict(user.status(name)) == _verdict(status), name
        ended[during] = user.wait(during, "SUCCEEDED")
        assert ended[during]["podName"].endswith("-1")

    for name in live:
        user.abort(name)
        assert user.wait(name, "ABORTED")["podName"].endswith("-1")
