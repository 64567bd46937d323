"""Who may make and change the pods of runs: the policy of the chart on the real API server.

The tenant here has every right in the namespace, so what refuses is the policy and not a role.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.chart.helm import RELEASE
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError, CommandError
from tests.cluster_tool.kubectl import Kubectl
from tests.support.kinds import create_run
from tests.support.operators import USER, install_rights
from tests.support.policies import (
    TENANT,
    Clients,
    clients_of,
    refusal,
    refuses,
    send_patch,
    wait,
    warnings,
)
from tests.support.rest import RestClient, collection
from tests.support.restricted_pod import restricted_pod

pytestmark = pytest.mark.cluster

PODS = "/api/v1/namespaces/default/pods"

OUR = "actor-operator.dev"

POLICY = f"{RELEASE}-run-pods"

NO_FINALIZER = {"metadata": {"finalizers": None}}
"""Lets go what a test held."""

MADE = (
    "labels under actor-operator.dev/ are for pods that the operator makes; create an ActorRun,"
    " or leave these labels out"
)
LABELS = (
    "labels under actor-operator.dev/ are given by the operator to the pods of runs and never"
    " change"
)
ANNOTATIONS = "annotations under actor-operator.dev/ of a run's pod never change"
OWNERS = "a run's pod belongs to its ActorRun: its owners never change"
SPECIFICATION = (
    "the specification of a run's pod is the operator's; ask for what you want in the ActorRun"
    " (spec.abort, spec.resurrect, spec.reboot)"
)

TENANT_RIGHTS = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: everything, namespace: default}
rules: [{apiGroups: ["*"], resources: ["*"], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: everything, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: everything}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: tenant}]
"""
"""More than the cluster role admin holds."""


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    """A cluster with the chart's policies, and no operator."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(ControlPlane(simulated_nodes=1))
        except ClusterToolError as error:
            pytest.skip(f"no control plane: {error}")
        install_rights(found)
        Kubectl(found.kubeconfig).apply(TENANT_RIGHTS)
        yield found


@pytest.fixture(scope="module")
def clients(control_plane: ControlPlane) -> Iterator[Clients]:
    """Everybody who writes pods, by what they are called here."""
    everybody = {
        "admin": (),
        "tenant": TENANT,
        "operator": (USER, "system:serviceaccounts", "system:authenticated"),
        "node": ("system:node:simulated-1", "system:nodes", "system:authenticated"),
    }
    early = _pod("early", {f"{OUR}/run": "x"})
    with clients_of(control_plane, everybody) as found:
        wait(lambda: refuses(POLICY, found["tenant"], PODS, early))
        yield found


@pytest.fixture(scope="module")
def kubectl(control_plane: ControlPlane) -> Kubectl:
    return Kubectl(control_plane.kubeconfig)


def _pod(name: str, labels: dict[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    """A pod that the operator might make, which ends at once."""
    spec = restricted_pod("default")["spec"]
    (container,) = spec["containers"]
    del container["envFrom"]
    container |= {"image": "registry.example/actor:1", "resources": _resources("64Mi")}
    spec["terminationGracePeriodSeconds"] = 0
    return {"metadata": {"name": name, "labels": labels or {}, **metadata}, "spec": spec}


def _resources(memory: str) -> dict[str, Any]:
    amounts = {"cpu": "100m", "memory": memory, "ephemeral-storage": "64Mi"}
    return {"requests": amounts, "limits": amounts}


@pytest.fixture
def run_pod(clients: Clients) -> dict[str, Any]:
    """The running pod of a run, made as the operator makes it."""
    run = create_run(clients["admin"])
    uid = clients["admin"].call("GET", f"{collection('actorruns')}/{run}").body["metadata"]["uid"]
    owner = {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorRun",
        "name": run,
        "uid": uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
    body = _pod(
        f"{run}-abcd-1",
        {f"{OUR}/run": run, f"{OUR}/run-uid": uid, "team": "one"},
        annotations={f"{OUR}/resolved": "{}"},
        ownerReferences=[owner],
    )
    answer = clients["operator"].call("POST", PODS, body)
    assert answer.accepted, answer.body
    path = f"{PODS}/{run}-abcd-1"
    wait(lambda: _phase(clients["admin"], path) == "Running")
    return {"path": path, "run": run, "owner": owner}


def _phase(admin: RestClient, path: str) -> str:
    return str(admin.call("GET", path).body["status"]["phase"])


# What is refused


@pytest.mark.parametrize("label", ["run", "run-uid", "attempt", "anything"])
def test_a_tenant_cannot_make_a_pod_with_a_label_of_ours(clients: Clients, label: str) -> None:
    answer = clients["tenant"].call("POST", PODS, _pod("forged", {f"{OUR}/{label}": "x"}))

    assert refusal(answer, POLICY) == MADE


def test_a_controller_cannot_make_one_for_the_tenant(clients: Clients, kubectl: Kubectl) -> None:
    labels = {"app": "forged", f"{OUR}/run": "x"}
    template = {"metadata": {"labels": labels}, "spec": _pod("x")["spec"]}
    template["spec"].pop("terminationGracePeriodSeconds")
    template["spec"] |= {"restartPolicy": "Always", "activeDeadlineSeconds": None}
    body = {
        "metadata": {"name": "forged"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }
    path = "/apis/apps/v1/namespaces/default/replicasets"
    assert clients["tenant"].call("POST", path, body).accepted

    def failure() -> str:
        status = clients["admin"].call("GET", f"{path}/forged").body["status"]
        found = [c["message"] for c in status.get("conditions", ()) if c["reason"]]
        return str(found[0]) if found else ""

    wait(lambda: bool(failure()))
    assert MADE in failure()
    assert kubectl.run("get", "pods", "-l", "app=forged", "-o=name") == ""
    kubectl.run("delete", "replicaset", "forged")


def test_a_node_cannot_make_one_either(clients: Clients) -> None:
    mirror = _pod(
        "mirror",
        {f"{OUR}/run": "x"},
        annotations={"kubernetes.io/config.mirror": "x"},
        ownerReferences=[_node_as_owner(clients["admin"])],
    )
    mirror["spec"] |= {"nodeName": "simulated-1", "automountServiceAccountToken": False}

    assert refusal(clients["node"].call("POST", PODS, mirror), POLICY) == MADE


def _node_as_owner(admin: RestClient) -> dict[str, Any]:
    uid = admin.call("GET", "/api/v1/nodes/simulated-1").body["metadata"]["uid"]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "name": "simulated-1",
        "uid": uid,
        "controller": True,
    }


@pytest.mark.parametrize("subresource", ["", "/status"], ids=["pod", "status"])
@pytest.mark.parametrize(
    ("patch", "sentence"),
    [
        ({"metadata": {"labels": {f"{OUR}/run": "another"}}}, LABELS),
        ({"metadata": {"labels": {f"{OUR}/run": None}}}, LABELS),
        ({"metadata": {"labels": {f"{OUR}/further": "x"}}}, LABELS),
        ({"metadata": {"annotations": {f"{OUR}/resolved": "x"}}}, ANNOTATIONS),
        ({"metadata": {"annotations": {f"{OUR}/resolved": None}}}, ANNOTATIONS),
        ({"metadata": {"annotations": {f"{OUR}/further": "x"}}}, ANNOTATIONS),
    ],
    ids=[
        *("a label changes", "a label goes", "a label comes"),
        *("an annotation changes", "an annotation goes", "an annotation comes"),
    ],
)
@pytest.mark.fault("B27")
def test_a_tenant_cannot_change_what_the_operator_reads_of_a_pod_when(
    clients: Clients, run_pod: dict[str, Any], subresource: str, patch: Any, sentence: str
) -> None:
    answer = send_patch(clients["tenant"], run_pod["path"] + subresource, patch)

    assert refusal(answer, POLICY) == sentence


@pytest.mark.parametrize("subresource", ["", "/status"], ids=["pod", "status"])
def test_a_tenant_cannot_give_our_labels_to_a_pod_of_their_own(
    clients: Clients, subresource: str
) -> None:
    name = f"own{subresource.replace('/', '-')}"
    assert clients["tenant"].call("POST", PODS, _pod(name)).accepted

    patch = {"metadata": {"labels": {f"{OUR}/run-uid": "x"}}}
    answer = send_patch(clients["tenant"], f"{PODS}/{name}{subresource}", patch)

    assert refusal(answer, POLICY) == LABELS


@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "remove", "path": "/metadata/ownerReferences"}],
        [{"op": "replace", "path": "/metadata/ownerReferences/0/controller", "value": False}],
    ],
    ids=["it goes", "it changes"],
)
@pytest.mark.fault("B27")
def test_a_tenant_cannot_change_the_owner_of_a_pod_when(
    clients: Clients, run_pod: dict[str, Any], patch: Any
) -> None:
    assert refusal(send_patch(clients["tenant"], run_pod["path"], patch), POLICY) == OWNERS


@pytest.mark.parametrize(
    ("subresource", "patch"),
    [
        ("", [{"op": "replace", "path": "/spec/containers/0/image", "value": "mine"}]),
        ("", [{"op": "add", "path": "/spec/activeDeadlineSeconds", "value": 1}]),
        ("", [{"op": "add", "path": "/spec/tolerations/-", "value": {"operator": "Exists"}}]),
        (
            "/ephemeralcontainers",
            {"spec": {"ephemeralContainers": [{"name": "mine", "image": "mine"}]}},
        ),
    ],
    ids=["image", "deadline", "tolerations", "ephemeral containers"],
)
def test_a_tenant_cannot_change_of_a_pods_specification_its(
    clients: Clients, run_pod: dict[str, Any], subresource: str, patch: Any
) -> None:
    answer = send_patch(clients["tenant"], run_pod["path"] + subresource, patch)

    assert refusal(answer, POLICY) == SPECIFICATION


def test_a_tenant_cannot_give_a_runs_pod_more_memory(
    clients: Clients, run_pod: dict[str, Any]
) -> None:
    memory = _resources("64Mi")
    # The kubelet of a node that can resize says what the container has.
    said = [{"op": "add", "path": "/status/containerStatuses/0/resources", "value": memory}]
    assert send_patch(clients["node"], f"{run_pod['path']}/status", said).accepted
    more = _resources("1Gi")

    patch = [{"op": "replace", "path": "/spec/containers/0/resources", "value": more}]
    answer = send_patch(clients["tenant"], f"{run_pod['path']}/resize", patch)

    assert refusal(answer, POLICY) == SPECIFICATION


# What passes


@pytest.mark.parametrize(
    "patch",
    [
        {"metadata": {"labels": {"team": "two"}}},
        {"metadata": {"labels": {"team": None}}},
        {"metadata": {"annotations": {"team": "two"}}},
        {"metadata": {"finalizers": ["example.com/wait"]}},
    ],
    ids=["another label", "one less", "another annotation", "a finalizer"],
)
def test_a_tenant_may_give_a_runs_pod(
    clients: Clients, run_pod: dict[str, Any], patch: Any
) -> None:
    answer = send_patch(clients["tenant"], run_pod["path"], patch)

    assert answer.accepted, answer.body
    assert send_patch(
        clients["tenant"], run_pod["path"], {"metadata": {"finalizers": None}}
    ).accepted


def test_a_tenant_may_delete_a_runs_pod(clients: Clients, run_pod: dict[str, Any]) -> None:
    assert clients["tenant"].call("DELETE", run_pod["path"]).accepted


def test_a_tenant_may_evict_a_runs_pod(clients: Clients, run_pod: dict[str, Any]) -> None:
    name = run_pod["path"].rpartition("/")[2]
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}

    assert clients["tenant"].call("POST", f"{run_pod['path']}/eviction", eviction).accepted
    wait(lambda: clients["admin"].call("GET", run_pod["path"]).code == 404)


def test_a_tenant_makes_and_changes_other_pods_as_ever(clients: Clients) -> None:
    tenant = clients["tenant"]

    assert tenant.call("POST", PODS, _pod("other", {"app": "web"})).accepted
    patch = [
        {"op": "replace", "path": "/spec/containers/0/image", "value": "another"},
        {"op": "add", "path": "/metadata/annotations", "value": {f"{OUR}/note": "x"}},
    ]
    assert send_patch(tenant, f"{PODS}/other", patch).accepted
    assert tenant.call("DELETE", f"{PODS}/other").accepted


def test_the_operator_shortens_the_deadline_of_a_pod(
    clients: Clients, run_pod: dict[str, Any]
) -> None:
    patch = {"spec": {"activeDeadlineSeconds": 1}}

    assert send_patch(clients["operator"], run_pod["path"], patch).accepted


@pytest.mark.parametrize(
    "user",
    [
        "system:kube-scheduler",
        "system:serviceaccount:kube-system:node-controller",
        "system:serviceaccount:kube-system:pod-garbage-collector",
    ],
)
def test_the_status_of_a_runs_pod_is_written_by(
    control_plane: ControlPlane, run_pod: dict[str, Any], user: str
) -> None:
    disruption = {"type": "DisruptionTarget", "status": "True", "reason": "Test"}
    client = RestClient(control_plane, user=user, groups=["system:authenticated"])

    patch = [{"op": "add", "path": "/status/conditions/-", "value": disruption}]
    answer = send_patch(client, f"{run_pod['path']}/status", patch)

    client.close()
    assert answer.accepted, answer.body


def test_a_kubelet_writes_the_status_of_its_pod(clients: Clients, run_pod: dict[str, Any]) -> None:
    answer = send_patch(
        clients["node"], f"{run_pod['path']}/status", {"status": {"phase": "Failed"}}
    )

    assert answer.accepted, answer.body


def test_the_garbage_collector_takes_the_owner_off_a_pod_that_is_to_stay(
    clients: Clients, run_pod: dict[str, Any], kubectl: Kubectl
) -> None:
    kubectl.run("delete", "actorrun", run_pod["run"], "--cascade=orphan", "--timeout=30s")

    left = clients["admin"].call("GET", run_pod["path"]).body
    assert "ownerReferences" not in left["metadata"]


def test_the_garbage_collector_removes_the_pod_of_a_deleted_run(
    clients: Clients, run_pod: dict[str, Any], kubectl: Kubectl
) -> None:
    kubectl.run("delete", "actorrun", run_pod["run"], "--timeout=30s")

    wait(lambda: clients["admin"].call("GET", run_pod["path"]).code == 404)


def test_pods_go_with_their_namespace(clients: Clients, kubectl: Kubectl) -> None:
    kubectl.run("create", "namespace", "short-lived")
    path = "/api/v1/namespaces/short-lived/pods"
    body = _pod("going", {f"{OUR}/run": "x"})
    wait(lambda: clients["operator"].call("POST", path, body).accepted)

    kubectl.run("delete", "namespace", "short-lived", "--timeout=60s")


# Nodes that go; last, because the simulated node is not the same afterwards


def test_a_node_is_drained_of_runs(
    clients: Clients, run_pod: dict[str, Any], kubectl: Kubectl
) -> None:
    kubectl.run("drain", "simulated-1", "--force", "--delete-emptydir-data", "--timeout=30s")
    kubectl.run("uncordon", "simulated-1")

    assert clients["admin"].call("GET", run_pod["path"]).code == 404


def test_a_taint_evicts_runs_and_says_so_in_their_status(
    clients: Clients, run_pod: dict[str, Any], kubectl: Kubectl
) -> None:
    # It holds the pod, so that its status can be read.
    hold = {"metadata": {"finalizers": ["example.com/wait"]}}
    assert send_patch(clients["tenant"], run_pod["path"], hold).accepted

    kubectl.run("taint", "node", "simulated-1", "gone=yes:NoExecute")

    wait(lambda: "DeletionByTaintManager" in json.dumps(_status(clients, run_pod)))
    kubectl.run("taint", "node", "simulated-1", "gone-")
    assert send_patch(
        clients["tenant"], run_pod["path"], {"metadata": {"finalizers": None}}
    ).accepted


def _status(clients: Clients, run_pod: dict[str, Any]) -> dict[str, Any]:
    return dict(clients["admin"].call("GET", run_pod["path"]).body["status"])


# The policy itself


def test_the_api_server_finds_no_fault_in_the_policy(control_plane: ControlPlane) -> None:
    assert warnings(control_plane, POLICY) == ""


def test_kubectl_shows_the_sentence(kubectl: Kubectl) -> None:
    with pytest.raises(CommandError) as refusal:
        kubectl.run("run", "forged", "--image=x", f"--labels={OUR}/run=x")

    assert f"'{POLICY}' denied request: {MADE}" in str(refusal.value)
