"""The operator in this process, against the API server in this process."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
from tests.integration.operator.bench import SCENARIOS, Bench
from tests.support.apiserver import ApiServer, PodPlayer
from tests.support.invariants import violations

from actor_operator.kube.transport import Timeouts

SPEED = 50.0
"""Seconds of a pod's life that pass in one second."""


@pytest.fixture
async def bench(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """A bench; what was committed is checked at the end."""
    short = partial(Timeouts, connect=0.5, read=1.0, write=0.3)
    monkeypatch.setattr("actor_operator.factory.Timeouts", short)
    bench = Bench(server)
    with PodPlayer(server, SCENARIOS, speed=SPEED):
        yield bench
        await bench.close()
    assert violations(bench.history()) == []
    assert bench.unprotected == []
