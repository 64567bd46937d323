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
from tests.chart.helm import (
    CHART,
    HTTP_ROUTE,
    INGRESS,
    NAMESPACE,
    RELEASE,
    ROOT,
    WITHOUT_API,
    objects,
    run_helm,
)
from tests.cluster_tool.addons import apply_gateway_crds
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.pki import Identity
from tests.cluster_tool.ports import free_ports

from actor_operator.constants import GROUP

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


ADMIN_MAY_CHANGE_ROUTES = "--set=admissionPolicies.routeWriters[0]=admin"
"""Lets this test spoil what the operator made, so that it repairs it."""

MODES: dict[str, tuple[str, ...]] = {
    "without URLs": (),
    "with Ingresses": (*INGRESS, ADMIN_MAY_CHANGE_ROUTES),
    "with HTTPRoutes": (*HTTP_ROUTE, ADMIN_MAY_CHANGE_ROUTES),
}
"""Values of the chart, by how runs get URLs."""

ROUTES = {"with Ingresses": "ingresses", "with HTTPRoutes": "httproutes"}
"""What leads a host to a run."""


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """How runs get URLs."""
    return str(request.param)


@pytest.fixture
def audit_log(tmp_path: Path) -> Path:
    """File into which the API server writes each request."""
    (tmp_path / "policy.yaml").write_text(AUDIT_POLICY)
    return tmp_path / "audit.log"


@pytest.fixture
def control_plane(mode: str, audit_log: Path) -> Iterator[ControlPlane]:
    """A cluster with the chart, that keeps an audit log."""
    flags = [
        f"--audit-log-path={audit_log}",
        f"--audit-policy-file={audit_log.with_name('policy.yaml')}",
    ]
    with ControlPlane(simulated_nodes=1, extra={"kube-apiserver": flags}) as found:
        apply_gateway_crds(Kubectl(found.kubeconfig))
        arguments = (f"--namespace={NAMESPACE}", "--create-namespace", WITHOUT_API, *MODES[mode])
        run_helm("install", RELEASE, str(CHART), *arguments, f"--kubeconfig={found.kubeconfig}")
        yield found


@pytest.fixture
def operator(
    mode: str, control_plane: ControlPlane, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """The operator's process with the chart's settings, as the chart's service account."""
    probes, metrics = free_ports(2)
    (config,) = (
        found
        for found in objects(
            f"--set=settings.probes.probesPort={probes}",
            f"--set=settings.probes.metricsPort={metrics}",
            "--set=settings.probes.host=127.0.0.1",
            WITHOUT_API,
            *MODES[mode],
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


def verbs(answers: list[dict[str, Any]], resource: str) -> set[str]:
    """What the operator did with a kind."""
    objects_asked = (one for one in answers if one.get("objectRef", {}).get("resource") == resource)
    return {one["verb"] for one in objects_asked}


def require_repaired(kubectl: Kubectl, resource: str) -> None:
    """Spoil what leads to the run that is aborted gracefully, and wait until it is right again."""
    run, label = "aborted-gracefully", f"{GROUP}/run"
    right = f"--for=jsonpath={{.metadata.labels.{label.replace('.', chr(92) + '.')}}}={run}"
    child = kubectl.run("get", resource, f"-l={label}={run}", "-o=name").strip()
    kubectl.run("label", child, f"{label}-")
    kubectl.run("wait", child, right, "--timeout=30s")


def test_every_request_of_the_operator_is_allowed(
    mode: str, control_plane: ControlPlane, operator: subprocess.Popen[bytes], audit_log: Path
) -> None:
    kubectl = Kubectl(control_plane.kubeconfig)
    kubectl.apply(WORK)
    of_urls = ("services", ROUTES[mode]) if mode in ROUTES else ()
    for name, how in (("aborted-at-once", "Immediate"), ("aborted-gracefully", "Graceful")):
        kubectl.run(
            "wait", f"actorrun/{name}", "--for=jsonpath={.status.phase}=RUNNING", "--timeout=60s"
        )
        if how == "Graceful":
            for resource in of_urls:
                require_repaired(kubectl, resource)
        abort = {"spec": {"abort": {"attempt": 1, "mode": how}}}
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
    for resource in of_urls:
        assert verbs(answers, resource) >= {"list", "watch", "create", "patch", "delete"}
    assert verbs(answers, "networkpolicies") >= {"list", "watch", "create"}
