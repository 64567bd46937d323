"""When the API server is asked for a run's Actor: only before the run fails for want of it."""

import pytest
from tests.support.builders import a_run, an_actor
from tests.support.toy_cluster import ToyActors, ToyCluster
from tests.support.toy_operator import ToyOperator
from typing_extensions import override

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.lifecycle.decide import ACTOR_WINDOW

LATE = ACTOR_WINDOW.total_seconds() + 1
"""When a run has waited for so long, a watch may have missed its Actor."""


class CountingActors(ToyActors):
    """The API server's Actors, and how often they were asked for."""

    reads = 0

    @override
    async def read(self, namespace: str, name: str) -> ActorView | None:
        CountingActors.reads += 1
        return await super().read(namespace, name)


@pytest.fixture(autouse=True)
def counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.toy_operator.ToyActors", CountingActors)
    monkeypatch.setattr(CountingActors, "reads", 0)


def begin(actor: ActorView | None, **spec: str) -> ToyOperator:
    """An operator that begins long after a run was made."""
    operator = ToyOperator(ToyCluster(a_run(**spec), actor))  # type: ignore[arg-type]
    operator.cluster.pass_time(LATE)
    return operator


def phase(operator: ToyOperator) -> Phase:
    run: RunView | FinishedRun = operator.cluster.run
    return run.status.phase if isinstance(run, RunView) else run.phase


def test_an_actor_that_is_known_is_not_read() -> None:
    operator = begin(an_actor())

    operator.work()

    assert operator.cluster.pod is not None
    assert CountingActors.reads == 0


def test_a_run_whose_actor_no_watch_has_told_of_finds_it_before_it_fails() -> None:
    operator = begin(None)
    operator.cluster.actor = an_actor()

    operator.work()

    assert operator.cluster.pod is not None
    assert CountingActors.reads == 1


def test_a_run_finds_a_build_of_which_no_watch_has_told_before_it_fails() -> None:
    operator = begin(an_actor(), build="beta")
    operator.cluster.actor = an_actor(tagged_builds={"beta": "1.0.1"})

    operator.work()

    assert operator.cluster.pod is not None
    assert CountingActors.reads == 1


def test_a_run_without_an_actor_fails_when_the_api_server_has_none_either() -> None:
    operator = begin(None)

    operator.work()

    assert phase(operator) is Phase.FAILED
    assert CountingActors.reads == 1
