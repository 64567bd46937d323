"""Fixtures of the engine's tests."""

from collections.abc import AsyncIterator

import pytest
from tests.support.informer_world import World


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    await world.stop()
