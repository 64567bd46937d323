"""The operator's rights are what its code calls, and the users' roles are what the docs say."""

from collections.abc import Iterable
from typing import Any

import pytest
from tests.chart.helm import HTTP_ROUTE, INGRESS, WITHOUT_API, objects
from tests.chart.verbs_in_code import Use, verbs_in_code

from actor_operator.constants import GROUP, KEYS_SECRET

pytestmark = pytest.mark.chart

FORBIDDEN_RESOURCES = {
    "pods/exec",
    "pods/attach",
    "pods/portforward",
    "pods/ephemeralcontainers",
    "serviceaccounts/token",
    "roles",
    "rolebindings",
    "clusterroles",
    "clusterrolebindings",
    "nodes",
}
"""What would let the operator take over pods or the cluster."""


OPERATOR = "actor_operator.handlers.startup"
"""The module that the operator's process starts in."""

SOME_NAMESPACES = '--set-json=settings.namespaces=["team-a","team-b"]'
"""Installs the operator for these namespaces only."""

ONLY_FOR_THE_CLUSTER = {("", "namespaces", "list"), ("", "namespaces", "watch")}
"""What an installation for some namespaces does not call."""

ONLY_FOR_SOME_NAMESPACES = {("", "namespaces", "get")}
"""What an installation for the whole cluster does not call."""

NETWORK = "networking.k8s.io"

GATEWAY = "gateway.networking.k8s.io"

NOT_CALLED: dict[tuple[str, ...], set[tuple[str, str]]] = {
    (): {
        ("", "services"),
        (NETWORK, "ingresses"),
        (NETWORK, "ingressclasses"),
        (GATEWAY, "httproutes"),
    },
    INGRESS: {(GATEWAY, "httproutes")},
    HTTP_ROUTE: {(NETWORK, "ingresses"), (NETWORK, "ingressclasses")},
}
"""Groups and resources that the operator does not call, by how its runs get URLs."""

by_mode = pytest.mark.parametrize(
    "mode", NOT_CALLED, ids=["without URLs", "with Ingresses", "with HTTPRoutes"]
)


def rules(kind: str, name: str, *arguments: str) -> list[dict[str, Any]]:
    """The rules of one role."""
    (found,) = (
        o for o in objects(*arguments) if o["kind"] == kind and o["metadata"]["name"] == name
    )
    result: list[dict[str, Any]] = found["rules"]
    return result


