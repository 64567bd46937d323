"""The admission policies: in force, where the installation works, and knowing its operator."""

from typing import Any

import pytest
from tests.chart.helm import HTTP_ROUTE, INGRESS, WEB_SERVER_FROM, HelmError, objects

pytestmark = pytest.mark.chart

SOME_NAMESPACES = '--set-json=settings.namespaces=["team-a"]'
"""An installation that works in one namespace only."""


def of_kind(kind: str, *arguments: str, **options: Any) -> dict[str, dict[str, Any]]:
    """The specifications of the objects of one kind, by name."""
    found = objects(*arguments, **options)
    return {o["metadata"]["name"]: o["spec"] for o in found if o["kind"] == kind}


ALWAYS = {"immutable-input", "run-pods", "run-pod-contents", "run-network", "api-runs"}
"""The policies of every installation."""


@pytest.mark.parametrize("some", [(), (SOME_NAMESPACES,)], ids=["everywhere", "in one"])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), ALWAYS),
        (INGRESS, {*ALWAYS, "run-urls"}),
        (HTTP_ROUTE, {*ALWAYS, "run-urls", "run-url-routes"}),
        ((*INGRESS, "--set=settings.webServer.mode=none"), ALWAYS),
        ((*HTTP_ROUTE, "--set=admissionPolicies.enabled=false"), set()),
    ],
    ids=["without URLs", "with Ingresses", "with HTTPRoutes", "mode none", "without policies"],
)
def test_each_policy_is_bound_once_and_denies(
    some: tuple[str, ...], values: tuple[str, ...], expected: set[str]
) -> None:
    policies = of_kind("ValidatingAdmissionPolicy", *some, *values)
    bindings = of_kind("ValidatingAdmissionPolicyBinding", *some, *values)

    prefix = "actor-operator-actor-operator-system-" if some else "actor-operator-"
    assert set(policies) == {prefix + name for name in expected}
    assert bindings == {
        name: {"policyName": name, "validationActions": ["Deny"]} for name in policies
    }


@pytest.mark.parametrize("values", [INGRESS, HTTP_ROUTE], ids=["with Ingresses", "with HTTPRoutes"])
def test_a_policy_that_cannot_be_evaluated_refuses(values: tuple[str, ...]) -> None:
    for policy in of_kind("ValidatingAdmissionPolicy", *values).values():
        assert policy["failurePolicy"] == "Fail"


def policy_on(name: str, *arguments: str, **options: Any) -> dict[str, Any]:
    """The policy whose name ends so."""
    (found,) = (
        policy
        for full_name, policy in of_kind("ValidatingAdmissionPolicy", *arguments, **options).items()
        if full_name.endswith(f"-{name}")
    )
    return found


def run_pods(*arguments: str, **options: Any) -> dict[str, Any]:
    """The policy on the pods of runs."""
    return policy_on("run-pods", *arguments, **options)


@pytest.mark.parametrize("name", ["run-pods", "run-network", "api-runs"])
def test_what_the_operator_makes_is_guarded_where_it_works(name: str) -> None:
    def selector(*arguments: str, **options: Any) -> Any:
        return policy_on(name, *arguments, **options)["matchConstraints"]["namespaceSelector"]

    everywhere = selector()
    in_one = selector(SOME_NAMESPACES, namespace="ours")

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


@pytest.mark.parametrize(
    ("options", "account"),
    [
        ({}, "actor-operator-system:actor-operator-api"),
        ({"release": "runs", "namespace": "ours"}, "ours:runs-actor-operator-api"),
    ],
)
def test_runs_get_the_label_of_the_api_server_by_its_service_account_alone(
    options: dict[str, str], account: str
) -> None:
    (condition,) = policy_on("api-runs", **options)["matchConditions"]

    expected = f"request.userInfo.username != 'system:serviceaccount:{account}'"
    assert condition == {"name": "not-by-the-api-server", "expression": expected}


@pytest.mark.parametrize("name", ["run-urls", "run-url-routes"])
def test_hosts_are_guarded_in_all_namespaces(name: str) -> None:
    for some in ((), (SOME_NAMESPACES,)):
        found = policy_on(name, *HTTP_ROUTE, *some)["matchConstraints"]["namespaceSelector"]

        assert found == {}


@pytest.mark.parametrize("name", ["run-urls", "run-url-routes", "run-network"])
def test_routes_are_written_by_the_operator_and_whom_the_values_name(name: str) -> None:
    writers = {"admissionPolicies.routeWriters": ["system:controller:glbc", "x\"'\\"]}

    alone = policy_on(name, *HTTP_ROUTE, release="runs", namespace="ours")["matchConditions"][0]
    others = policy_on(name, *HTTP_ROUTE, values=writers)["matchConditions"][0]

    assert alone == {
        "name": "not-by-the-operator",
        "expression": "!(request.userInfo.username in"
        ' ["system:serviceaccount:ours:runs-actor-operator"])',
    }
    assert others["expression"] == (
        "!(request.userInfo.username in"
        ' ["system:serviceaccount:actor-operator-system:actor-operator",'
        '"system:controller:glbc","x\\"\'\\\\"])'
    )


def test_rules_without_a_host_are_looked_at_where_runs_have_ingresses_alone() -> None:
    assert "isOfOurClass" in str(policy_on("run-urls", *INGRESS))
    assert "isOfOurClass" not in str(policy_on("run-urls", *HTTP_ROUTE))


def test_routes_are_looked_at_in_every_version() -> None:
    (rule,) = policy_on("run-url-routes", *HTTP_ROUTE)["matchConstraints"]["resourceRules"]

    assert rule["apiVersions"] == ["*"]
    assert set(rule["resources"]) == {"httproutes", "grpcroutes", "tlsroutes"}


@pytest.mark.parametrize(
    ("left_out", "sentence"),
    [
        ("ingress.className", "webServer.ingress.className must name the IngressClass"),
        ("gateway.name", "webServer.gateway.name and .namespace must name the domain's Gateway"),
        ("gateway.namespace", "webServer.gateway.name and .namespace must name the domain's"),
    ],
)
def test_a_domain_that_nothing_serves_is_refused(left_out: str, sentence: str) -> None:
    values = INGRESS if left_out.startswith("ingress") else HTTP_ROUTE

    with pytest.raises(HelmError, match=sentence):
        objects(*values, f"--set=settings.webServer.{left_out}=")


def test_a_domain_is_refused_when_nobody_may_reach_the_runs() -> None:
    without = [value for value in INGRESS if value != WEB_SERVER_FROM]

    with pytest.raises(HelmError, match="webServerFrom must name the namespace"):
        objects(*without)
    objects(*without, "--set=settings.network.policy=false")
