"""What holds for all tests."""

import asyncio

import pytest


@pytest.hookimpl
def pytest_configure() -> None:
    """Keep looptime from making an event loop that nobody closes.

    It asks asyncio for the current loop before each test, also before those that have none; until
    the first loop was set, even to nothing, Python 3.11 answers by making one.
    """
    asyncio.set_event_loop(None)
