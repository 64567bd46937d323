"""The input of a run and its name, before anything is sent."""

import re
from typing import Any

import pytest

from actor_operator.api.scalars import NAME_LABEL
from actor_operator.cli.inputs import InputError, generated_name, parse_input, run_manifest
from actor_operator.constants import MAX_INPUT_BYTES, MAX_NAME_LENGTH


def padded(size: int) -> bytes:
    """An object of so many bytes as compact JSON, written with spaces."""
    return b'{ "a" : "' + b"x" * (size - len('{"a":""}')) + b'" }\n'


def test_an_input_is_a_json_object() -> None:
    assert parse_input(b'{"message": "Hi", "n": [1, 2.5, null]}') == {
        "message": "Hi",
        "n": [1, 2.5, None],
    }


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse_input(b"\xef\xbb\xbf{}") == {}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "it is not JSON: Expecting value (line 1, column 1)"),
        (b'{"a": 1,\n}', "it is not JSON: "),
        (b"[1]", "it must be a JSON object ({…}), not an array"),
        (b'"text"', "it must be a JSON object ({…}), not a string"),
        (b"null", "it must be a JSON object ({…}), not null"),
        (b"true", "it must be a JSON object ({…}), not a boolean"),
        (b"7", "it must be a JSON object ({…}), not a number"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b'{"a": "\xff"}', "it is not UTF-8 (byte 7)"),
        (b'{"a": "\\ud800"}', "it cannot be sent: "),
        (b'{"a":' * 100_000, "it is nested too deeply"),
    ],
)
def test_what_is_no_input_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_input(data)

    assert str(caught.value).startswith(sentence)


def test_the_largest_input_counts_as_compact_json() -> None:
    assert len(padded(MAX_INPUT_BYTES)) > MAX_INPUT_BYTES
    assert parse_input(padded(MAX_INPUT_BYTES))["a"]


def test_a_larger_input_is_refused_with_both_sizes() -> None:
    with pytest.raises(InputError, match=r"65,537 bytes as compact JSON; 65,536 are allowed"):
        parse_input(padded(MAX_INPUT_BYTES + 1))


def test_bytes_count_and_not_symbols() -> None:
    data = ('{"a": "' + "ä" * 40_000 + '"}').encode()

    with pytest.raises(InputError, match="80,008 bytes"):
        parse_input(data)


@pytest.mark.parametrize(
    ("actor", "beginning"),
    [
        ("hello-world", "hello-world-"),
        ("acme/hello", "hello-"),
        ("a" * 63, "a" * 44 + "-"),
        ("a" * 43 + "-bc", "a" * 43 + "-"),
    ],
)
def test_a_generated_name_begins_with_the_actors_and_is_a_name(actor: str, beginning: str) -> None:
    name = generated_name(actor)

    assert re.fullmatch(re.escape(beginning) + "[a-z0-9]{5}", name)
    assert len(name) <= MAX_NAME_LENGTH
    assert re.fullmatch(NAME_LABEL, name)


def test_generated_names_differ() -> None:
    assert len({generated_name("hello") for _ in range(100)}) == 100


def test_a_manifest_holds_only_what_was_given() -> None:
    spec: dict[str, Any] = {"actor": "hello", "build": None, "timeoutSecs": 0, "input": {}}

    assert run_manifest("x", "team", spec) == {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorRun",
        "metadata": {"name": "x", "namespace": "team"},
        "spec": {"actor": "hello", "timeoutSecs": 0, "input": {}},
    }
