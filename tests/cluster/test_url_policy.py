"""Who may claim the hosts of runs by Ingresses: the policy of the chart on the real API server.

Everybody here has every right, so what refuses is the policy and not a role.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
from tests.chart.helm import HTTP_ROUTE, INGRESS, RELEASE
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
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
from tests.support.rest import Answer
from tests.support.urls import BACKEND, CLASS_ANNOTATION, INGRESSES, annotated, ingress

pytestmark = pytest.mark.cluster

POLICY = f"{RELEASE}-run-urls"

OTHER_POLICY = f"{RELEASE}-{OTHER_NAMESPACE}-run-urls"

OTHER_VALUES = (
    "--set=crds.install=false",
    '--set-json=settings.namespaces=["team-a"]',
    *HTTP_ROUTE,
    "--set=settings.webServer.domain=team.example.org",
)
"""Another installation, for one namespace, with its own domain."""

WRITER = "system:controller:writer"
"""Whom the values let write routes of runs too."""

HERE = INGRESSES.format("default")

HOST = (
    "runs.example.com and the names below it are hosts of runs, which the operator alone serves;"
    " take a host, or a wildcard, that covers none of them"
)
NO_HOST = (
    "a rule without a host takes the requests of all hosts, those of runs too; name a host in every"
    " rule, or another class than web in spec.ingressClassName"
)
DEFAULT_BACKEND = (
    "spec.defaultBackend takes the requests of all hosts, those of runs too; write rules with hosts"
    " instead, or name another class than web in spec.ingressClassName"
)

OURS = {
    "equal": "runs.example.com",
    "below": "abc.runs.example.com",
    "far below": "a.b.runs.example.com",
    "wildcard": "*.runs.example.com",
    "wildcard below": "*.a.runs.example.com",
    "wildcard over": "*.example.com",
    "wildcard far over": "*.com",
}
"""Hosts that belong to runs, or take theirs too."""

NEIGHBOURS = {
    "above": "example.com",
    "beside": "www.example.com",
    "ends alike": "myruns.example.com",
    "begins alike": "runs.example.com.example.org",
    "wildcard beside": "*.www.example.com",
    "wildcard that ends alike": "*.ns.example.com",
    "wildcard elsewhere": "*.net",
}
"""Hosts that anybody may take."""

our_hosts = pytest.mark.parametrize("host", OURS.values(), ids=OURS.keys())
neighbours = pytest.mark.parametrize("host", NEIGHBOURS.values(), ids=NEIGHBOURS.keys())
on_our_class = pytest.mark.parametrize(
    ("spec", "annotations"),
    [({"ingressClassName": "web"}, {}), ({}, {CLASS_ANNOTATION: "web"}), ({}, {})],
    ids=["by the field", "by the annotation", "by naming none"],
)
on_another_class = pytest.mark.parametrize(
    ("spec", "annotations"),
    [({"ingressClassName": "other"}, {}), ({}, {CLASS_ANNOTATION: "other"})],
    ids=["by the field", "by the annotation"],
)


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    """A cluster with the chart's policies for two installations, and no operator."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(ControlPlane())
        except ClusterToolError as error:
            pytest.skip(f"no control plane: {error}")
        kubectl = Kubectl(found.kubeconfig)
        kubectl.apply(every_right("tenant", USER, OTHER_USER, WRITER))
        kubectl.run("create", "namespace", "team-a")
        kubectl.run("label", "namespace", "team-a", f"actor-operator.dev/install={OTHER_NAMESPACE}")
        install_rights(found, *INGRESS, f"--set=admissionPolicies.routeWriters[0]={WRITER}")
        install_rights(found, *OTHER_VALUES, namespace=OTHER_NAMESPACE)
        yield found


