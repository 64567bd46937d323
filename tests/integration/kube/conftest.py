"""Fixtures of the client's tests."""

from collections.abc import AsyncIterator

import pytest
from tests.support.answering_server import Server, answering_server


@pytest.fixture
async def http() -> AsyncIterator[Server]:
    """A server of which the test says what it answers."""
    async with answering_server() as server:
        yield server
