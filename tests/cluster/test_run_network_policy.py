"""Who may make and change what leads to runs: the policy of the chart on the real API server.

Everybody here has every right, so what refuses is the policy and not a role.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
from tests.chart.helm import INGRESS, RELEASE
from tests.cluster_tool.addons import apply_gateway_crds
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.support.kinds import create_run
from tests.support.operators import OTHER_NAMESPACE, OTHER_USER, USER, install_rights
from tests.support.policies import (
    TENANT,
    Clients,
    clients_of,
    every_right,
    refusal,
    refuses,
    send_patch,
    wait,
    warnings,
)
from tests.support.rest import RestClient, collection
from tests.support.urls import GATEWAY_API, INGRESSES, ingress, route

pytestmark = pytest.mark.cluster

OUR = "actor-operator.dev"

POLICY = f"{RELEASE}-run-network"

WRITER = "system:controller:writer"
"""Whom the values let write routes of runs too."""

OTHER_VALUES = ("--set=crds.install=false", '--set-json=settings.namespaces=["team-a"]')
"""Another installation, for one namespace."""

MADE = "labels under actor-operator.dev/ are for what the operator makes; leave these labels out"
LABELS = (
    "the operator gives what it makes its labels, which never change; labels under"
    " actor-operator.dev/ belong on nothing else"
)
ANNOTATIONS = (
    "the operator gives what it makes for runs its annotations; ask the administrator for others"
    " (settings.webServer.ingress.annotations; for a controller that writes its own,"
    " admissionPolicies.routeWriters)"
)
OWNERS = "what the operator made belongs to its owner, which never changes"
SPECIFICATION = (
    "the specification of what the operator made for runs is the operator's; make an object of your"
    " own, with another name and host"
)

PATHS = {
    "Service": "/api/v1/namespaces/default/services",
    "Ingress": INGRESSES.format("default"),
    "HTTPRoute": f"{GATEWAY_API}/v1/namespaces/default/httproutes",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
}
"""Where each kind is that the operator makes around runs."""

SELECTOR = {f"{OUR}/run-uid": "x"}

BODIES: dict[str, dict[str, Any]] = {
    "Service": {"spec": {"selector": SELECTOR, "ports": [{"name": "web", "port": 80}]}},
    "Ingress": ingress("abc.runs.example.com", ingressClassName="web"),
    "HTTPRoute": route("v1", "HTTPRoute", ["abc.example.org"], [{"name": "web"}]),
    "NetworkPolicy": {"spec": {"podSelector": {"matchLabels": SELECTOR}}},
}
"""One of each kind, as far as this policy looks at it."""

SPECS: dict[str, dict[str, Any]] = {
    "Service": {"selector": {"app": "mine"}},
    "Ingress": {"rules": ingress("www.example.org")["spec"]["rules"]},
    "HTTPRoute": {"hostnames": ["www.example.org"]},
    "NetworkPolicy": {"policyTypes": ["Ingress", "Egress"]},
}
"""A change to the specification of each kind."""

kinds = pytest.mark.parametrize("kind", PATHS)

with_status = pytest.mark.parametrize(
    "place",
    [*PATHS, "Service/status", "Ingress/status"],
)


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    """A cluster with the chart's policies for two installations, and no operator."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(ControlPlane())
            apply_gateway_crds(Kubectl(found.kubeconfig))
        except ClusterToolError as error:
            pytest.skip(f"no control plane: {error}")
        kubectl = Kubectl(found.kubeconfig)
        kubectl.apply(every_right("tenant", USER, OTHER_USER, WRITER))
        kubectl.run("create", "namespace", "team-a")
        kubectl.run("label", "namespace", "team-a", f"{OUR}/install={OTHER_NAMESPACE}")
        install_rights(found, *INGRESS, f"--set=admissionPolicies.routeWriters[0]={WRITER}")
        install_rights(found, *OTHER_VALUES, namespace=OTHER_NAMESPACE)
        yield found


