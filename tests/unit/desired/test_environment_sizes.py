"""Limits of the environment, in bytes: one below is taken, one above is refused in words."""

import pytest
from tests.support.builders import SETTINGS, a_run, an_actor

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.run import RunView
from actor_operator.constants import MAX_INPUT_BYTES, MAX_VARIABLE_BYTES
from actor_operator.desired.environment import (
    MAX_SECRET_BYTES,
    Environment,
    build_environment,
    compact_input,
)
from actor_operator.desired.resolve import resolve
from actor_operator.errors import TerminalError

EURO = "€"
"""One character, three bytes."""


def build(run: RunView, **variables: str) -> Environment:
    return build_environment(run, resolve(run, an_actor(env=dict(variables)), SETTINGS), {})


def refusal(run: RunView, **variables: str) -> TerminalError:
    with pytest.raises(TerminalError) as caught:
        build(run, **variables)
    return caught.value


def an_input(size: int, symbol: str = "x") -> RunView:
    """A run whose input has exactly so many bytes as compact JSON."""
    frame, width = len(b'{"a":""}'), len(symbol.encode())
    symbols, rest = divmod(size - frame, width)
    return a_run(input={"a": symbol * symbols + "x" * rest})


@pytest.mark.parametrize("symbol", ["x", EURO])
def test_an_input_of_exactly_the_limit_is_taken(symbol: str) -> None:
    run = an_input(MAX_INPUT_BYTES, symbol)

    assert len(compact_input(run) or b"") == 65_536
    assert build(run).literals["ACTOR_INPUT_JSON"]


@pytest.mark.parametrize("symbol", ["x", EURO])
def test_an_input_of_one_byte_more_is_refused_with_both_sizes(symbol: str) -> None:
    error = refusal(an_input(MAX_INPUT_BYTES + 1, symbol))

    assert error.reason == Reason.INPUT_TOO_LARGE
    assert "65537 bytes" in str(error)
    assert "65536" in str(error)


def test_white_space_between_does_not_count_in_the_input() -> None:
    run = a_run(input={"a": [1] * 1000})

    assert len(compact_input(run) or b"") == len('{"a":[') + 1000 + 999 + len("]}")


@pytest.mark.parametrize("symbol", ["x", EURO])
def test_a_variable_of_exactly_the_limit_is_taken(symbol: str) -> None:
    room = MAX_VARIABLE_BYTES - len("BIG=")
    symbols, rest = divmod(room, len(symbol.encode()))
    value = symbol * symbols + "x" * rest

    assert len(f"BIG={value}".encode()) == 131_071
    assert build(a_run(), BIG=value).literals["BIG"] == value


@pytest.mark.parametrize("symbol", ["x", EURO])
def test_a_variable_of_one_byte_more_is_refused_with_its_name_and_size(symbol: str) -> None:
    room = MAX_VARIABLE_BYTES + 1 - len("BIG=")
    symbols, rest = divmod(room, len(symbol.encode()))
    error = refusal(a_run(), BIG=symbol * symbols + "x" * rest)

    assert error.reason == Reason.ENVIRONMENT_TOO_LARGE
    assert "BIG has 131072 bytes" in str(error)
    assert "131071" in str(error)


def test_variables_that_are_too_large_together_are_refused_before_the_api_server_does() -> None:
    nine = {f"BIG_{number}": "x" * 120_000 for number in range(9)}
    error = refusal(a_run(), **nine)

    assert error.reason == Reason.ENVIRONMENT_TOO_LARGE
    assert str(MAX_SECRET_BYTES) in str(error)


def test_variables_just_within_a_secret_are_taken() -> None:
    eight = {f"BIG_{number}": "x" * 130_000 for number in range(8)}

    assert len(build(a_run(), **eight).literals) > 8


def test_the_names_of_the_limits_are_linuxs_and_kubernetes() -> None:
    assert MAX_VARIABLE_BYTES == 32 * 4096 - 1
    assert MAX_SECRET_BYTES == 1024 * 1024
