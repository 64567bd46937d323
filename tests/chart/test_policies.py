"""The admission policies: in force, where the installation works, and knowing its operator."""

from typing import Any

import pytest
from tests.chart.helm import objects

pytestmark = pytest.mark.chart

SOME_NAMESPACES = '--set-json=settings.namespaces=["team-a"]'
"""An installation that works in one namespace only."""


def of_kind(kind: str, *arguments: str, **options: Any) -> dict[str, dict[str, Any]]:
    """The specifications of the objects of one kind, by name."""
    found = objects(*arguments, **options)
    return {o["metadata"]["name"]: o["spec"] for o in found if o["kind"] == kind}


@pytest.mark.parametrize("arguments", [(), (SOME_NAMESPACES,)], ids=["everywhere", "in one"])
def test_each_policy_is_bound_once_and_denies(arguments: tuple[str, ...]) -> None:
    policies = of_kind("ValidatingAdmissionPolicy", *arguments)
    bindings = of_kind("ValidatingAdmissionPolicyBinding", *arguments)

    assert len(policies) == 2
    assert bindings == {
        name: {"policyName": name, "validationActions": ["Deny"]} for name in policies
    }


def test_a_policy_that_cannot_be_evaluated_refuses() -> None:
    for policy in of_kind("ValidatingAdmissionPolicy").values():
        assert policy["failurePolicy"] == "Fail"


def run_pods(*arguments: str, **options: Any) -> dict[str, Any]:
    """The policy on the pods of runs."""
    (found,) = (
        policy
        for name, policy in of_kind("ValidatingAdmissionPolicy", *arguments, **options).items()
        if name.endswith("-run-pods")
    )
    return found


def test_pods_are_guarded_where_the_operator_works() -> None:
    everywhere = run_pods()["matchConstraints"]["namespaceSelector"]
    in_one = run_pods(SOME_NAMESPACES, namespace="ours")["matchConstraints"]["namespaceSelector"]

    claim = "actor-operator.dev/install"
    assert everywhere == {"matchExpressions": [{"key": claim, "operator": "DoesNotExist"}]}
    assert in_one == {"matchLabels": {claim: "ours"}}


def test_pods_are_guarded_at_creation_and_change_and_may_be_deleted_and_evicted() -> None:
    (rule,) = run_pods()["matchConstraints"]["resourceRules"]

    assert rule["operations"] == ["CREATE", "UPDATE"]
    assert set(rule["resources"]) == {
        *("pods", "pods/status", "pods/resize", "pods/ephemeralcontainers")
    }


@pytest.mark.parametrize(
    ("arguments", "options", "account"),
    [
        ((), {}, "actor-operator-system:actor-operator"),
        ((), {"release": "runs", "namespace": "ours"}, "ours:runs-actor-operator"),
        (("--set=serviceAccount.name=mine",), {}, "actor-operator-system:mine"),
    ],
)
def test_pods_are_made_by_the_service_account_of_the_operator(
    arguments: tuple[str, ...], options: dict[str, str], account: str
) -> None:
    first = run_pods(*arguments, **options)["matchConditions"][0]

    expected = f"request.userInfo.username != 'system:serviceaccount:{account}'"
    assert first == {"name": "not-by-the-operator", "expression": expected}