def uses(found: Iterable[dict[str, Any]]) -> set[Use]:
    """The rules, one right each."""
    return {
        (group, resource, verb)
        for rule in found
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def operator_rules(*arguments: str) -> list[dict[str, Any]]:
    """Every rule of the operator's service account."""
    return [
        *rules("ClusterRole", "actor-operator", *arguments),
        *rules("Role", "actor-operator", *arguments),
    ]


def called(mode: tuple[str, ...]) -> set[Use]:
    """What the code calls when runs get URLs in this way."""
    return {use for use in verbs_in_code(OPERATOR) if use[:2] not in NOT_CALLED[mode]}


def rules_in(namespace: str) -> list[dict[str, Any]]:
    """The rules of the operator's role in one of the namespaces that it was installed for."""
    (found,) = (
        o
        for o in objects(SOME_NAMESPACES, WITHOUT_API)
        if o["kind"] == "Role" and o["metadata"]["namespace"] == namespace
    )
    result: list[dict[str, Any]] = found["rules"]
    return result


def rules_of_some_namespaces(*arguments: str) -> list[dict[str, Any]]:
    """Every rule of the operator's service account, when it is installed for some namespaces."""
    return [
        found
        for role in objects(SOME_NAMESPACES, "--set=rbac.aggregate=false", WITHOUT_API, *arguments)
        if role["kind"] in {"Role", "ClusterRole"}
        for found in role["rules"]
    ]


@by_mode
def test_the_operator_may_do_what_its_code_calls(mode: tuple[str, ...]) -> None:
    needed = called(mode) - ONLY_FOR_SOME_NAMESPACES

    assert needed - uses(operator_rules(*mode)) == set()


@by_mode
def test_the_operator_may_do_nothing_that_its_code_does_not_call(mode: tuple[str, ...]) -> None:
    assert uses(operator_rules(*mode)) - (called(mode) - ONLY_FOR_SOME_NAMESPACES) == set()


@by_mode
def test_an_operator_of_some_namespaces_may_do_what_its_code_calls_and_nothing_else(
    mode: tuple[str, ...],
) -> None:
    assert uses(rules_of_some_namespaces(*mode)) == called(mode) - ONLY_FOR_THE_CLUSTER


def test_with_the_mode_none_a_domain_gives_no_rights() -> None:
    assert operator_rules(*INGRESS, "--set=settings.webServer.mode=none") == operator_rules()


def test_the_operator_reads_no_ingress_class_but_that_of_runs() -> None:
    found = [rule for rule in operator_rules(*INGRESS) if "ingressclasses" in rule["resources"]]

    assert [rule["resourceNames"] for rule in found] == [["web"]]


def test_without_a_network_policy_for_runs_the_operator_writes_none() -> None:
    found = uses(operator_rules("--set=settings.network.policy=false"))

    assert not [use for use in found if use[1] == "networkpolicies"]


def test_each_of_some_namespaces_gives_the_same_rights_and_no_other_does() -> None:
    roles = [o["metadata"] for o in objects(SOME_NAMESPACES) if o["kind"] == "Role"]

    assert {r["namespace"] for r in roles} == {"actor-operator-system", "team-a", "team-b"}
    assert uses(rules_in("team-a")) == uses(rules_in("team-b"))
    named = [rule for rule in rules_in("team-b") if rule["resources"] == ["namespaces"]]
    assert [rule["resourceNames"] for rule in named] == [["team-b"]]


def test_an_operator_of_some_namespaces_has_rights_on_accounts_alone_in_the_whole_cluster() -> None:
    (found,) = (
        o["rules"]
        for o in objects(SOME_NAMESPACES, "--set=rbac.aggregate=false", WITHOUT_API)
        if o["kind"] == "ClusterRole"
    )

    assert {kind for rule in found for kind in rule["resources"]} == {
        "actoraccounts",
        "actoraccounts/status",
    }
    writable = [rule for rule in found if rule["verbs"] == ["update"]]
    assert [rule["resourceNames"] for rule in writable] == [["team-a", "team-b"]]


def test_two_installations_of_one_name_have_no_object_in_common() -> None:
    whole = names_of(objects())
    some = names_of(objects(SOME_NAMESPACES, "--set=crds.install=false", namespace="team-operator"))

    assert whole & some == set()


def names_of(found: Iterable[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {(o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]) for o in found}


@pytest.mark.parametrize("arguments", [(), (SOME_NAMESPACES,)], ids=["whole", "some"])
def test_there_is_no_wildcard(arguments: tuple[str, ...]) -> None:
    for found in objects(*arguments):
        if found["kind"] in {"Role", "ClusterRole"}:
            for rule in found["rules"]:
                assert not any("*" in entry for part in rule.values() for entry in part)


def test_the_operator_can_take_over_nothing() -> None:
    assert not {resource for _, resource, _ in uses(operator_rules())} & FORBIDDEN_RESOURCES


def test_the_operator_reads_no_secret_but_its_keys() -> None:
    readable = [
        rule
        for rule in operator_rules()
        if "secrets" in rule["resources"] and set(rule["verbs"]) - {"create", "delete"}
    ]

    assert readable == [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": [KEYS_SECRET],
            "verbs": readable[0]["verbs"],
        }
    ]
    assert readable[0] in rules("Role", "actor-operator")


def test_the_operator_changes_no_lease_but_its_own() -> None:
    named = rules("Role", "actor-operator", "--set=settings.lease.name=mine")
    changing = [r for r in named if "leases" in r["resources"] and r["verbs"] != ["create"]]

    assert [rule["resourceNames"] for rule in changing] == [["mine"]]
    assert not [r for r in rules("ClusterRole", "actor-operator") if "leases" in r["resources"]]


@pytest.mark.parametrize("arguments", [(), (SOME_NAMESPACES,)], ids=["whole", "some"])
def test_every_role_of_the_operator_is_bound_to_its_service_account_alone(
    arguments: tuple[str, ...],
) -> None:
    found = objects("--set=rbac.aggregate=false", WITHOUT_API, *arguments)
    bound = {
        (o["roleRef"]["kind"], o["metadata"].get("namespace", ""), o["roleRef"]["name"])
        for o in found
        if o["kind"] in {"RoleBinding", "ClusterRoleBinding"}
    }
    roles = {
        (o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"])
        for o in found
        if o["kind"] in {"Role", "ClusterRole"}
    }
    account = {
        "kind": "ServiceAccount",
        "name": "actor-operator",
        "namespace": "actor-operator-system",
    }

    assert bound == roles
    assert all(o["subjects"] == [account] for o in found if "subjects" in o)


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (
            "view",
            {(GROUP, kind, v) for kind in ("actors", "actorruns") for v in ("get", "list", "watch")}
            | {(GROUP, "storages", v) for v in ("get", "list")},
        ),
        (
            "edit",
            {
                (GROUP, kind, v)
                for kind in ("actorruns", "storages")
                for v in ("create", "update", "patch", "delete")
            },
        ),
        ("admin", {(GROUP, "actors", v) for v in ("create", "update", "patch", "delete")}),
    ],
)
def test_the_clusters_own_roles_get_exactly(role: str, rights: set[Use]) -> None:
    (found,) = (o for o in objects() if o["metadata"]["name"] == f"actor-operator-{role}")

    assert uses(found["rules"]) == rights
    assert found["metadata"]["labels"][f"rbac.authorization.k8s.io/aggregate-to-{role}"] == "true"


def test_roles_can_be_left_out() -> None:
    kinds = {o["kind"] for o in objects("--set=rbac.create=false", "--set=rbac.aggregate=false")}

    assert not kinds & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
