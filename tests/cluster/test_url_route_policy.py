"""Who may claim the hosts of runs by routes of the Gateway API: the policy on the real API server.

Everybody here has every right, so what refuses is the policy and not a role.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
from tests.chart.helm import HTTP_ROUTE, RELEASE
from tests.cluster_tool.addons import apply_gateway_crds
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.support.operators import USER, install_rights
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
from tests.support.rest import Answer
from tests.support.urls import GATEWAY_API, INGRESSES, ingress, route

pytestmark = pytest.mark.cluster

POLICY = f"{RELEASE}-run-url-routes"

WRITER = "system:controller:writer"
"""Whom the values let write routes of runs too."""

HOST = (
    "in spec.hostnames: runs.example.com and the names below it are hosts of runs, which the"
    " operator alone serves; take a host, or a wildcard, that covers none of them"
)
NO_HOST = (
    "a route without hostnames takes the requests of all hosts of its Gateway, those of runs too;"
    " name its hosts in spec.hostnames, or take another Gateway than edge/web"
)

OURS = {"name": "web", "namespace": "edge"}
"""A parent of a route: the Gateway of runs."""

KINDS = {
    "HTTPRoute": ("v1", "httproutes"),
    "HTTPRoute of before": ("v1beta1", "httproutes"),
    "GRPCRoute": ("v1", "grpcroutes"),
    "TLSRoute": ("v1", "tlsroutes"),
}
"""Version and plural of each kind of route that has hostnames."""

kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    """A cluster with the chart's policies and the Gateway API's kinds, and no operator."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(ControlPlane())
            apply_gateway_crds(Kubectl(found.kubeconfig))
        except ClusterToolError as error:
            pytest.skip(f"no control plane: {error}")
        kubectl = Kubectl(found.kubeconfig)
        kubectl.apply(every_right("tenant", USER, WRITER))
        kubectl.run("create", "namespace", "edge")
        install_rights(found, *HTTP_ROUTE, f"--set=admissionPolicies.routeWriters[0]={WRITER}")
        yield found


@pytest.fixture(scope="module")
def clients(control_plane: ControlPlane) -> Iterator[Clients]:
    """Everybody who writes routes, by what they are called here."""
    everybody = {
        "tenant": TENANT,
        "operator": (USER, "system:authenticated"),
        "writer": (WRITER, "system:authenticated"),
    }
    body = route("v1", "HTTPRoute", None, [OURS])
    with clients_of(control_plane, everybody) as found:
        wait(lambda: refuses(POLICY, found["tenant"], _path("HTTPRoute"), body))
        yield found


def _path(kind: str, namespace: str = "default") -> str:
    version, plural = KINDS[kind]
    return f"{GATEWAY_API}/{version}/namespaces/{namespace}/{plural}"


def _create(
    clients: Clients,
    kind: str,
    hosts: Sequence[str] | None,
    *parents: dict[str, str],
    who: str = "tenant",
    namespace: str = "default",
) -> Answer:
    """Ask for a route that is judged but not kept."""
    body = route(KINDS[kind][0], kind.split(maxsplit=1)[0], hosts, parents)
    return clients[who].call("POST", f"{_path(kind, namespace)}?dryRun=All", body)


def _keep(clients: Clients, who: str, *hosts: str, **parent: str) -> Iterator[str]:
    """Path of an HTTPRoute that is there for a while."""
    body = route("v1", "HTTPRoute", hosts, [parent])
    assert clients[who].call("POST", _path("HTTPRoute"), body).accepted
    path = f"{_path('HTTPRoute')}/mine"
    yield path
    assert send_patch(clients["operator"], path, {"metadata": {"finalizers": None}}).accepted
    assert clients[who].call("DELETE", path).accepted


@pytest.fixture
def own(clients: Clients) -> Iterator[str]:
    """Path of a route of the tenant's on the Gateway of runs."""
    yield from _keep(clients, "tenant", "www.example.com", **OURS)


@pytest.fixture
def elsewhere(clients: Clients) -> Iterator[str]:
    """Path of a route of the tenant's with a host of runs, on another Gateway."""
    yield from _keep(clients, "tenant", "abc.runs.example.com", name="other")


@pytest.fixture
def older(clients: Clients) -> Iterator[str]:
    """Path of a route of a tenant's with a host of runs, from before there was a policy."""
    yield from _keep(clients, "operator", "abc.runs.example.com", **OURS)


# What is refused


@kinds
@pytest.mark.parametrize(
    "host",
    [
        *("runs.example.com", "abc.runs.example.com", "a.b.runs.example.com"),
        *("*.runs.example.com", "*.a.runs.example.com", "*.example.com", "*.com"),
    ],
)
def test_a_route_on_the_gateway_of_runs_may_not_have(
    clients: Clients, kind: str, host: str
) -> None:
    answer = _create(clients, kind, ["www.example.com", host], OURS)

    assert refusal(answer, POLICY) == HOST