@pytest.fixture(scope="module")
def clients(control_plane: ControlPlane) -> Iterator[Clients]:
    """Everybody who writes, by what they are called here."""
    everybody = {
        "admin": (),
        "tenant": TENANT,
        "operator": (USER, "system:authenticated"),
        "other operator": (OTHER_USER, "system:authenticated"),
        "writer": (WRITER, "system:authenticated"),
    }
    body = _body("Service", {f"{OUR}/run": "x"})
    there = _elsewhere("Service")
    other = f"{RELEASE}-{OTHER_NAMESPACE}-run-network"
    with clients_of(control_plane, everybody) as found:
        wait(lambda: refuses(POLICY, found["tenant"], PATHS["Service"], body))
        wait(lambda: refuses(other, found["tenant"], there, body))
        yield found


@pytest.fixture(scope="module")
def kubectl(control_plane: ControlPlane) -> Kubectl:
    return Kubectl(control_plane.kubeconfig)


def _body(kind: str, labels: dict[str, str] | None = None, **metadata: Any) -> dict[str, Any]:
    return {**BODIES[kind], "metadata": {"name": "one", "labels": labels or {}, **metadata}}


def _elsewhere(kind: str) -> str:
    """Where a kind is in the namespace of the other installation."""
    return PATHS[kind].replace("/default/", "/team-a/")


@pytest.fixture
def run(clients: Clients) -> dict[str, Any]:
    """A run, as an owner."""
    name = create_run(clients["admin"])
    uid = clients["admin"].call("GET", f"{collection('actorruns')}/{name}").body["metadata"]["uid"]
    return {"apiVersion": f"{OUR}/v1alpha1", "kind": "ActorRun", "name": name, "uid": uid}


