"""The rights of the API server's two parts are what their code calls, each its own."""

from collections.abc import Iterable
from typing import Any

import pytest
from tests.chart.helm import IDENTITIES, NAMESPACE, RELEASE, objects, one
from tests.chart.test_rbac import FORBIDDEN_RESOURCES, SOME_NAMESPACES, uses
from tests.chart.verbs_in_code import Use, verbs_in_code

pytestmark = pytest.mark.chart

CODE = {
    "api": "actor_operator.server.main:run_api",
    "events": "actor_operator.server.events_main:run_events",
}
"""Where the code of each part begins."""

FOR_IDENTITIES = {
    ("authentication.k8s.io", "tokenreviews", "create"),
    ("authorization.k8s.io", "subjectaccessreviews", "create"),
}
"""Rights that the API has where it takes tokens of Kubernetes."""

each_part = pytest.mark.parametrize("part", CODE)


def roles(part: str, *arguments: str) -> list[dict[str, Any]]:
    """The roles that are bound to the service account of a part."""
    account = {"kind": "ServiceAccount", "name": f"{RELEASE}-{part}", "namespace": NAMESPACE}
    found = objects("--set=rbac.aggregate=false", *arguments)
    bound = {
        (o["roleRef"]["kind"], o["metadata"].get("namespace"), o["roleRef"]["name"])
        for o in found
        if o.get("subjects") == [account]
    }
    return [
        o
        for o in found
        if (o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) in bound
    ]


def rights(found: Iterable[dict[str, Any]]) -> set[Use]:
    """The rights of some roles, one each."""
    return {use for role in found for use in uses(role["rules"])}


@each_part
def test_a_part_may_do_what_its_code_calls_and_nothing_else(part: str) -> None:
    assert rights(roles(part, IDENTITIES)) == verbs_in_code(CODE[part])


@each_part
def test_for_some_namespaces_a_part_has_the_same_rights(part: str) -> None:
    assert rights(roles(part, SOME_NAMESPACES)) == rights(roles(part))


@each_part
def test_for_some_namespaces_rights_on_runs_and_pods_are_in_these_alone(part: str) -> None:
    found = roles(part, SOME_NAMESPACES)
    whole = {kind for role in found if role["kind"] == "ClusterRole" for kind in kinds_of(role)}
    inside = {o["metadata"]["namespace"]: kinds_of(o) for o in found if o["kind"] == "Role"}

    assert not whole & {"actorruns", "actors", "pods", "pods/log"}
    assert inside.keys() == {"team-a", "team-b"}
    assert inside["team-a"] == inside["team-b"] >= {"actorruns", "pods"}


def kinds_of(role: dict[str, Any]) -> set[str]:
    """The resources that a role is about."""
    return {kind for rule in role["rules"] for kind in rule["resources"]}


@each_part
def test_every_role_of_a_part_is_bound_to_its_service_account(part: str) -> None:
    for arguments in ((), (SOME_NAMESPACES,)):
        named = {
            (o["kind"], o["metadata"].get("namespace"))
            for o in objects(*arguments)
            if o["kind"] in {"Role", "ClusterRole"}
            and o["metadata"]["labels"].get("app.kubernetes.io/component") == part
        }
        assert named == {
            (o["kind"], o["metadata"].get("namespace")) for o in roles(part, *arguments)
        }


@each_part
def test_a_part_reads_no_secret_writes_no_status_and_takes_over_nothing(part: str) -> None:
    found = {resource for _, resource, _ in rights(roles(part, IDENTITIES))}

    assert not {kind for kind in found if "secrets" in kind or kind.endswith("/status")}
    assert not found & FORBIDDEN_RESOURCES


def test_tokens_of_kubernetes_need_two_rights_more() -> None:
    assert rights(roles("api", IDENTITIES)) - rights(roles("api")) == FOR_IDENTITIES
    assert rights(roles("api", IDENTITIES, SOME_NAMESPACES)) >= FOR_IDENTITIES
    assert rights(roles("events", IDENTITIES)) == rights(roles("events"))


def test_roles_of_the_api_server_can_be_left_out() -> None:
    kinds = {o["kind"] for o in objects("--set=rbac.create=false", "--set=rbac.aggregate=false")}

    assert not kinds & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}
    assert one("ServiceAccount", f"{RELEASE}-api", "--set=rbac.create=false")