@pytest.mark.parametrize("hosts", [None, []], ids=["no field", "an empty list"])
@pytest.mark.parametrize("kind", ["HTTPRoute", "HTTPRoute of before", "GRPCRoute"])
def test_a_route_on_the_gateway_of_runs_names_its_hosts(
    clients: Clients, kind: str, hosts: list[str] | None
) -> None:
    assert refusal(_create(clients, kind, hosts, OURS), POLICY) == NO_HOST


@pytest.mark.parametrize(
    "parents",
    [
        [{**OURS, "sectionName": "https"}],
        [{**OURS, "kind": "Gateway", "group": "gateway.networking.k8s.io"}],
        [{"name": "other"}, OURS],
    ],
    ids=["by a listener", "by its kind", "beside another"],
)
def test_the_gateway_of_runs_is_known_however_it_is_named(
    clients: Clients, parents: list[dict[str, str]]
) -> None:
    assert refusal(_create(clients, "HTTPRoute", ["*.com"], *parents), POLICY) == HOST


def test_the_gateway_of_runs_is_known_in_its_own_namespace(clients: Clients) -> None:
    answer = _create(clients, "HTTPRoute", ["*.com"], {"name": "web"}, namespace="edge")

    assert refusal(answer, POLICY) == HOST


def test_a_route_cannot_get_a_host_of_runs(clients: Clients, own: str) -> None:
    change = {"spec": {"hostnames": ["abc.runs.example.com"]}}

    assert refusal(send_patch(clients["tenant"], own, change), POLICY) == HOST


def test_a_route_with_a_host_of_runs_cannot_come_to_their_gateway(
    clients: Clients, elsewhere: str
) -> None:
    change = {"spec": {"parentRefs": [OURS]}}

    assert refusal(send_patch(clients["tenant"], elsewhere, change), POLICY) == HOST


def test_a_route_that_was_there_before_cannot_be_led_elsewhere(
    clients: Clients, older: str
) -> None:
    change = {"spec": {"rules": [{"backendRefs": [{"name": "evil", "port": 80}]}]}}

    assert refusal(send_patch(clients["tenant"], older, change), POLICY) == HOST


def test_ingresses_may_not_have_a_host_of_runs_either(clients: Clients) -> None:
    answer = clients["tenant"].call(
        "POST", f"{INGRESSES.format('default')}?dryRun=All", ingress("*.example.com")
    )

    assert "in spec.rules: runs.example.com and" in refusal(answer, f"{RELEASE}-run-urls")


# What passes


@kinds
@pytest.mark.parametrize(
    "host", ["example.com", "www.example.com", "myruns.example.com", "*.www.example.com", "*.org"]
)
def test_anybody_may_have_on_the_gateway_of_runs(clients: Clients, kind: str, host: str) -> None:
    answer = _create(clients, kind, [host], OURS)

    assert answer.accepted, answer.body


@pytest.mark.parametrize(
    "parent",
    [
        {"name": "other", "namespace": "edge"},
        {"name": "web"},
        {"name": "web", "namespace": "default"},
        {**OURS, "kind": "Service", "group": ""},
    ],
    ids=["another name", "of its own namespace", "of that namespace", "of another kind"],
)
@pytest.mark.parametrize("hosts", [["abc.runs.example.com"], None], ids=["a host", "no host"])
def test_a_route_may_have_any_parent_but_the_gateway_of_runs(
    clients: Clients, parent: dict[str, str], hosts: list[str] | None
) -> None:
    answer = _create(clients, "HTTPRoute", hosts, parent)

    assert answer.accepted, answer.body


def test_a_route_may_have_no_parent(clients: Clients) -> None:
    assert _create(clients, "HTTPRoute", None).accepted


def test_an_ingress_may_have_no_host(clients: Clients) -> None:
    path = f"{INGRESSES.format('default')}?dryRun=All"

    assert clients["tenant"].call("POST", path, ingress(None)).accepted


@kinds
@pytest.mark.parametrize("who", ["operator", "writer"])
def test_hosts_of_runs_are_given_out_by(clients: Clients, kind: str, who: str) -> None:
    answer = _create(clients, kind, ["abc.runs.example.com"], OURS, who=who)

    assert answer.accepted, answer.body


@pytest.mark.parametrize(
    ("subresource", "change"),
    [
        ("", {"metadata": {"finalizers": ["example.com/wait"]}}),
        ("", {"metadata": {"annotations": {"example.com/note": "x"}}}),
        ("/status", {"status": {"parents": []}}),
    ],
    ids=["a finalizer", "an annotation", "a status"],
)
def test_a_route_that_was_there_before_may_get(
    clients: Clients, older: str, subresource: str, change: dict[str, Any]
) -> None:
    answer = send_patch(clients["tenant"], older + subresource, change)

    assert answer.accepted, answer.body


# The policy itself


def test_the_api_server_finds_no_fault_in_the_policy(control_plane: ControlPlane) -> None:
    assert warnings(control_plane, POLICY) == ""
