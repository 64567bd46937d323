"""Actors: the condition ``Ready``, and that it is written only when it says something new."""

from datetime import datetime
from typing import Any, cast

from msgspec.structs import replace
from tests.support.builders import an_actor, at

from actor_operator.api.views.actor import ActorStatus, ActorView
from actor_operator.engine.store import Store
from actor_operator.reconcile.actor import ActorController, judge


def versioned(actor: ActorView, version: str = "1") -> ActorView:
    return replace(actor, metadata=replace(actor.metadata, resource_version=version))


class Writer:
    """Stands for Actors of the API server."""

    def __init__(self) -> None:
        self.written: list[ActorStatus] = []

    async def write_status(self, actor: ActorView, status: ActorStatus) -> ActorView:
        self.written.append(status)
        return versioned(replace(actor, status=status), "2")

    def now(self) -> datetime:
        return at(5)


def ready(actor: ActorView) -> tuple[str, str, str]:
    (condition,) = judge(actor, at(0)).conditions
    assert condition.type == "Ready"
    return condition.status, condition.reason, condition.message


def test_an_actor_whose_tags_all_point_to_builds_is_ready() -> None:
    assert ready(an_actor()) == ("True", "TagsResolved", "Each tag points to a build.")
    assert ready(an_actor(tagged_builds={}))[0] == "True"


def test_an_actor_with_tags_that_point_nowhere_is_not_ready_and_names_them() -> None:
    actor = an_actor(tagged_builds={"latest": "1.0.1", "old": "0.0.1", "beta": "9.9.9"})

    assert ready(actor) == ("False", "BuildNotFound", "These tags point to no build: beta, old.")


def test_the_generation_is_told_with_status_and_condition() -> None:
    status = judge(an_actor(), at(0))

    assert status.observed_generation == status.conditions[0].observed_generation == 3


def test_the_transition_time_moves_only_when_readiness_flips() -> None:
    first = judge(an_actor(), at(0))
    same = judge(replace(an_actor(), status=first), at(9.5))
    flipped = judge(replace(an_actor(tagged_builds={"x": "0.0.0"}), status=first), at(9.5))

    assert same.conditions[0].last_transition_time == at(0)
    assert flipped.conditions[0].last_transition_time == at(9)


async def reconciled(
    actor: ActorView | None, served: frozenset[str] = frozenset({"team"})
) -> tuple[list[ActorStatus], Store[ActorView]]:
    store: Store[ActorView] = Store()
    if actor is not None:
        store.apply(versioned(actor))
    writer = Writer()
    fake = cast("Any", writer)
    controller = ActorController(
        actors=store, writer=fake, serves=lambda namespace: namespace in served, clock=writer
    )
    await controller.reconcile(("team", "greeter"))
    return writer.written, store


async def test_a_new_actor_is_judged_once() -> None:
    written, store = await reconciled(an_actor())

    assert written == [judge(an_actor(), at(5))]
    stored = store.get("team", "greeter")
    assert stored is not None
    assert stored.status == written[0]


async def test_an_actor_that_was_judged_in_this_generation_is_not_written() -> None:
    written, _ = await reconciled(replace(an_actor(), status=judge(an_actor(), at(0))))

    assert written == []


async def test_an_actor_that_is_gone_is_none() -> None:
    written, _ = await reconciled(None)

    assert written == []


async def test_an_actor_of_anothers_namespace_is_left_alone() -> None:
    written, _ = await reconciled(an_actor(), served=frozenset())

    assert written == []
