"""The control plane of the tests themselves: its API server, and its simulated nodes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cluster_tool import http_probe
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.paths import CHECKOUT

pytestmark = pytest.mark.cluster

_SECONDS = "actor-operator.dev/simulate-seconds"
_EXIT_CODE = "actor-operator.dev/simulate-exit-code"

_PARENT = """
import time
from tests.cluster_tool.control_plane import ControlPlane
with ControlPlane() as control_plane:
    print(control_plane.folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    audit = tmp_path_factory.mktemp("audit") / "audit.log"
    policy = audit.with_name("policy.yaml")
    policy.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n")
    flags = [f"--audit-log-path={audit}", f"--audit-policy-file={policy}"]
    try:
        with ControlPlane(simulated_nodes=2, extra={"kube-apiserver": flags}) as started:
            yield started
    except ClusterToolError as error:
        pytest.skip(f"no control plane: {error}")


@pytest.fixture
def kubectl(control_plane: ControlPlane) -> Kubectl:
    return Kubectl(control_plane.kubeconfig)


def _create(
    kubectl: Kubectl,
    name: str,
    *,
    image: str = "anything:1",
    annotations: dict[str, str] | None = None,
    deadline: int | None = None,
) -> None:
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "containers": [{"name": "c", "image": image}],
    }
    if deadline:
        spec["activeDeadlineSeconds"] = deadline
    metadata = {"name": name, "annotations": annotations or {}}
    kubectl.apply(
        json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    )


def _status(kubectl: Kubectl, name: str) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(kubectl.run("get", "pod", name, "-o", "json"))["status"]
    return status


def _ended(kubectl: Kubectl, name: str) -> tuple[str, int, str]:
    """Phase, exit code and reason of a pod, once its container has ended."""
    _wait(lambda: _status(kubectl, name).get("phase") in {"Failed", "Succeeded"})
    status = _status(kubectl, name)
    ended = status["containerStatuses"][0]["state"]["terminated"]
    return status["phase"], ended["exitCode"], ended["reason"]


def _wait(ready: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_simulated_pod_runs_until_it_is_deleted(kubectl: Kubectl) -> None:
    _create(kubectl, "for-ever")
    _wait(lambda: _status(kubectl, "for-ever").get("phase") == "Running")
    assert _status(kubectl, "for-ever")["podIP"]
    kubectl.run("delete", "pod", "for-ever", "--timeout=10s")


@pytest.mark.parametrize(
    ("annotations", "image", "end"),
    [
        ({_SECONDS: "0.5"}, "x:1", ("Succeeded", 0, "Completed")),
        ({_SECONDS: "0.5", _EXIT_CODE: "3"}, "x:1", ("Failed", 3, "Error")),
        ({}, "x:simulate-0.5s", ("Succeeded", 0, "Completed")),
        ({}, "x:simulate-0.5s-exit-4", ("Failed", 4, "Error")),
        ({}, "x:simulate-exit-137-oom", ("Failed", 137, "OOMKilled")),
    ],
    ids=["annotation", "exit-annotation", "tag", "exit-tag", "oom-tag"],
)
def test_a_simulated_pod_ends_as_it_is_told(
    kubectl: Kubectl,
    annotations: dict[str, str],
    image: str,
    end: tuple[str, int, str],
    request: pytest.FixtureRequest,
) -> None:
    name = f"ends-{request.node.callspec.id}"
    _create(kubectl, name, image=image, annotations=annotations)
    assert _ended(kubectl, name) == end


def test_a_simulated_pod_meets_its_deadline(kubectl: Kubectl) -> None:
    _create(kubectl, "deadline", annotations={_SECONDS: "60"}, deadline=1)
    assert _ended(kubectl, "deadline") == ("Failed", 143, "Error")
    assert _status(kubectl, "deadline")["reason"] == "DeadlineExceeded"


def test_a_deadline_that_is_set_later_ends_a_simulated_pod(kubectl: Kubectl) -> None:
    _create(kubectl, "stopped")
    _wait(lambda: _status(kubectl, "stopped").get("phase") == "Running")
    change = json.dumps({"spec": {"activeDeadlineSeconds": 1}})
    kubectl.run("patch", "pod", "stopped", "--type=merge", "-p", change)
    assert _ended(kubectl, "stopped")[0] == "Failed"


def test_a_job_completes_on_simulated_nodes(kubectl: Kubectl) -> None:
    kubectl.run("create", "job", "one", "--image=x:simulate-0.2s")
    kubectl.run("wait", "--for=condition=Complete", "job/one", "--timeout=20s")


def test_the_api_server_takes_further_flags(control_plane: ControlPlane, kubectl: Kubectl) -> None:
    kubectl.run("get", "--raw", "/api/v1/namespaces/default")
    flags = Path(f"/proc/{control_plane.pid('kube-apiserver')}/cmdline").read_bytes().split(b"\0")
    path = next(flag for flag in flags if flag.startswith(b"--audit-log-path="))
    assert "/api/v1/namespaces/default" in Path(path.decode().partition("=")[2]).read_text()


def test_a_killed_api_server_comes_back_with_its_data(
    control_plane: ControlPlane, kubectl: Kubectl
) -> None:
    kubectl.run("create", "configmap", "kept")
    control_plane.kill_api_server()
    assert http_probe.get(f"{control_plane.url}/readyz", http_probe.tls_context(None))[0] == 0
    control_plane.start_api_server()
    assert kubectl.run("get", "configmap", "kept", "-o", "name") == "configmap/kept\n"


def test_nothing_runs_on_when_the_test_run_is_killed() -> None:
    argv = [sys.executable, "-c", _PARENT]
    with subprocess.Popen(argv, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        folder = parent.stdout.readline().strip()
        assert _processes(folder)
        os.kill(parent.pid, signal.SIGKILL)
    _wait(lambda: not _processes(folder))
    shutil.rmtree(folder)  # the one who was killed could not


def _processes(text: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if text.encode() in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found
