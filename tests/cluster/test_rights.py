"""The operator works with exactly the rights that the chart gives it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.chart.helm import CHART, NAMESPACE, RELEASE, ROOT, objects, run_helm
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.pki import Identity
from tests.cluster_tool.ports import free_ports

pytestmark = pytest.mark.cluster

USER = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
"""The operator, as the API server names it."""

GROUPS = ("system:serviceaccounts", f"system:serviceaccounts:{NAMESPACE}")
"""Groups of every service account of the namespace."""

AUDIT_POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
"""
"""One line for each request."""

WORK = """
apiVersion: actor-operator.dev/v1alpha1
kind: Actor
metadata: {name: quick, namespace: default}
spec:
  builds: [{number: 1.0.1, image: "localhost/simulated:simulate-1s"}]
  taggedBuilds: {latest: 1.0.1}
---
apiVersion: actor-operator.dev/v1alpha1
kind: Actor
metadata: {name: endless, namespace: default}
spec:
  builds: [{number: 1.0.1, image: "localhost/simulated:endless"}]
  taggedBuilds: {latest: 1.0.1}
---
apiVersion: actor-operator.dev/v1alpha1
kind: ActorRun
metadata: {name: succeeds, namespace: default}
spec: {actor: quick}
---
apiVersion: actor-operator.dev/v1alpha1
kind: ActorRun
metadata: {name: times-out, namespace: default}
spec: {actor: endless, timeoutSecs: 1}
---
apiVersion: actor-operator.dev/v1alpha1
kind: ActorRun
metadata: {name: aborted-at-once, namespace: default}
spec: {actor: endless}
---
apiVersion: actor-operator.dev/v1alpha1
kind: ActorRun
metadata: {name: aborted-gracefully, namespace: default}
spec: {actor: endless}
"""
"""A run for each way in which the operator ends one."""

ENDS = {
    "succeeds": "SUCCEEDED",
    "times-out": "TIMED-OUT",
    "aborted-at-once": "ABORTED",
    "aborted-gracefully": "ABORTED",
}
"""How each run ends."""


@pytest.fixture
def audit_log(tmp_path: Path) -> Path:
    """File into which the API server writes each request."""
    (tmp_path / "policy.yaml").write_text(AUDIT_POLICY)
    return tmp_path / "audit.log"


@pytest.fixture
def control_plane(audit_log: Path) -> Iterator[ControlPlane]:
    """A cluster with the chart, that keeps an audit log."""
    flags = [
        f"--audit-log-path={audit_log}",
        f"--audit-policy-file={audit_log.with_name('policy.yaml')}",
    ]
    with ControlPlane(simulated_nodes=1, extra={"kube-apiserver": flags}) as found:
        arguments = (f"--namespace={NAMESPACE}", "--create-namespace")
        run_helm("install", RELEASE, str(CHART), *arguments, f"--kubeconfig={found.kubeconfig}")
        yield found


@pytest.fixture
def operator(control_plane: ControlPlane, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The operator's process with the chart's settings, as the chart's service account."""
    probes, metrics = free_ports(2)
    (config,) = (
        found
        for found in objects(
            f"--set=settings.probes.probesPort={probes}",
            f"--set=settings.probes.metricsPort={metrics}",
            "--set=settings.probes.host=127.0.0.1",
        )
        if found["kind"] == "ConfigMap"
    )
    settings = tmp_path / "settings.yaml"
    settings.write_text(config["data"]["settings.yaml"])
    keys = control_plane.authority.issue("operator", Identity(USER, GROUPS))
    environment = {
        **os.environ,
        "KUBECONFIG": str(control_plane.write_kubeconfig("operator", keys)),
        "PYTHONPATH": str(ROOT / "operator"),
    }
    with (
        (tmp_path / "operator.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "actor_operator", "operator", "--settings", str(settings)],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        yield process
        process.terminate()
        process.wait(timeout=30)


def requests_of_the_operator(audit_log: Path) -> list[dict[str, Any]]:
    """What the operator asked the API server."""
    lines = (json.loads(line) for line in audit_log.read_text().splitlines())
    return [line for line in lines if line["user"]["username"] == USER]


def test_every_request_of_the_operator_is_allowed(
    control_plane: ControlPlane, operator: subprocess.Popen[bytes], audit_log: Path
) -> None:
    kubectl = Kubectl(control_plane.kubeconfig)
    kubectl.apply(WORK)
    for name, mode in (("aborted-at-once", "Immediate"), ("aborted-gracefully", "Graceful")):
        kubectl.run(
            "wait", f"actorrun/{name}", "--for=jsonpath={.status.phase}=RUNNING", "--timeout=60s"
        )
        abort = {"spec": {"abort": {"attempt": 1, "mode": mode}}}
        kubectl.run("patch", f"actorrun/{name}", "--type=merge", f"--patch={json.dumps(abort)}")
    kubectl.run("wait", "actorruns", "--all", "--for=condition=Finished", "--timeout=120s")

    found = yaml.safe_load(kubectl.run("get", "actorruns", "-o=yaml"))["items"]
    assert {run["metadata"]["name"]: run["status"]["phase"] for run in found} == ENDS
    expire = {"spec": {"ttlSecondsAfterFinished": 0}}
    kubectl.run("patch", "actorrun/succeeds", "--type=merge", f"--patch={json.dumps(expire)}")
    kubectl.run("wait", "actorrun/succeeds", "--for=delete", "--timeout=60s")
    answers = requests_of_the_operator(audit_log)
    # What the rights allow may still be refused by admission: a namespace so new that it has no
    # ServiceAccount yet.
    refused = [
        one
        for one in answers
        if one["responseStatus"]["code"] == 403
        and one["annotations"].get("authorization.k8s.io/decision") != "allow"
    ]
    assert answers
    assert refused == []
