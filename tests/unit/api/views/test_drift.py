"""What the operator reads and writes of our kinds is what the CRDs say."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from types import UnionType
from typing import Any, get_args, get_origin

import msgspec
import pytest

from actor_operator.api.base import CustomResource
from actor_operator.api.v1alpha1.actor import Actor
from actor_operator.api.v1alpha1.actor_run import ActorRun
from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.metadata import Condition, Metadata, View
from actor_operator.api.views.run import NOT_ON_THE_WIRE, RunStatus, RunView
from actor_operator.crdgen.manifest import root_schema

Json = dict[str, Any]


def structs_in(annotation: Any) -> list[type[msgspec.Struct]]:
    """The structs that a type holds, within unions, tuples and mappings."""
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return [annotation]
    if get_origin(annotation) is not None or isinstance(annotation, UnionType):
        return [struct for part in get_args(annotation) for struct in structs_in(part)]
    return []


def inner(schema: Json) -> Json:
    """The schema of a list's or mapping's values, or the schema itself."""
    return schema.get("items") or schema.get("additionalProperties") or schema


def fields_of(view: type[msgspec.Struct], schema: Json, path: str) -> Iterator[tuple[str, bool]]:
    """Every field of a view by its path, and whether the schema has it."""
    known = schema.get("properties", {})
    for field in msgspec.structs.fields(view):
        where = f"{path}.{field.encode_name}"
        if field.type is Metadata or field.encode_name in NOT_ON_THE_WIRE:
            continue
        yield where, field.encode_name in known
        for struct in structs_in(field.type):
            yield from fields_of(struct, inner(known.get(field.encode_name, {})), where)


VIEWS: dict[str, tuple[type[View], type[CustomResource]]] = {
    "Actor": (ActorView, Actor),
    "ActorRun": (RunView, ActorRun),
}
"""Views and the kinds that they are of."""


@pytest.mark.parametrize("name", VIEWS)
def test_every_field_of_a_view_is_in_the_crd(name: str) -> None:
    view, kind = VIEWS[name]
    found = dict(fields_of(view, root_schema(kind), name))

    assert len(found) > 20
    assert [path for path, known in found.items() if not known] == []


def test_the_status_is_written_whole_so_the_view_has_every_field_of_it() -> None:
    """A status is replaced: a field that the view does not know would be lost at each write."""
    schema = root_schema(ActorRun)["properties"]["status"]

    assert set(missing_in(RunStatus, schema, "status")) == set()


def missing_in(view: type[msgspec.Struct], schema: Json, path: str) -> Iterator[str]:
    """Fields of a schema that a view does not have."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(view)}
    for name, child in schema.get("properties", {}).items():
        where = f"{path}.{name}"
        if name not in fields:
            yield where
            continue
        for struct in structs_in(fields[name].type):
            yield from missing_in(struct, inner(child), where)


def test_a_field_that_the_crd_does_not_have_would_be_found() -> None:
    class Wider(View, frozen=True):
        phase: str
        brand_new: str

    schema = root_schema(ActorRun)["properties"]["status"]

    assert [path for path, known in fields_of(Wider, schema, "status") if not known] == [
        "status.brandNew"
    ]


def test_a_new_run_is_read_with_the_defaults_of_the_crd() -> None:
    default = root_schema(ActorRun)["properties"]["status"]["default"]

    assert msgspec.convert(default, RunStatus) == RunStatus()


def test_what_is_left_out_of_a_written_status_comes_back_by_the_crds_defaults() -> None:
    """The view leaves defaults out; they must be the ones that the API server puts in."""
    properties = root_schema(ActorRun)["properties"]["status"]["properties"]
    defaults = {name: child["default"] for name, child in properties.items() if "default" in child}
    view = {
        field.encode_name: field.default
        for field in msgspec.structs.fields(RunStatus)
        if field.encode_name in defaults
    }

    assert view == defaults
    assert msgspec.json.encode(RunStatus()) == b"{}"


def test_what_the_crd_requires_of_a_condition_is_always_written() -> None:
    schema = root_schema(ActorRun)["properties"]["status"]["properties"]["conditions"]["items"]
    condition = Condition("Started", "True", "Started", "", datetime(2026, 1, 1, tzinfo=UTC), 1)

    assert set(schema["required"]) <= msgspec.to_builtins(condition).keys()


def test_every_condition_and_phase_fits_its_schema() -> None:
    status = root_schema(ActorRun)["properties"]["status"]["properties"]
    word = status["conditions"]["items"]["properties"]["reason"]["maxLength"]

    assert set(status["phase"]["enum"]) == set(Phase)
    assert len(ConditionType) <= status["conditions"]["maxItems"]
    assert max(map(len, Reason)) <= word


def test_reasons_and_condition_types_are_words_of_kubernetes() -> None:
    pattern = re.compile(r"[A-Z][A-Za-z0-9]*")

    assert all(pattern.fullmatch(word) for word in (*Reason, *ConditionType))
