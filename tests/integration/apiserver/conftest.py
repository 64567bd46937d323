"""Clients of the server under test."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from tests.contract.client import Api, no_compaction
from tests.support.apiserver import ApiServer


@pytest.fixture
async def session(server: ApiServer) -> AsyncIterator[aiohttp.ClientSession]:
    """A session with the server."""
    async with aiohttp.ClientSession(server.url) as session:
        yield session


@pytest.fixture
def api(session: aiohttp.ClientSession) -> Api:
    """A client in the namespace `default`."""
    return Api(session, "default", no_compaction, is_real=False)
