"""What holds for all tests."""

import asyncio
import logging
import os
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest
import structlog
from tests.support.golden import Golden

from actor_operator.log import LOGGERS_OF_OTHERS

EXAMPLES = os.environ.get("HYPOTHESIS_EXAMPLES")
"""How many examples Hypothesis tries; without it few, and the same ones each time."""

hypothesis.settings.register_profile(
    "actor-operator",
    max_examples=int(EXAMPLES) if EXAMPLES else 60,
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,  # the machine may be busy; pytest-timeout is the limit
)
hypothesis.settings.load_profile("actor-operator")


@pytest.hookimpl
def pytest_configure() -> None:
    """Keep looptime from making an event loop that nobody closes.

    It asks asyncio for the current loop before each test, also before those that have none; until
    the first loop was set, even to nothing, Python 3.11 answers by making one.
    """
    asyncio.set_event_loop(None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that is skipped has failed: what cannot run there proves nothing."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of this project."""
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite golden files with what came out"
    )


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Generator[None]:
    """A test that configures logging, as every command does, must not do so for the others."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    if structlog.is_configured():
        root.handlers, root.level = handlers, level
        for name in LOGGERS_OF_OTHERS:
            logging.getLogger(name).setLevel(logging.NOTSET)
        structlog.reset_defaults()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """The golden files beside the test."""
    folder = Path(request.path).parent / "golden"
    return Golden(folder, update=bool(request.config.getoption("--update-golden")))
