"""Fixtures of the integration level: an API server in this process."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.support.apiserver import ApiServer, PodPlayer

CRDS = Path(__file__).parents[2] / "crds"
"""The project's definitions."""

PLAYER_SPEED = 100.0
"""Seconds of a pod's life that pass in one second."""


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    """A server with our kinds and the namespaces `default` and `actor-operator-system`."""
    server = ApiServer(
        crds=sorted(CRDS.glob("*.yaml")), namespaces=["default", "actor-operator-system"]
    )
    async with server:
        yield server


@pytest.fixture
def player(server: ApiServer) -> Iterator[PodPlayer]:
    """Scheduler and kubelet for all pods: a second of running, exit 0, unless told otherwise."""
    with PodPlayer(server, speed=PLAYER_SPEED) as player:
        yield player
