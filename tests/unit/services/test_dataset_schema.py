from typing import Any

import msgspec
import pytest

from actor_operator.services.dataset_schema import MOST_VIEWS, View, check_schema, read_schema
from actor_operator.services.errors import ApiError
from actor_operator.services.transformation import Transformation


def test_a_view_says_what_is_done_with_items() -> None:
    transformation = {
        "fields": ["a", "b"],
        "unwind": ["b"],
        "flatten": ["c"],
        "omit": ["d"],
        "limit": 3,
        "desc": True,
        "clean": True,
    }
    display = {"component": "table", "properties": {"a": {"label": "A", "format": "text"}}}
    view = {"title": "Overview", "transformation": transformation, "display": display}
    schema = read_schema(msgspec.json.encode({"actorSpecification": 1, "views": {"it": view}}))
    assert schema.view("it") == View(
        Transformation(
            fields=("a", "b"),
            unwind=("b",),
            flatten=("c",),
            omit=("d",),
            skip_hidden=True,
            skip_empty=True,
        ),
        limit=3,
        desc=True,
    )
    assert schema.validator is None


def test_a_view_without_a_transformation_shows_the_items_as_they_are() -> None:
    schema = read_schema(b'{"views": {"it": {"title": "It", "display": {"component": "table"}}}}')
    assert schema.view("it") == View(Transformation())


def test_an_unknown_view_is_refused() -> None:
    with pytest.raises(ApiError) as caught:
        read_schema(b'{"views": {}}').view("it")
    assert caught.value.error_type == "requested-dataset-view-does-not-exist"


def test_the_text_that_is_kept_is_what_was_given() -> None:
    given = {"actorSpecification": 1, "title": "x", "fields": {"type": "object"}, "other": [1]}
    assert msgspec.json.decode(check_schema(given)) == given


@pytest.mark.parametrize(
    "schema",
    [
        [],
        "text",
        {"properties": {"a": {}}},  # the schema of an item alone
        {"actorSpecification": 2, "fields": {}},
        {"fields": []},
        {"fields": {"type": "array"}},
        {"fields": {}, "views": []},
        {"views": {"it": {"transformation": []}}},
        {"views": {"it": {"transformation": {"fields": "a"}}}},
        {"views": {"it": {"transformation": {"limit": -1}}}},
        {"views": {"it": {"transformation": {"desc": "yes"}}}},
        {"views": {str(n): {} for n in range(MOST_VIEWS + 1)}},
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema: Any) -> None:
    with pytest.raises(ApiError) as caught:
        check_schema(schema)
    assert (caught.value.status, caught.value.error_type) == (400, "dataset-schema-invalid")
