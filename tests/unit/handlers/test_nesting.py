"""A run whose input is nested as deep as the API server takes it harms nobody."""

import sys
from collections.abc import Iterator

import pytest

from actor_operator.api.views.run import RunView
from actor_operator.desired.environment import compact_input
from actor_operator.engine.wire import PAGES
from actor_operator.errors import ConfigurationError
from actor_operator.handlers import startup
from actor_operator.kube.runs import decode_run
from actor_operator.settings import Settings

DEEPEST = 9_990
"""Levels of lists in an input that kube-apiserver 1.36 still took (it refuses 10,000)."""


@pytest.fixture(autouse=True)
def _limit_as_it_was() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(limit)


def test_the_operator_reads_such_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a list, as a run, and as the input of its container."""

    def no_cluster() -> None:
        raise ConfigurationError("there is no cluster here")

    monkeypatch.setattr(startup, "connect", no_cluster)
    with pytest.raises(ConfigurationError, match="no cluster here"):
        startup.run_operator(Settings())

    nested = b"[" * DEEPEST + b"]" * DEEPEST
    run = b'{"metadata":{"name":"deep"},"spec":{"actor":"a","input":{"a":%s}}}' % nested
    page = PAGES.decode(b'{"metadata":{"resourceVersion":"1"},"items":[%s]}' % run)

    assert page.items is not None
    read = decode_run(bytes(page.items[0]))
    assert isinstance(read, RunView)
    assert compact_input(read) == b'{"a":%s}' % nested
