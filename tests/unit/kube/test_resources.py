"""Paths of the API."""

import pytest

from actor_operator.kube.resources import Resource

PODS = Resource("", "v1", "pods", "Pod")
RUNS = Resource("actor-operator.dev", "v1alpha1", "actorruns", "ActorRun")
ACCOUNTS = Resource(
    "actor-operator.dev", "v1alpha1", "actoraccounts", "ActorAccount", namespaced=False
)


def test_paths_are_those_of_the_kubernetes_api() -> None:
    assert PODS.collection() == "/api/v1/pods"
    assert PODS.collection("ns") == "/api/v1/namespaces/ns/pods"
    assert PODS.item("ns", "a", "log") == "/api/v1/namespaces/ns/pods/a/log"
    group = "/apis/actor-operator.dev/v1alpha1"
    assert RUNS.item("ns", "a") == f"{group}/namespaces/ns/actorruns/a"
    assert ACCOUNTS.item(None, "a", "status") == f"{group}/actoraccounts/a/status"


def test_api_versions_are_those_of_objects() -> None:
    assert (PODS.api_version, RUNS.api_version) == ("v1", "actor-operator.dev/v1alpha1")


def test_a_name_cannot_leave_its_place_in_the_path() -> None:
    path = PODS.item("ns", "../../secrets/x?y=1#z")
    assert path == "/api/v1/namespaces/ns/pods/..%2F..%2Fsecrets%2Fx%3Fy%3D1%23z"


@pytest.mark.parametrize(("namespace", "name"), [(None, "a"), ("ns", "")])
def test_an_item_needs_its_namespace_and_name(namespace: str | None, name: str) -> None:
    with pytest.raises(ValueError, match="needs a"):
        PODS.item(namespace, name)


def test_a_kind_without_namespaces_takes_none() -> None:
    with pytest.raises(ValueError, match="not namespaced"):
        ACCOUNTS.item("ns", "a")