@pytest.fixture
def child(clients: Clients, run: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Paths of what a run has, made as the operator makes it, and of their statuses."""
    labels = {f"{OUR}/run": run["name"], f"{OUR}/run-uid": run["uid"], "team": "one"}
    for kind, path in PATHS.items():
        metadata = {"annotations": {"note": "one"}, "ownerReferences": [run]}
        answer = clients["operator"].call("POST", path, _body(kind, labels, **metadata))
        assert answer.accepted, answer.body
    found = {kind: f"{path}/one" for kind, path in PATHS.items()}
    yield found | {f"{kind}/status": f"{found[kind]}/status" for kind in PATHS}
    for path in found.values():
        send_patch(clients["operator"], path, {"metadata": {"finalizers": None}})
        clients["operator"].call("DELETE", path)


@pytest.fixture
def own(clients: Clients) -> Iterator[dict[str, str]]:
    """Paths of what a tenant has, and of their statuses."""
    for kind, path in PATHS.items():
        # A host of its own: another policy looks at hosts.
        spec = BODIES[kind]["spec"] | SPECS[kind]
        body = {**_body(kind), "spec": spec}
        answer = clients["tenant"].call("POST", path, body)
        assert answer.accepted, answer.body
    found = {kind: f"{path}/one" for kind, path in PATHS.items()}
    yield found | {f"{kind}/status": f"{found[kind]}/status" for kind in PATHS}
    for path in found.values():
        assert clients["tenant"].call("DELETE", path).accepted


# What is refused


@kinds
@pytest.mark.parametrize("label", ["run-uid", "anything"])
def test_a_tenant_cannot_make_with_a_label_of_ours(clients: Clients, kind: str, label: str) -> None:
    body = {**_body(kind, {f"{OUR}/{label}": "x"})}
    body["spec"] = body["spec"] | SPECS[kind]

    answer = clients["tenant"].call("POST", f"{PATHS[kind]}?dryRun=All", body)

    assert refusal(answer, POLICY) == MADE


@with_status
def test_a_tenant_cannot_give_our_labels_to_their_own(
    clients: Clients, own: dict[str, str], place: str
) -> None:
    change = {"metadata": {"labels": {f"{OUR}/run-uid": "x"}}}

    assert refusal(send_patch(clients["tenant"], own[place], change), POLICY) == LABELS


@with_status
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"labels": {f"{OUR}/run": "another"}}, LABELS),
        ({"labels": {f"{OUR}/run": None, f"{OUR}/run-uid": None}}, LABELS),
        ({"labels": {"team": "two"}}, LABELS),
        ({"annotations": {"nginx.ingress.kubernetes.io/server-snippet": "x"}}, ANNOTATIONS),
        ({"annotations": {"note": None}}, ANNOTATIONS),
        ({"ownerReferences": None}, OWNERS),
    ],
    ids=["a label", "ours go", "another label", "an annotation", "one less", "no owner"],
)
def test_a_tenant_cannot_change_of_what_a_run_has(
    clients: Clients, child: dict[str, str], place: str, change: Any, sentence: str
) -> None:
    answer = send_patch(clients["tenant"], child[place], {"metadata": change})

    assert refusal(answer, POLICY) == sentence


@kinds
def test_a_tenant_cannot_change_the_specification_of_what_a_run_has(
    clients: Clients, child: dict[str, str], kind: str
) -> None:
    answer = send_patch(clients["tenant"], child[kind], {"spec": SPECS[kind]})

    assert refusal(answer, POLICY) == SPECIFICATION


def test_a_service_of_a_run_cannot_lead_out_of_the_cluster(
    clients: Clients, child: dict[str, str]
) -> None:
    change = {"spec": {"type": "ExternalName", "externalName": "evil.example.org"}}

    assert refusal(send_patch(clients["tenant"], child["Service"], change), POLICY) == SPECIFICATION


# What passes


@kinds
def test_a_controller_may_hold_what_a_run_has_by_a_finalizer(
    clients: Clients, child: dict[str, str], kind: str
) -> None:
    change = {"metadata": {"finalizers": ["example.com/wait"]}}

    answer = send_patch(clients["tenant"], child[kind], change)

    assert answer.accepted, answer.body


@pytest.mark.parametrize(
    ("place", "status"),
    [
        ("Service/status", {"conditions": []}),
        ("Ingress/status", {"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}}),
        ("HTTPRoute/status", {"parents": []}),
    ],
)
def test_a_controller_may_write_the_status_of_what_a_run_has(
    clients: Clients, child: dict[str, str], place: str, status: Any
) -> None:
    answer = send_patch(clients["tenant"], child[place], {"status": status})

    assert answer.accepted, answer.body


@kinds
def test_a_tenant_may_delete_what_a_run_has(
    clients: Clients, child: dict[str, str], kind: str
) -> None:
    assert clients["tenant"].call("DELETE", child[kind]).accepted


@kinds
@pytest.mark.parametrize("who", ["operator", "writer"])
def test_what_a_run_has_is_changed_by(
    clients: Clients, child: dict[str, str], kind: str, who: str
) -> None:
    change = {"metadata": {"annotations": {"note": "two"}}, "spec": SPECS[kind]}

    answer = send_patch(clients[who], child[kind], change)

    assert answer.accepted, answer.body


def test_the_garbage_collector_takes_the_owner_off_what_is_to_stay(
    clients: Clients, child: dict[str, str], run: dict[str, Any], kubectl: Kubectl
) -> None:
    kubectl.run("delete", "actorrun", run["name"], "--cascade=orphan", "--timeout=30s")

    for kind in PATHS:
        left = clients["admin"].call("GET", child[kind]).body
        assert "ownerReferences" not in left["metadata"], kind


def test_the_garbage_collector_removes_what_a_deleted_run_had(
    clients: Clients, child: dict[str, str], run: dict[str, Any], kubectl: Kubectl
) -> None:
    kubectl.run("delete", "actorrun", run["name"], "--timeout=30s")

    for kind in PATHS:
        wait(partial(_is_gone, clients["admin"], child[kind]))


def _is_gone(admin: RestClient, path: str) -> bool:
    return admin.call("GET", path).code == 404


@kinds
def test_a_tenant_changes_their_own_as_ever(
    clients: Clients, own: dict[str, str], kind: str
) -> None:
    change = {
        "metadata": {"labels": {"team": "two"}, "annotations": {f"{OUR}/note": "x"}},
        "spec": SPECS[kind],
    }

    answer = send_patch(clients["tenant"], own[kind], change)

    assert answer.accepted, answer.body


@kinds
def test_where_another_installation_works_its_own_operator_makes_them(
    clients: Clients, kind: str
) -> None:
    path = f"{_elsewhere(kind)}?dryRun=All"
    body = _body(kind, {f"{OUR}/run": "x"})
    body["spec"] = body["spec"] | SPECS[kind]

    assert clients["other operator"].call("POST", path, body).accepted
    other = f"{RELEASE}-{OTHER_NAMESPACE}-run-network"
    assert refusal(clients["operator"].call("POST", path, body), other) == MADE


# The policy itself


def test_the_api_server_finds_no_fault_in_the_policy(control_plane: ControlPlane) -> None:
    assert warnings(control_plane, POLICY) == ""
