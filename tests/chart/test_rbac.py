"""The operator's rights are what its code calls, and the users' roles are what the docs say."""

from collections.abc import Iterable
from typing import Any

import pytest
from tests.chart.helm import objects
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


def operator_rules() -> list[dict[str, Any]]:
    """Every rule of the operator's service account."""
    return [
        *rules("ClusterRole", "actor-operator"),
        *rules("Role", "actor-operator"),
    ]


def test_the_operator_may_do_what_its_code_calls() -> None:
    assert verbs_in_code() - uses(operator_rules()) == set()


def test_the_operator_may_do_nothing_that_its_code_does_not_call() -> None:
    assert uses(operator_rules()) - verbs_in_code() == set()


def test_there_is_no_wildcard() -> None:
    for found in objects():
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


def test_every_role_of_the_operator_is_bound_to_its_service_account_alone() -> None:
    bindings = {
        (found["roleRef"]["kind"], found["roleRef"]["name"]): found["subjects"]
        for found in objects()
        if found["kind"] in {"RoleBinding", "ClusterRoleBinding"}
    }

    account = {
        "kind": "ServiceAccount",
        "name": "actor-operator",
        "namespace": "actor-operator-system",
    }
    assert bindings == {
        ("ClusterRole", "actor-operator"): [account],
        ("Role", "actor-operator"): [account],
    }


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (
            "view",
            {
                (GROUP, kind, v)
                for kind in ("actors", "actorruns")
                for v in ("get", "list", "watch")
            },
        ),
        ("edit", {(GROUP, "actorruns", v) for v in ("create", "update", "patch", "delete")}),
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
