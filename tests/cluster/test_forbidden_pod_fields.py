"""Each forbidden thing in a pod is refused by the policy alone, and by Pod Security alone.

The policy is tried as the operator in a namespace without a Pod Security level; the level as the
administrator, of whom the policy asks nothing, in a namespace that enforces it. That the operator
never writes such a pod is proved in tests/unit/desired/test_forbidden_fields.py.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.chart.helm import RELEASE
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.support.forbidden import FORBIDDEN, UNSEEN_BY_POD_SECURITY, Forbidden, Json
from tests.support.operators import USER, install_rights
from tests.support.policies import Clients, clients_of, refusal, refuses, wait, warnings
from tests.support.rest import Answer, RestClient
from tests.support.restricted_pod import restricted_pod

pytestmark = pytest.mark.cluster

POLICY = f"{RELEASE}-run-pod-contents"

LEVELS = {"open": "privileged", "guarded": "restricted"}
"""Namespaces, and the Pod Security level that each enforces."""

RESTRICTED = "--set=settings.pod.securityProfile=restricted"


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    """A cluster with the chart's policies, no operator, and a namespace for each level."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(ControlPlane())
        except ClusterToolError as error:
            pytest.skip(f"no control plane: {error}")
        install_rights(found, RESTRICTED)
        kubectl = Kubectl(found.kubeconfig)
        for namespace, level in LEVELS.items():
            kubectl.run("create", "namespace", namespace)
            label = f"pod-security.kubernetes.io/enforce={level}"
            kubectl.run("label", "namespace", namespace, label)
            kubectl.run("create", "serviceaccount", "another", f"--namespace={namespace}")
        kubectl.apply(
            "{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: another},"
            " handler: runc}"
        )
        yield found


@pytest.fixture(scope="module")
def clients(control_plane: ControlPlane) -> Iterator[Clients]:
    everybody = {
        "admin": (),
        "operator": (USER, "system:serviceaccounts", "system:authenticated"),
    }
    early = FORBIDDEN[0].added_to(restricted_pod("open"))
    with clients_of(control_plane, everybody) as found:
        wait(lambda: refuses(POLICY, found["operator"], path("open"), early))
        yield found


def path(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


def create(who: RestClient, namespace: str, pod: Json) -> Answer:
    """Ask for a pod that is checked and not made."""
    return who.call("POST", f"{path(namespace)}?dryRun=All&fieldValidation=Strict", pod)


def unlabelled(pod: Json) -> Json:
    """The pod as anybody's, of which the other policies ask nothing."""
    return pod | {"metadata": {"name": "anybodys"}}


def test_the_policy_lets_the_operators_pods_pass(clients: Clients) -> None:
    answer = create(clients["operator"], "open", restricted_pod("open"))

    assert answer.accepted, answer.body


def test_the_level_lets_the_operators_pods_pass(clients: Clients) -> None:
    answer = create(clients["admin"], "guarded", unlabelled(restricted_pod("guarded")))

    assert answer.accepted, answer.body


@pytest.mark.parametrize("row", FORBIDDEN, ids=lambda row: row.name)
def test_the_policy_alone_refuses_the_operator(clients: Clients, row: Forbidden) -> None:
    answer = create(clients["operator"], "open", row.added_to(restricted_pod("open")))

    assert refusal(answer, POLICY) == row.policy


@pytest.mark.parametrize("row", FORBIDDEN, ids=lambda row: row.name)
def test_the_level_alone_refuses_anybody_what_it_can_see(clients: Clients, row: Forbidden) -> None:
    pod = unlabelled(row.added_to(restricted_pod("guarded")))

    answer = create(clients["admin"], "guarded", pod)

    if row.pod_security is None:
        assert answer.accepted, f"{UNSEEN_BY_POD_SECURITY}: {answer.body}"
    else:
        assert 'violates PodSecurity "restricted:latest"' in answer.body["message"]
        assert row.pod_security in answer.body["message"]


def test_the_policy_asks_nothing_of_others(clients: Clients) -> None:
    pod: Any = unlabelled(FORBIDDEN[0].added_to(restricted_pod("open")))

    assert create(clients["admin"], "open", pod).accepted


def test_the_api_server_finds_no_fault_in_the_policy(control_plane: ControlPlane) -> None:
    assert warnings(control_plane, POLICY) == ""
