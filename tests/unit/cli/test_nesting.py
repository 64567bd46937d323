"""A run whose input is nested as deep as the API server takes it does not hide the others."""

import sys
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from actor_operator.cli import session
from actor_operator.cli.main import cli
from actor_operator.cli.objects import decode_run
from actor_operator.engine.wire import PAGES
from actor_operator.errors import ConfigurationError

DEEPEST = 9_990
"""Levels of lists in an input that kube-apiserver 1.36 still took (it refuses 10,000)."""


@pytest.fixture(autouse=True)
def _process_as_it_was() -> Iterator[None]:
    limit = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(limit)


def test_a_command_that_talks_to_a_cluster_reads_such_a_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_cluster(*_: object) -> None:
        raise ConfigurationError("there is no cluster here")

    monkeypatch.setattr(session, "connect", no_cluster)
    assert "there is no cluster here" in CliRunner().invoke(cli, ["get"]).stderr

    nested = b"[" * DEEPEST + b"]" * DEEPEST
    run = b'{"metadata":{"name":"deep"},"spec":{"actor":"a","input":{"a":%s}}}' % nested
    page = PAGES.decode(b'{"metadata":{"resourceVersion":"1"},"items":[%s]}' % run)

    assert page.items is not None
    assert decode_run(page.items[0]).as_dict()["metadata"] == {"name": "deep"}
