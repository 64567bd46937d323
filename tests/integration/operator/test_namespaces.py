"""Installations side by side: each works in its own namespaces and in no other."""

import time
from typing import Any

import pytest
from tests.integration.operator.bench import SETTINGS, Bench
from tests.integration.operator.replica import Replica
from tests.support.apiserver import on
from tests.support.history import condition

from actor_operator.settings import LeaseSettings, Settings

INSTALL = "actor-operator.dev/install"

OTHER = "team-operator"
"""Namespace of the installation for some namespaces."""

SOME = SETTINGS.model_copy(
    update={
        "namespace": OTHER,
        "namespaces": ("team-a", "team-b"),
        "lease": LeaseSettings(name="other"),
    }
)

OF_NAMESPACES = frozenset({"actorruns", "pods", "actors"})
"""Kinds that are watched in each namespace."""


@pytest.fixture
async def world(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Namespaces `team-a`, which the other installation has claimed, and `team-b`."""
    monkeypatch.setattr("actor_operator.reconcile.claims.READ_PAUSE", 0.2)
    monkeypatch.setattr("actor_operator.reconcile.claims.HAND_OVER", 0.5)
    for name, labels in ((OTHER, {}), ("team-a", {INSTALL: OTHER}), ("team-b", {})):
        bench.server.create("namespaces", {"metadata": {"name": name, "labels": labels}}, "")
    for namespace in ("team-a", "team-b"):
        for name in ("quick", "endless"):
            build = {"number": "1.0.1", "image": f"registry.example/{name}:1"}
            spec = {"builds": [build], "taggedBuilds": {"latest": "1.0.1"}}
            bench.server.create("actors", {"metadata": {"name": name}, "spec": spec}, namespace)
    return bench


async def start(world: Bench, settings: Settings) -> Replica:
    replica = world.start(settings)
    await world.until("it has the lease", replica.operator.elector.is_leader)
    await world.until("it leads", lambda: replica.operator.controller._leading)
    return replica


def run(world: Bench, namespace: str, name: str = "run", actor: str = "quick") -> None:
    world.server.create(
        "actorruns", {"metadata": {"name": name}, "spec": {"actor": actor}}, namespace
    )


def status(world: Bench, namespace: str, name: str = "run") -> dict[str, Any]:
    found: dict[str, Any] = world.server.get("actorruns", namespace, name).get("status", {})
    return found


async def succeeds(world: Bench, namespace: str, name: str = "run") -> None:
    await world.until(
        f"the run of {namespace} succeeds",
        lambda: status(world, namespace, name).get("phase") == "SUCCEEDED",
    )


def is_untouched(world: Bench, namespace: str, name: str = "run") -> bool:
    """Whether nobody has written a status: the API server gives the first one."""
    return bool(status(world, namespace, name)["observedGeneration"] == -1)


def label(world: Bench, namespace: str, install: str | None) -> None:
    patch = {"metadata": {"labels": {INSTALL: install}}}
    world.server.patch("namespaces", "", namespace, patch)


def pods_made_by(replica: Replica) -> float:
    calls = replica.operator.metrics.calls
    return sum(
        sample.value
        for metric in calls.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
        and (sample.labels["verb"], sample.labels["kind"]) == ("create", "Pod")
    )


async def test_each_works_in_its_own_namespaces(world: Bench) -> None:
    whole, some = await start(world, SETTINGS), await start(world, SOME)

    for namespace in ("team-a", "team-b", "default"):
        run(world, namespace)
    for namespace in ("team-a", "team-b", "default"):
        await succeeds(world, namespace)

    assert (pods_made_by(whole), pods_made_by(some)) == (2, 1)
    assert sum(whole.operator.controller.census().values()) == 2
    assert sum(some.operator.controller.census().values()) == 1


async def test_an_actor_of_anothers_namespace_is_not_judged(world: Bench) -> None:
    await start(world, SETTINGS)
    run(world, "default")
    await succeeds(world, "default")

    assert condition(world.server.get("actors", "team-a", "quick"), "Ready") == {}
    assert condition(world.server.get("actors", "team-b", "quick"), "Ready")["status"] == "True"


async def test_one_for_some_namespaces_asks_for_nothing_outside_them(world: Bench) -> None:
    await start(world, SOME)
    run(world, "team-a")
    await succeeds(world, "team-a")

    asked = [r for r in world.server.requests if r.kind.split("/")[0] in OF_NAMESPACES]
    assert {r.namespace for r in asked} == {"team-a", "team-b"}
    namespaces = [r for r in world.server.requests if r.kind == "namespaces"]
    assert {(r.verb, r.name) for r in namespaces} == {("get", "team-a"), ("get", "team-b")}


async def test_one_for_some_namespaces_waits_for_their_label(world: Bench) -> None:
    await start(world, SOME)
    run(world, "team-b")
    run(world, "team-a")
    await succeeds(world, "team-a")
    assert is_untouched(world, "team-b")

    label(world, "team-b", OTHER)

    await succeeds(world, "team-b")


async def test_one_for_the_whole_cluster_takes_over_what_is_released(world: Bench) -> None:
    await start(world, SETTINGS)
    run(world, "team-a")
    run(world, "default")
    await succeeds(world, "default")
    assert is_untouched(world, "team-a")

    label(world, "team-a", None)
    released = world.server.get("namespaces", "", "team-a")
    assert INSTALL not in released["metadata"]["labels"]
    begun = time.monotonic()

    await succeeds(world, "team-a")

    assert time.monotonic() - begun > 0.5
    actor = world.server.get("actors", "team-a", "quick")
    assert condition(actor, "Ready")["status"] == "True"


async def test_one_for_the_whole_cluster_leaves_alone_what_is_claimed(world: Bench) -> None:
    whole = await start(world, SETTINGS)
    label(world, "team-b", "somebody-else")
    serves = whole.operator.controller.claims.serves
    await world.until("it has heard of it", lambda: not serves("team-b"))

    run(world, "team-b")
    run(world, "default")
    await succeeds(world, "default")

    assert is_untouched(world, "team-b")


async def test_a_run_that_moves_to_another_installation_goes_on(world: Bench) -> None:
    """Its pod was made by the one, and is told of by the other."""
    whole, some = await start(world, SETTINGS), await start(world, SOME)
    run(world, "team-b", actor="endless")
    await world.until("it runs", lambda: status(world, "team-b")["phase"] == "RUNNING")

    label(world, "team-b", OTHER)
    serves = some.operator.controller.claims.serves
    await world.until("the other has it", lambda: serves("team-b"))
    abort = {"spec": {"abort": {"attempt": 1, "mode": "Immediate"}}}
    world.server.patch("actorruns", "team-b", "run", abort)

    await world.until("it ends", lambda: status(world, "team-b")["phase"] == "ABORTED")
    assert (pods_made_by(whole), pods_made_by(some)) == (1, 0)


async def test_an_actor_that_may_not_be_read_counts_as_none(world: Bench) -> None:
    """Public Actors of other namespaces are out of sight for an installation of some."""
    world.server.faults.fail(403, on("get", "actors", namespace="default", times=None))
    await start(world, SOME)
    run(world, "team-a", actor="default/quick")

    await world.until("it fails", lambda: status(world, "team-a").get("phase") == "FAILED", 30)

    assert status(world, "team-a")["failure"]["reason"] == "ActorNotFound"


async def test_a_namespace_that_cannot_be_seen_holds_up_no_other(world: Bench) -> None:
    """It is gone, and the role in it."""
    world.server.faults.fail(403, on(namespace="team-b", times=None))
    world.server.faults.fail(403, on("get", "namespaces", "team-b", times=None))
    replica = await start(world, SOME)
    assert replica.operator.synced

    run(world, "team-a")

    await succeeds(world, "team-a")
