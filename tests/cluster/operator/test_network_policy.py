"""The NetworkPolicy of runs on a real API server: taken as it is, mended, and no run without it."""

import time
from typing import Any

import pytest
from tests.cluster.operator.conftest import MakeWorkspace
from tests.support.audit import AuditLog
from tests.support.fleet import Fleet
from tests.support.history import condition
from tests.support.workspace import Admin, Workspace

from actor_operator.desired.network_policy import POLICY_NAME, build_network_policy
from actor_operator.settings import Settings
from actor_operator.settings_api import ApiSettings
from actor_operator.settings_web import NetworkSettings

pytestmark = pytest.mark.cluster

GROUP = "/apis/networking.k8s.io/v1/namespaces"

VARIANTS = {
    "the default": Settings(),
    "everything": Settings(
        network=NetworkSettings(
            web_server_from=("traefik", "192.0.2.0/28", "2001:db8::/64"),
            dns_to=("openshift-dns", "10.0.0.10"),
            dns_ports=(53, 5353),
            blocked=("203.0.113.0/24", "2001:DB8:1::/48"),
            allowed=("databases", "10.1.2.3"),
        ),
        api=ApiSettings(
            enabled=True, internal_url="http://api.ops.svc", events_url="http://events.ops.svc"
        ),
    ),
    "nothing": Settings(network=NetworkSettings(dns_to=(), blocked=("0.0.0.0/0", "::/0"))),
    "all": Settings(network=NetworkSettings(block_private=False)),
}
"""Settings, and what they are."""

QUOTA = "count/networkpolicies.networking.k8s.io"


@pytest.fixture
def fresh(fleet: Fleet, make_workspace: MakeWorkspace) -> Workspace:
    """A namespace without a policy."""
    fleet.ensure(2)
    workspace = make_workspace()
    workspace.actor("endless", "endless")
    return workspace


def stored(workspace: Workspace) -> dict[str, Any]:
    """The policy of a namespace, empty when there is none."""
    path = f"{GROUP}/{workspace.namespace}/networkpolicies/{POLICY_NAME}"
    answer = workspace.admin.call("GET", path)
    return dict(answer.body) if answer.accepted else {}


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
def test_the_api_server_takes_a_policy_and_adds_nothing(
    admin: Admin, make_workspace: MakeWorkspace, settings: Settings
) -> None:
    """Else the operator would write it for ever."""
    namespace = make_workspace().namespace
    policy = build_network_policy(namespace, settings)
    # Not with our labels: those are the operator's to give.
    plain = {**policy, "metadata": {"name": "plain", "namespace": namespace}}

    answer = admin.must("POST", f"{GROUP}/{namespace}/networkpolicies", plain)

    assert answer["spec"] == policy["spec"]


def test_it_is_written_once_for_all_runs_of_a_namespace(fresh: Workspace, audit: AuditLog) -> None:
    names = [fresh.run(f"one-of-many-{number}") for number in range(10)]
    fresh.wait_all(names)
    fresh.history()

    found = [w for w in audit.writes(fresh.namespace) if w.resource == "networkpolicies"]
    assert [(w.verb, w.code) for w in found] == [("create", 201)]
    assert stored(fresh)["spec"] == build_network_policy("", Settings())["spec"]


def test_it_comes_back_within_ten_seconds_when_it_is_deleted(fresh: Workspace) -> None:
    fresh.run("live", "endless")
    fresh.wait("live", "RUNNING")
    before = stored(fresh)
    path = f"{GROUP}/{fresh.namespace}/networkpolicies/{POLICY_NAME}"
    fresh.admin.must("DELETE", path)

    deadline = time.monotonic() + 10
    while not stored(fresh):
        assert time.monotonic() < deadline, "it does not come back"
        time.sleep(0.1)

    assert stored(fresh)["spec"] == before["spec"]
    assert stored(fresh)["metadata"]["uid"] != before["metadata"]["uid"]
    fresh.abort("live")
    fresh.wait("live", "ABORTED")


def test_a_run_waits_while_a_quota_has_no_room_for_it(fresh: Workspace) -> None:
    quotas = fresh.path("resourcequotas", core=True)
    body = {"metadata": {"name": "no-policies"}, "spec": {"hard": {QUOTA: "0"}}}
    fresh.admin.must("POST", quotas, body)
    fresh.run("unprotected")
    fresh.wait_reason("unprotected", "Admitted", "NetworkPolicyRefused")
    waiting = condition({"status": fresh.status("unprotected")}, "Admitted")

    assert waiting["status"] == "False"
    assert POLICY_NAME in waiting["message"]
    assert fresh.pods() == []
    fresh.delete("resourcequotas", "no-policies", core=True)
    assert fresh.wait("unprotected")["phase"] == "SUCCEEDED"
    assert stored(fresh) != {}