@pytest.fixture(scope="module")
def clients(control_plane: ControlPlane) -> Iterator[Clients]:
    """Everybody who writes Ingresses, by what they are called here."""
    everybody = {
        "tenant": TENANT,
        "operator": (USER, "system:authenticated"),
        "other operator": (OTHER_USER, "system:authenticated"),
        "writer": (WRITER, "system:authenticated"),
    }
    with clients_of(control_plane, everybody) as found:
        for policy, host in ((POLICY, "runs.example.com"), (OTHER_POLICY, "team.example.org")):
            body = ingress(host)
            wait(partial(refuses, policy, found["tenant"], HERE, body))
        yield found


def _create(
    clients: Clients, body: dict[str, Any], who: str = "tenant", namespace: str = "default"
) -> Answer:
    """Ask for an Ingress that is judged but not kept."""
    return clients[who].call("POST", f"{INGRESSES.format(namespace)}?dryRun=All", body)


@pytest.fixture
def own(clients: Clients) -> Iterator[str]:
    """Path of an Ingress of the tenant's, without a host, on another class."""
    yield from _kept(clients, "tenant", ingress(None, ingressClassName="other"))


@pytest.fixture
def older(clients: Clients) -> Iterator[str]:
    """Path of an Ingress of a tenant's with a host of runs, from before there was a policy."""
    yield from _kept(clients, "operator", ingress("abc.runs.example.com"))


def _kept(clients: Clients, who: str, body: dict[str, Any]) -> Iterator[str]:
    assert clients[who].call("POST", HERE, body).accepted
    path = f"{HERE}/{body['metadata']['name']}"
    yield path
    assert send_patch(clients["operator"], path, {"metadata": {"finalizers": None}}).accepted
    assert clients[who].call("DELETE", path).accepted


# What is refused


@our_hosts
def test_a_rule_may_not_have_a_host_of_runs(clients: Clients, host: str) -> None:
    assert refusal(_create(clients, ingress(host)), POLICY) == f"in spec.rules: {HOST}"


@our_hosts
def test_tls_may_not_have_a_host_of_runs(clients: Clients, host: str) -> None:
    body = ingress("www.example.com", tls=[{"hosts": [host], "secretName": "mine"}])

    assert refusal(_create(clients, body), POLICY) == f"in spec.tls: {HOST}"


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (ingress(None, "www.example.com", "abc.runs.example.com"), "rules"),
        (ingress("a.org", tls=[{"secretName": "x"}, {"hosts": ["a.org", "*.com"]}]), "tls"),
        (ingress(defaultBackend=BACKEND, tls=[{"hosts": ["runs.example.com"]}]), "tls"),
    ],
    ids=["third rule", "second host of the second part", "beside no rule"],
)
def test_one_host_of_runs_among_others_is_enough(
    clients: Clients, body: dict[str, Any], place: str
) -> None:
    body["spec"]["ingressClassName"] = "other"

    assert refusal(_create(clients, body), POLICY) == f"in spec.{place}: {HOST}"


@on_our_class
def test_on_the_class_of_runs_every_rule_has_a_host(
    clients: Clients, spec: dict[str, str], annotations: dict[str, str]
) -> None:
    body = annotated(ingress("www.example.com", None, **spec), **annotations)

    assert refusal(_create(clients, body), POLICY) == NO_HOST


@on_our_class
def test_on_the_class_of_runs_there_is_no_default_backend(
    clients: Clients, spec: dict[str, str], annotations: dict[str, str]
) -> None:
    body = annotated(ingress("www.example.com", defaultBackend=BACKEND, **spec), **annotations)

    assert refusal(_create(clients, body), POLICY) == DEFAULT_BACKEND


@pytest.mark.parametrize("subresource", ["", "/status"], ids=["ingress", "status"])
def test_an_ingress_without_a_host_cannot_come_to_the_class_of_runs(
    clients: Clients, own: str, subresource: str
) -> None:
    change = {"metadata": {"annotations": {CLASS_ANNOTATION: "web"}}}

    assert refusal(send_patch(clients["tenant"], own + subresource, change), POLICY) == NO_HOST


