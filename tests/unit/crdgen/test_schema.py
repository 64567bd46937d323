"""Pydantic models as structural schemas."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, Field

from actor_operator.api.base import ApiModel
from actor_operator.api.fields import NO_DEFAULT, CelRule, Matches, list_map
from actor_operator.api.scalars import MemoryMbytes, PreservedObject, Timestamp
from actor_operator.crdgen.schema import Schema, SchemaError, structural_properties


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(ApiModel):
    """A part."""

    rules: ClassVar[tuple[CelRule, ...]] = (CelRule(rule="self.name != 'x'", message="no x"),)

    name: Annotated[str, Field(max_length=5)]
    """Name of the part."""
    colour: Colour = Colour.RED
    """Its colour,
    in one word."""


def field(annotation: Any, default: Any = ...) -> Schema:
    """The schema of a field of a type."""
    model = type(
        "Model",
        (ApiModel,),
        {"__annotations__": {"value": annotation}, "__module__": __name__}
        | ({} if default is ... else {"value": default}),
    )
    return structural_properties(model, "value")["value"]


def test_a_reference_is_written_out_and_its_description_is_the_fields_own() -> None:
    class Whole(ApiModel):
        part: Part
        """The part of the whole."""

    assert structural_properties(Whole, "part")["part"] == {
        "description": "The part of the whole.",
        "type": "object",
        "properties": {
            "name": {"description": "Name of the part.", "type": "string", "maxLength": 5},
            "colour": {
                "description": "Its colour, in one word.",
                "type": "string",
                "default": "red",
                "enum": ["red", "blue"],
            },
        },
        "required": ["name"],
        "x-kubernetes-validations": [{"rule": "self.name != 'x'", "message": "no x"}],
    }


def test_a_field_that_may_be_none_is_just_not_required() -> None:
    assert field(int | None, None) == {"type": "integer"}


def test_a_field_that_is_called_title_stays() -> None:
    class Book(ApiModel):
        title: Annotated[str, Field(max_length=5)]
        """Its title."""

    class Shelf(ApiModel):
        book: Book

    properties = structural_properties(Shelf, "book")["book"]["properties"]

    assert properties == {"title": {"description": "Its title.", "type": "string", "maxLength": 5}}


def test_a_word_that_can_be_only_one_is_an_enum() -> None:
    assert field(Literal["one"]) == {"type": "string", "enum": ["one"]}


def test_a_list_of_objects_says_by_what_it_is_merged() -> None:
    schema = field(Annotated[tuple[Part, ...], Field(max_length=3), list_map("name")], ())

    assert schema["x-kubernetes-list-type"] == "map"
    assert schema["x-kubernetes-list-map-keys"] == ["name"]
    assert schema["maxItems"] == 3
    assert "default" not in schema


def test_an_object_of_any_content_is_kept_as_it_is() -> None:
    assert field(PreservedObject | None, None) == {
        "type": "object",
        "x-kubernetes-map-type": "atomic",
        "x-kubernetes-preserve-unknown-fields": True,
    }


def test_a_moment_is_a_date_time() -> None:
    assert field(Timestamp) == {"type": "string", "format": "date-time"}


def test_memory_is_one_of_the_powers_of_two() -> None:
    assert field(MemoryMbytes) == {
        "type": "integer",
        "enum": [128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768],
    }


def test_a_pattern_becomes_a_rule_with_a_sentence() -> None:
    assert field(Annotated[str, Field(max_length=3), Matches("[a-z]+", "letters only")]) == {
        "type": "string",
        "maxLength": 3,
        "x-kubernetes-validations": [
            {"rule": "self.matches('^[a-z]+$')", "message": "letters only"}
        ],
    }


def test_rules_of_a_field_come_after_those_of_its_type() -> None:
    schema = field(Annotated[Part, CelRule(rule="true", message="sure", forbidden=True)])

    assert [rule["message"] for rule in schema["x-kubernetes-validations"]] == ["no x", "sure"]
    assert list(schema["x-kubernetes-validations"][1]) == ["rule", "message", "reason"]


def test_the_rules_of_a_type_are_not_shared_by_its_fields() -> None:
    class Two(ApiModel):
        one: Annotated[Part, CelRule(rule="true", message="sure")]
        other: Part

    properties = structural_properties(Two, "one", "other")

    assert len(properties["one"]["x-kubernetes-validations"]) == 2
    assert len(properties["other"]["x-kubernetes-validations"]) == 1


def test_a_default_that_says_nothing_is_left_out() -> None:
    assert "default" not in field(tuple[int, ...], ())
    assert "default" not in field(Annotated[int, NO_DEFAULT], 0)
    assert field(bool, False)["default"] is False


def test_the_default_of_an_object_is_made_of_its_fields_defaults() -> None:
    class Settings(ApiModel):
        on: bool = True
        count: Annotated[int, NO_DEFAULT] = 0
        text: Annotated[str | None, Field(max_length=1)] = None

    assert field(Settings, Settings())["default"] == {"on": True}


class Node(BaseModel):
    """A type that contains itself."""

    children: tuple["Node", ...] = ()


@pytest.mark.parametrize(
    ("annotation", "sentence"),
    [
        (Node, "Model.value.children[]: Node contains itself"),
        (int | str, "Model.value: a structural schema has no anyOf"),
        (set[int], "Model.value: a structural schema has no uniqueItems"),
        (tuple[int, str], "Model.value: a structural schema has no prefixItems"),
        (Annotated[int, Field(gt=0)], "Model.value: a structural schema has no exclusiveMinimum"),
        (dict[str, Any], "Model.value: any content is for PreservedObject only"),
        (Any, "Model.value: a structural schema needs a type"),
    ],
)
def test_what_kubernetes_would_refuse_is_an_error_with_its_path(
    annotation: Any, sentence: str
) -> None:
    with pytest.raises(SchemaError) as error:
        field(annotation)

    assert str(error.value) == sentence
