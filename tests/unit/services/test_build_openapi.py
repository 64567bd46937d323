"""OpenAPI documents of builds."""

from typing import Any

import jsonschema_rs
import msgspec
import pytest

from actor_operator.api.views.full_actor import FullActor, FullActorSpec, FullBuild
from actor_operator.api.views.metadata import Metadata
from actor_operator.services.actor_directory import FoundActor
from actor_operator.services.build_openapi import build_openapi
from actor_operator.services.errors import ApiError


def document(schema: Any = None) -> dict[str, Any]:
    """The document of a build with an input schema."""
    text = None if schema is None else msgspec.json.encode(schema).decode()
    build = FullBuild(number="1.2.3", image="x", input_schema=text)
    spec = FullActorSpec(builds=(build,), title="A greeter", description="It greets.")
    metadata = Metadata(name="greeter", namespace="team", uid="u")
    found = FoundActor("a" * 17, FullActor(metadata=metadata, spec=spec))
    return build_openapi(found, build, "https://api.example.org")


def input_of(schema: Any) -> dict[str, Any]:
    """What the document says of the input."""
    found: dict[str, Any] = document(schema)["components"]["schemas"]["inputSchema"]
    return found


def test_it_tells_each_way_to_run_the_actor() -> None:
    found = document()
    assert found["openapi"] == "3.0.1"
    assert found["info"]["title"] == "A greeter"
    assert found["info"]["version"] == "1.2"
    assert found["servers"] == [{"url": "https://api.example.org/v2"}]
    assert set(found["paths"]) == {
        f"/acts/team~greeter/{way}" for way in ("run-sync-get-dataset-items", "runs", "run-sync")
    }
    schemas = found["components"]["schemas"]
    for path in found["paths"].values():
        content = path["post"]["requestBody"]["content"]["application/json"]
        assert content["schema"]["$ref"].rpartition("/")[2] in schemas


def test_an_actor_without_a_schema_takes_any_object() -> None:
    assert input_of(None) == {"type": "object"}


def test_the_input_is_told_in_words_of_openapi() -> None:
    schema = {
        "title": "Greeting",
        "type": "object",
        "schemaVersion": 1,
        "properties": {
            "name": {
                "title": "Name",
                "type": "string",
                "editor": "textfield",
                "prefill": "Ann",
                "default": "Joe",
                "nullable": True,
                "minLength": 1,
            },
            "urls": {"type": "array", "editor": "requestListSources", "isSecret": False},
            "more": {
                "type": "object",
                "properties": {"n": {"type": "integer", "unit": "km", "maximum": 3}},
                "required": ["n"],
                "additionalProperties": {"type": "string", "editor": "x"},
            },
        },
        "required": [],
    }
    assert input_of(schema) == {
        "title": "Greeting",
        "type": "object",
        "properties": {
            "name": {
                "title": "Name",
                "type": "string",
                "default": "Joe",
                "nullable": True,
                "minLength": 1,
            },
            "urls": {"type": "array", "items": {}},
            "more": {
                "type": "object",
                "properties": {"n": {"type": "integer", "maximum": 3}},
                "required": ["n"],
                "additionalProperties": {"type": "string"},
            },
        },
    }


def test_what_it_says_of_the_input_can_be_checked_with() -> None:
    schema = input_of({"type": "object", "properties": {"n": {"type": "integer"}}})
    validator = jsonschema_rs.Draft7Validator(schema)
    assert validator.is_valid({"n": 1})
    assert not validator.is_valid({"n": "one"})


def test_a_schema_that_is_none_is_an_error_as_at_a_start() -> None:
    with pytest.raises(ApiError) as caught:
        document("no object")
    assert caught.value.error_type == "invalid-input-schema"
