"""The NetworkPolicy of runs: there before the first pod, mended, and no run without it."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.operator.bench import SETTINGS, Bench, Workload
from tests.support.apiserver import on
from tests.support.history import condition

from actor_operator.desired.network_policy import POLICY_NAME, build_network_policy
from actor_operator.settings import Settings
from actor_operator.settings_web import NetworkSettings

POLICIES = "networkpolicies"

QUOTA = "exceeded quota: small, requested: count/networkpolicies.networking.k8s.io=1"
"""What a ResourceQuota makes the API server say."""


def policy(bench: Bench, namespace: str = "default") -> dict[str, Any] | None:
    return bench.server.find(POLICIES, namespace, POLICY_NAME)


def spec(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = (policy(bench) or {}).get("spec", {})
    return found


def wanted(settings: Settings = SETTINGS) -> dict[str, Any]:
    found: dict[str, Any] = build_network_policy("default", settings)["spec"]
    return found


def writes(bench: Bench) -> list[str]:
    """Writes of policies and of pods, in words."""
    kinds = {POLICIES, "pods"}
    found = (r for r in bench.server.requests if r.is_write and r.kind in kinds)
    return [f"{r.verb} {r.kind}" for r in found]


def admitted(bench: Bench, name: str = "subject") -> tuple[str, str]:
    """Status and reason of the condition Admitted."""
    run = bench.server.get("actorruns", "default", name)
    found = condition(run, "Admitted")
    return found.get("status", ""), found.get("reason", "")


async def running(bench: Bench) -> None:
    await bench.leading(bench.start())
    bench.create(Workload("endless"))
    await bench.phase("RUNNING")


async def test_one_policy_is_made_before_the_first_pod_and_none_for_later_runs(
    bench: Bench,
) -> None:
    await bench.leading(bench.start())
    await bench.drive(Workload())
    await bench.drive(Workload(), "second")

    assert writes(bench)[:2] == [f"create {POLICIES}", "create pods"]
    assert writes(bench).count(f"create {POLICIES}") == 1
    assert f"patch {POLICIES}" not in writes(bench)
    assert len(bench.writes()) == len(bench.writes("second")) == 5
    assert spec(bench) == wanted()


async def test_runs_that_begin_together_share_one_write(bench: Bench) -> None:
    await bench.leading(bench.start())
    names = [f"run-{number}" for number in range(10)]
    for name in names:
        bench.create(Workload("endless"), name)
    for name in names:
        await bench.phase("RUNNING", name)

    assert writes(bench).count(f"create {POLICIES}") == 1


async def test_without_the_setting_there_is_no_policy(bench: Bench) -> None:
    settings = SETTINGS.model_copy(update={"network": NetworkSettings(policy=False)})
    await bench.leading(bench.start(settings))
    await bench.drive(Workload())

    assert policy(bench) is None


def delete(bench: Bench) -> None:
    bench.server.delete(POLICIES, "default", POLICY_NAME)


def open_it(bench: Bench) -> None:
    patch: dict[str, Any] = {"spec": {"ingress": [{}], "egress": [{}]}}
    bench.server.patch(POLICIES, "default", POLICY_NAME, patch)


def hide(bench: Bench) -> None:
    patch: dict[str, Any] = {"metadata": {"labels": None}, "spec": {"policyTypes": ["Ingress"]}}
    bench.server.patch(POLICIES, "default", POLICY_NAME, patch)


@pytest.mark.parametrize("change", [delete, open_it, hide])
async def test_what_somebody_does_to_the_policy_of_a_live_run_is_mended_within_ten_seconds(
    bench: Bench, change: Callable[[Bench], None]
) -> None:
    await running(bench)
    change(bench)
    assert spec(bench) != wanted()

    await bench.until("it is as before", lambda: spec(bench) == wanted(), seconds=10)
    labels = (policy(bench) or {})["metadata"]["labels"]
    assert labels == build_network_policy("", Settings())["metadata"]["labels"]


async def test_the_policy_stays_when_its_runs_have_ended(bench: Bench) -> None:
    await bench.leading(bench.start())
    await bench.drive(Workload())

    assert spec(bench) == wanted()


async def test_changed_settings_reach_a_namespace_with_runs_when_another_leads(
    bench: Bench,
) -> None:
    await running(bench)
    await bench.replicas[0].stop()
    network = NetworkSettings(web_server_from=("traefik",), allowed=("databases",))
    settings = SETTINGS.model_copy(update={"network": network})
    await bench.leading(bench.start(settings))

    await bench.until("it is the new one", lambda: spec(bench) == wanted(settings), seconds=5)
    assert writes(bench).count(f"patch {POLICIES}") == 1
    bench.replicas.pop(0)


async def test_no_pod_is_made_while_the_policy_is_refused_and_then_the_run_goes_on(
    bench: Bench,
) -> None:
    await bench.leading(bench.start())
    which = on("create", POLICIES, times=None)
    fault = bench.server.faults.fail(403, which, message=QUOTA)
    bench.create(Workload())
    refused = ("False", "NetworkPolicyRefused")
    await bench.until("it says so", lambda: admitted(bench) == refused)

    assert "create pods" not in writes(bench)
    assert bench.status()["phase"] == "READY"
    assert len(fault.hits) == 1
    bench.server.faults.clear()
    await bench.phase("SUCCEEDED")
    assert spec(bench) == wanted()


async def test_a_policy_without_an_answer_holds_up_no_other_namespace(bench: Bench) -> None:
    """As with an admission webhook that never answers."""
    bench.server.create("namespaces", {"metadata": {"name": "other"}}, "")
    build = {"number": "1.0.1", "image": "registry.example/quick:1"}
    actor = {"builds": [build], "taggedBuilds": {"latest": "1.0.1"}}
    bench.server.create("actors", {"metadata": {"name": "quick"}, "spec": actor}, "other")
    await bench.leading(bench.start())
    bench.server.faults.hang(on("create", POLICIES, namespace="default", times=None))
    for number in range(40):
        bench.create(Workload(), f"run-{number}")
    bench.server.create(
        "actorruns", {"metadata": {"name": "quick"}, "spec": {"actor": "quick"}}, "other"
    )

    def phase() -> str:
        run = bench.server.get("actorruns", "other", "quick")
        return str(run.get("status", {}).get("phase"))

    await bench.until("the other run ends", lambda: phase() == "SUCCEEDED", seconds=10)
    assert bench.server.objects("pods", "default") == []
    bench.server.faults.clear()
    for number in range(40):
        await bench.phase("SUCCEEDED", f"run-{number}")


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_crash_at_the_write_of_the_policy_costs_nothing(bench: Bench, moment: str) -> None:
    first = bench.start()
    await bench.leading(first)
    bench.server.faults.call(first.crash, on("create", POLICIES), applied=moment == "after")
    bench.expect_crash(first)
    await bench.drive(Workload())

    assert first.crashed
    assert bench.status()["phase"] == "SUCCEEDED"
    assert spec(bench) == wanted()
