"""Secret fields of inputs."""

import json
from typing import Any

import pytest
from tests.support.sdk_secrets import FILE, PASSPHRASE, decrypted

from actor_operator.services.errors import ApiError
from actor_operator.services.input_secrets import Sealed, seal, secret_fields

PHRASE = "a passphrase"


def sealed(given: dict[str, Any], *names: str) -> Sealed:
    found = seal(json.dumps(given).encode(), names, PHRASE)
    assert found is not None
    return found


def test_an_sdk_reads_what_was_encrypted() -> None:
    given = {"word": "päss", "keys": {"a": [1, None]}, "list": ["x"], "open": "seen", "n": 1}
    found = sealed(given, "word", "keys", "list", "missing")
    kept = json.loads(found.body)
    assert {name for name in kept if kept[name] != given[name]} == {"word", "keys", "list"}
    assert kept["word"].startswith("ENCRYPTED_VALUE:")
    assert kept["keys"].startswith("ENCRYPTED_JSON:")
    assert decrypted(kept, {FILE: found.locked_key, PASSPHRASE: PHRASE}) == given


def test_nobody_reads_it_without_the_passphrase() -> None:
    found = sealed({"a": "x"}, "a")
    with pytest.raises(ValueError, match="password"):
        decrypted(json.loads(found.body), {FILE: found.locked_key, PASSPHRASE: "another one"})


def test_every_run_has_a_key_of_its_own() -> None:
    one, other = sealed({"a": "x"}, "a"), sealed({"a": "x"}, "a")
    assert one.locked_key != other.locked_key
    assert one.body != other.body


@pytest.mark.parametrize("given", [{}, {"b": "x"}, {"a": None}, {"a": ""}, {"a": 3}, {"a": True}])
def test_where_there_is_no_secret_there_is_no_key(given: dict[str, Any]) -> None:
    assert seal(json.dumps(given).encode(), ("a",), PHRASE) is None


def test_what_was_encrypted_for_another_run_is_refused() -> None:
    copied = json.loads(sealed({"a": "x"}, "a").body)
    with pytest.raises(ApiError, match=r"input\.a was encrypted") as caught:
        sealed(copied, "a")
    assert caught.value.error_type == "invalid-input"


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        (None, ()),
        ({"type": "object"}, ()),
        ({"properties": {"a": {"type": "string"}}}, ()),
        ({"properties": {"a": {"isSecret": True}, "b": {"isSecret": False}}}, ("a",)),
        ({"title": "isSecret", "properties": {"a": {"description": "isSecret"}}}, ()),
    ],
)
def test_the_schema_names_the_secret_fields(schema: Any, names: tuple[str, ...]) -> None:
    assert secret_fields(None if schema is None else json.dumps(schema)) == names