def test_an_ingress_cannot_get_a_host_of_runs(clients: Clients, own: str) -> None:
    change = [{"op": "add", "path": "/spec/rules/0/host", "value": "abc.runs.example.com"}]

    assert refusal(send_patch(clients["tenant"], own, change), POLICY) == f"in spec.rules: {HOST}"


def test_an_ingress_that_was_there_before_cannot_be_led_elsewhere(
    clients: Clients, older: str
) -> None:
    change = [{"op": "replace", "path": "/spec/rules/0/http/paths/0/path", "value": "/x"}]

    assert refusal(send_patch(clients["tenant"], older, change), POLICY) == f"in spec.rules: {HOST}"


@pytest.mark.parametrize("who", ["tenant", "other operator"])
def test_hosts_of_runs_are_guarded_where_another_operator_works(clients: Clients, who: str) -> None:
    answer = _create(clients, ingress("abc.runs.example.com"), who, "team-a")

    assert refusal(answer, POLICY) == f"in spec.rules: {HOST}"


def test_hosts_of_another_operators_runs_are_guarded_everywhere(clients: Clients) -> None:
    for who in ("tenant", "operator"):
        answer = _create(clients, ingress("*.team.example.org"), who)

        assert "team.example.org and the names below it" in refusal(answer, OTHER_POLICY)


def test_an_ingress_of_thousands_of_hosts_is_judged_to_its_end(clients: Clients) -> None:
    hosts = [f"h{number}.example.com" for number in range(5000)]

    assert _create(clients, ingress(*hosts)).accepted
    answer = _create(clients, ingress(*hosts, "abc.runs.example.com"))
    assert refusal(answer, POLICY) == f"in spec.rules: {HOST}"


# What passes


@neighbours
def test_anybody_may_take_a_host(clients: Clients, host: str) -> None:
    answer = _create(clients, ingress(host, tls=[{"hosts": [host]}], ingressClassName="web"))

    assert answer.accepted, answer.body


@on_another_class
def test_on_another_class_no_host_is_needed(
    clients: Clients, spec: dict[str, str], annotations: dict[str, str]
) -> None:
    body = annotated(ingress(None, defaultBackend=BACKEND, **spec), **annotations)

    answer = _create(clients, body)

    assert answer.accepted, answer.body


@pytest.mark.parametrize("who", ["operator", "writer"])
def test_hosts_of_runs_are_given_out_by(clients: Clients, who: str) -> None:
    host = "abc.runs.example.com"
    body = ingress(host, ingressClassName="web", tls=[{"hosts": [host]}])

    assert _create(clients, body, who).accepted


def test_another_operator_gives_out_the_hosts_of_its_own_domain(clients: Clients) -> None:
    answer = _create(clients, ingress("abc.team.example.org"), "other operator", "team-a")

    assert answer.accepted, answer.body


@pytest.mark.parametrize(
    ("subresource", "change"),
    [
        ("", {"metadata": {"finalizers": ["example.com/wait"]}}),
        ("", {"metadata": {"annotations": {"example.com/note": "x"}}}),
        ("/status", {"status": {"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}}}),
    ],
    ids=["a finalizer", "an annotation", "a status"],
)
def test_an_ingress_that_was_there_before_may_get(
    clients: Clients, older: str, subresource: str, change: dict[str, Any]
) -> None:
    answer = send_patch(clients["tenant"], older + subresource, change)

    assert answer.accepted, answer.body


def test_an_ingress_that_was_there_before_may_give_up_its_host(
    clients: Clients, older: str
) -> None:
    change = [{"op": "replace", "path": "/spec/rules/0/host", "value": "www.example.com"}]

    assert send_patch(clients["tenant"], older, change).accepted


# The policy itself


def test_the_api_server_finds_no_fault_in_the_policy(control_plane: ControlPlane) -> None:
    assert warnings(control_plane, POLICY) == ""
