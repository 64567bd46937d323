"""The NetworkPolicy of each namespace with runs: there before a pod, repaired, written seldom."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from msgspec import convert
from tests.support.builders import a_run, a_status

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.network_policy import NetworkPolicyView
from actor_operator.api.views.run import FinishedRun, RunView, stub
from actor_operator.desired.network_policy import LABELS, POLICY_NAME, build_network_policy
from actor_operator.engine.store import Store
from actor_operator.errors import NotLeaderError
from actor_operator.kube.errors import (
    AlreadyExistsError,
    ApiError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    QuotaExceededError,
    ServerError,
    TooManyRequestsError,
    UnreachableError,
)
from actor_operator.reconcile.network import PATIENCE, NetworkController
from actor_operator.settings import Settings
from actor_operator.settings_web import NetworkSettings

pytestmark = pytest.mark.looptime

OURS = build_network_policy("team", Settings())["spec"]
"""The specification of the default settings."""


class Server:
    """Stands for NetworkPolicies of the API server; tells the controller as an informer does."""

    def __init__(self) -> None:
        self.policies: dict[str, NetworkPolicyView] = {}
        self.calls: list[str] = []
        self.errors: list[Exception] = []
        self.delay = 0.0
        self.adds: dict[str, Any] = {}
        self._version = 10

    async def read(self, namespace: str, _name: str) -> NetworkPolicyView | None:
        self.calls.append(f"read {namespace}")
        return self.policies.get(namespace)

    async def create(self, namespace: str, policy: dict[str, Any]) -> NetworkPolicyView:
        await self._called("create", namespace)
        if namespace in self.policies:
            raise AlreadyExistsError("exists", status=409)
        return self.put(namespace, policy["metadata"]["labels"], policy["spec"] | self.adds)

    async def patch(self, namespace: str, _name: str, patch: dict[str, Any]) -> NetworkPolicyView:
        await self._called("patch", namespace)
        stored = self.policies.get(namespace)
        if stored is None:
            raise NotFoundError("gone", status=404)
        labels = stored.metadata.labels | patch.get("metadata", {}).get("labels", {})
        spec = stored.spec | patch.get("spec", {}) | self.adds
        return self.put(namespace, labels, {k: v for k, v in spec.items() if v is not None})

    async def _called(self, verb: str, namespace: str) -> None:
        self.calls.append(f"{verb} {namespace}")
        await asyncio.sleep(self.delay)
        if self.errors:
            raise self.errors.pop(0)

    def put(
        self, namespace: str, labels: dict[str, str], spec: dict[str, Any]
    ) -> NetworkPolicyView:
        self._version += 1
        metadata = {
            "name": POLICY_NAME,
            "namespace": namespace,
            "uid": f"uid-{namespace}",
            "resourceVersion": str(self._version),
            "labels": labels,
        }
        policy = convert({"metadata": metadata, "spec": spec}, NetworkPolicyView)
        self.policies[namespace] = policy
        return policy


class World:
    """A controller that leads, its stores, and who was woken."""

    def __init__(self, **settings: Any) -> None:
        self.server = Server()
        self.policies: Store[NetworkPolicyView] = Store()
        self.runs: Store[RunView | FinishedRun] = Store()
        self.served = {"team", "shop"}
        self.woken: list[str] = []
        self.controller = self.build(**settings)

    def build(self, **settings: Any) -> NetworkController:
        return NetworkController(
            policies=self.policies,
            runs=self.runs,
            writer=cast("Any", self.server),
            settings=Settings(network=NetworkSettings(**settings)),
            serves=lambda namespace: namespace in self.served,
        )

    def add_run(self, namespace: str = "team", name: str = "hello") -> None:
        self.runs.apply(a_run(name, namespace=namespace, uid=f"{namespace}-{name}"))

    def lead(self) -> None:
        self.controller.start_leading(self.woken.append)

    def tell(self, namespace: str = "team") -> None:
        """What the API server has becomes known, as by a watch."""
        old, new = self.policies.get(namespace, POLICY_NAME), self.server.policies.get(namespace)
        if new is not None:
            self.policies.apply(new)
        elif old is not None:
            self.policies.remove(namespace, POLICY_NAME, old.uid)
        self.controller.on_policy(old, new)

    def change(self, namespace: str = "team", **spec: Any) -> None:
        """Somebody changes the policy."""
        stored = self.server.policies[namespace]
        self.server.put(namespace, stored.metadata.labels, stored.spec | spec)
        self.tell(namespace)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.controller.stop_leading(1)


async def test_a_policy_is_made_before_the_first_pod_of_a_namespace(world: World) -> None:
    world.lead()
    world.add_run()

    assert await world.controller.ensure("team") is None
    assert world.server.calls == ["create team"]
    assert world.server.policies["team"].spec == OURS


async def test_one_write_serves_all_runs_of_a_namespace(world: World) -> None:
    world.server.delay = 0.5
    world.lead()
    for number in range(50):
        world.add_run(name=f"run-{number}")
    outcomes = await asyncio.gather(*(world.controller.ensure("team") for _ in range(50)))
    world.tell()
    await asyncio.sleep(10)

    assert set(outcomes) == {None}
    assert await world.controller.ensure("team") is None
    assert world.server.calls == ["create team"]


async def test_a_policy_that_is_there_and_right_costs_nothing(world: World) -> None:
    world.server.put("team", LABELS, OURS)
    world.tell()
    world.add_run()
    world.lead()
    await asyncio.sleep(10)

    assert await world.controller.ensure("team") is None
    assert world.server.calls == []


async def test_without_the_setting_nothing_is_made() -> None:
    world = World(policy=False)
    world.add_run()
    world.lead()
    await asyncio.sleep(1)

    assert await world.controller.ensure("team") is None
    assert world.server.calls == []


async def test_a_namespace_without_unfinished_runs_gets_no_policy(world: World) -> None:
    world.runs.apply(stub(a_run(status=a_status(phase=Phase.SUCCEEDED, finished=True))))
    world.lead()
    world.controller.look_at_namespace("team")
    await asyncio.sleep(10)

    assert world.server.calls == []


async def test_a_namespace_of_another_installation_is_left_alone(world: World) -> None:
    world.add_run("theirs")
    world.lead()
    await asyncio.sleep(10)

    with pytest.raises(NotLeaderError):
        await world.controller.ensure("theirs")
    assert world.server.calls == []


async def test_a_namespace_that_becomes_ours_gets_its_policy(world: World) -> None:
    world.add_run("theirs")
    world.lead()
    await asyncio.sleep(1)
    world.served.add("theirs")
    world.controller.look_at_namespace("theirs")
    await asyncio.sleep(1)

    assert world.server.calls == ["create theirs"]


async def test_who_does_not_lead_writes_nothing(world: World) -> None:
    world.add_run()
    world.controller.look_at_namespace("team")
    world.server.put("team", {}, {})
    world.tell()
    await asyncio.sleep(10)

    assert world.server.calls == []


# Repair


async def made(world: World) -> None:
    """A policy is made, and known by the watch."""
    world.lead()
    world.add_run()
    await world.controller.ensure("team")
    world.tell()
    world.server.calls.clear()


async def test_a_policy_that_somebody_deletes_is_made_anew_within_ten_seconds(world: World) -> None:
    await made(world)
    del world.server.policies["team"]
    world.tell()
    await asyncio.sleep(9)

    assert world.server.policies["team"].spec == OURS
    assert world.server.calls == ["create team"]


async def test_a_policy_that_somebody_opens_is_closed_within_ten_seconds(world: World) -> None:
    await made(world)
    world.change(ingress=[{}], egress=[{}], policyTypes=["Ingress"])
    await asyncio.sleep(9)

    assert world.server.policies["team"].spec == OURS
    assert world.server.calls == ["patch team"]


async def test_a_label_that_somebody_takes_off_is_put_back(world: World) -> None:
    await made(world)
    world.server.put("team", {}, OURS)
    old = world.policies.get("team", POLICY_NAME)
    assert old is not None
    world.policies.remove("team", POLICY_NAME, old.uid)  # it is not in the selection any more
    world.controller.on_policy(old, None)
    await asyncio.sleep(9)

    assert world.server.policies["team"].metadata.labels == LABELS
    assert world.server.calls == ["create team", "read team", "patch team"]


async def test_whoever_changes_a_policy_again_and_again_costs_one_write_a_second(
    world: World,
) -> None:
    await made(world)
    for number in range(100):
        world.change(policyTypes=["Ingress"], ingress=[{"ports": [{"port": number}]}])
        await asyncio.sleep(0.1)
    await asyncio.sleep(2)

    assert 5 <= len(world.server.calls) <= 11
    assert world.server.policies["team"].spec == OURS


async def test_a_changed_policy_of_a_namespace_without_runs_is_left_as_it_is(world: World) -> None:
    await made(world)
    for run in world.runs:
        world.runs.remove(run.namespace, run.name, run.uid)
    world.change(policyTypes=["Ingress"])
    await asyncio.sleep(10)

    assert world.server.calls == []


async def test_changed_settings_reach_namespaces_with_runs_when_leading_begins(
    world: World,
) -> None:
    await made(world)
    await world.controller.stop_leading(1)
    world.server.put("shop", LABELS, OURS)
    world.tell("shop")
    world.controller = world.build(allowed=("databases",))
    world.lead()
    await asyncio.sleep(1)

    assert world.server.calls == ["patch team"]
    (_, _, allowed) = world.server.policies["team"].spec["egress"]
    assert "namespaceSelector" in allowed["to"][0]


async def test_what_admission_adds_is_not_written_again_and_again(world: World) -> None:
    world.server.adds = {"egress": [{"to": [{"podSelector": {}}]}]}
    await made(world)
    for _ in range(20):
        world.tell()
        assert await world.controller.ensure("team") is None
        await asyncio.sleep(1)
    assert world.server.calls == []

    world.change(ingress=[{}])  # that was somebody else
    await asyncio.sleep(9)
    assert world.server.calls == ["patch team"]


# Refusals


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (QuotaExceededError("exceeded quota: q", status=403), Reason.NETWORK_POLICY_REFUSED),
        (
            ForbiddenError("cannot create resource", status=403, reason="Forbidden"),
            Reason.NETWORK_POLICY_REFUSED,
        ),
        (InvalidError("spec.egress", status=422, reason="Invalid"), Reason.NETWORK_POLICY_REFUSED),
        (ServerError("failed calling webhook", status=500), Reason.ADMISSION_UNAVAILABLE),
    ],
)
async def test_a_refused_policy_keeps_runs_waiting_and_they_go_on_once_it_is_there(
    world: World, error: ApiError, reason: Reason
) -> None:
    world.server.errors = [error]
    world.lead()
    world.add_run()
    refusal = await world.controller.ensure("team")

    assert refusal is not None
    assert (refusal.reason, refusal.final) == (reason, False)
    assert POLICY_NAME in refusal.message
    assert str(error) in refusal.message
    assert await world.controller.ensure("team") == refusal
    assert world.server.calls == ["create team"]  # its pause is kept
    await asyncio.sleep(6)
    assert world.woken == ["team"]
    assert await world.controller.ensure("team") is None


async def test_a_policy_that_stays_refused_is_tried_ever_more_seldom(world: World) -> None:
    world.server.errors = [InvalidError("no", status=422, reason="Invalid") for _ in range(100)]
    world.lead()
    world.add_run()
    for _ in range(600):
        await world.controller.ensure("team")
        await asyncio.sleep(1)

    assert 10 <= len(world.server.calls) <= 25


async def test_a_policy_is_not_tried_any_more_once_nobody_needs_it(world: World) -> None:
    world.server.errors = [InvalidError("no", status=422, reason="Invalid") for _ in range(100)]
    world.lead()
    world.add_run()
    await world.controller.ensure("team")
    for run in world.runs:
        world.runs.remove(run.namespace, run.name, run.uid)
    await asyncio.sleep(600)

    assert world.server.calls == ["create team"]


async def test_an_answer_that_does_not_come_holds_no_run_up_for_long(world: World) -> None:
    """An admission webhook may take all the time that a call has, and never answer."""
    world.server.delay = 30
    world.lead()
    world.add_run()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    first = await world.controller.ensure("team")
    second = await world.controller.ensure("team")

    assert first is not None
    assert first.reason is Reason.ADMISSION_UNAVAILABLE
    assert second == first
    assert loop.time() - begun == pytest.approx(PATIENCE)
    await asyncio.sleep(30)
    assert world.woken == ["team"]
    assert await world.controller.ensure("team") is None


async def test_a_namespace_without_an_answer_does_not_hold_up_another(world: World) -> None:
    world.server.delay = 30
    world.lead()
    world.add_run()
    await world.controller.ensure("team")
    world.server.delay = 0
    world.add_run("shop")

    assert await world.controller.ensure("shop") is None


@pytest.mark.parametrize(
    "error",
    [UnreachableError("gone"), ServerError("etcd", status=500), TooManyRequestsError("slow")],
)
async def test_what_passes_by_itself_is_raised_and_tried_again_soon(
    world: World, error: ApiError
) -> None:
    world.server.errors = [error]
    world.lead()
    world.add_run()
    with pytest.raises(type(error)):
        await world.controller.ensure("team")
    await asyncio.sleep(1.5)

    assert world.server.policies["team"].spec == OURS
    assert await world.controller.ensure("team") is None


async def test_a_policy_that_goes_while_it_is_corrected_is_made_anew(world: World) -> None:
    await made(world)
    world.change(policyTypes=["Ingress"])
    del world.server.policies["team"]
    await asyncio.sleep(5)
    world.tell()
    await asyncio.sleep(5)

    assert world.server.policies["team"].spec == OURS


async def test_runs_that_wait_when_the_lease_is_lost_are_told(world: World) -> None:
    world.server.delay = 1
    world.lead()
    world.add_run()
    waiting = asyncio.create_task(world.controller.ensure("team"))
    await asyncio.sleep(0.1)
    await world.controller.stop_leading(0.1)

    with pytest.raises(NotLeaderError):
        await waiting


async def test_a_refusal_is_forgotten_when_another_installation_takes_the_namespace(
    world: World,
) -> None:
    world.server.errors = [InvalidError("no", status=422, reason="Invalid")]
    world.lead()
    world.add_run()
    await world.controller.ensure("team")
    world.served.discard("team")
    await asyncio.sleep(10)
    world.served.add("team")

    assert await world.controller.ensure("team") is None
