from typing import Any

import msgspec
import pytest

from actor_operator.services.errors import ApiError
from actor_operator.services.transformation import Transformation


def apply(transformation: Transformation, *items: Any) -> list[Any]:
    lines = [msgspec.json.encode(item) for item in items]
    return [msgspec.json.decode(msgspec.json.encode(one)) for one in transformation.apply(lines)]


def test_without_options_nothing_changes() -> None:
    item = {"a": [1, {"b": None}], "#c": "x"}
    assert Transformation().changes_nothing
    assert apply(Transformation(), item, {}) == [item, {}]


def test_fields_are_picked_in_the_order_that_is_asked_for() -> None:
    (picked,) = apply(Transformation(fields=("c", "a", "z")), {"a": 1, "b": 2, "c": 3})
    assert list(picked.items()) == [("c", 3), ("a", 1)]


def test_fields_get_the_names_for_the_output() -> None:
    wanted = Transformation(fields=("headline", "url"), output_fields=("title", "link"))
    item = {"url": "u", "headline": "h", "more": 1}
    assert apply(wanted, item) == [{"title": "h", "link": "u"}]


def test_as_many_names_are_needed_as_there_are_fields() -> None:
    with pytest.raises(ApiError, match="outputFields"):
        Transformation(fields=("a", "b"), output_fields=("x",)).check()


def test_a_path_picks_a_nested_field_and_a_field_with_a_dot_comes_first() -> None:
    item = {"a": {"b": 1, "c": 2, "d": 3}, "a.b": "flat"}
    assert apply(Transformation(fields=("a.b", "a.c")), item) == [{"a.b": "flat", "a": {"c": 2}}]
    assert apply(Transformation(fields=("a.b", "a.d")), {"a": item["a"]}) == [
        {"a": {"b": 1, "d": 3}}
    ]


def test_fields_and_nested_fields_are_omitted() -> None:
    wanted = Transformation(omit=("x", "a.b", "no.such"))
    assert apply(wanted, {"x": 1, "a": {"b": 1, "c": 2}, "y": 3}) == [{"a": {"c": 2}, "y": 3}]


def test_each_element_of_an_unwound_array_becomes_an_item() -> None:
    item = {"id": 7, "reviews": [{"text": "a"}, {"text": "b", "id": 8}, "odd"]}
    assert apply(Transformation(unwind=("reviews",)), item) == [
        {"id": 7, "text": "a"},
        {"id": 8, "text": "b"},
        {"id": 7, "reviews": "odd"},
    ]


def test_an_unwound_object_is_merged_with_its_item() -> None:
    assert apply(Transformation(unwind=("a",)), {"a": {"b": 1}, "c": 2}) == [{"c": 2, "b": 1}]


@pytest.mark.parametrize("item", [{"b": 1}, {"a": 3, "b": 1}, {"a": None}, {"a": []}])
def test_an_item_without_anything_to_unwind_stays_as_it_is(item: dict[str, Any]) -> None:
    assert apply(Transformation(unwind=("a",)), item) == [item]


def test_fields_are_unwound_one_after_the_other() -> None:
    item = {"a": [{"b": [{"x": 1}, {"x": 2}]}, {"y": 3}]}
    assert apply(Transformation(unwind=("a", "b")), item) == [{"x": 1}, {"x": 2}, {"y": 3}]


def test_a_field_that_was_unwound_stands_for_all_that_came_out_of_it() -> None:
    item = {"url": "u", "a": [{"x": 1, "y": 2}], "b": 3}
    assert apply(Transformation(unwind=("a",), fields=("url", "a")), item) == [
        {"url": "u", "x": 1, "y": 2}
    ]
    assert apply(Transformation(unwind=("a",), fields=("url", "y")), item) == [{"url": "u", "y": 2}]


def test_a_flattened_field_gives_fields_with_dots_in_its_place() -> None:
    item = {"first": 0, "a": {"b": "x", "c": {"d": [1], "e": {}}}, "last": 9}
    (flat,) = apply(Transformation(flatten=("a",)), item)
    assert list(flat.items()) == [
        ("first", 0),
        ("a.b", "x"),
        ("a.c.d", [1]),
        ("a.c.e", {}),
        ("last", 9),
    ]


def test_flattened_fields_can_be_picked() -> None:
    wanted = Transformation(flatten=("a",), fields=("a.b",))
    assert apply(wanted, {"a": {"b": 1, "c": 2}}) == [{"a.b": 1}]


def test_hidden_fields_and_empty_items_are_skipped_apart() -> None:
    items = [{"a": 1, "#b": 2}, {"#b": 2}, {}]
    assert apply(Transformation(skip_hidden=True), *items) == [{"a": 1}, {}, {}]
    assert apply(Transformation(skip_empty=True), *items) == [{"a": 1, "#b": 2}, {"#b": 2}]
    assert apply(Transformation(skip_hidden=True, skip_empty=True), *items) == [{"a": 1}]


def test_failed_pages_are_skipped() -> None:
    wanted = Transformation(skip_failed=True)
    assert apply(wanted, {"url": 1, "errorInfo": None}, {"url": 2}) == [{"url": 2}]


def test_simplified_shows_what_the_page_function_gave() -> None:
    item = {"url": "u", "pageFunctionResult": [{"t": 1}, {"t": 2}], "label": "x"}
    assert apply(Transformation().simplified(), item) == [
        {"url": "u", "t": 1},
        {"url": "u", "t": 2},
    ]


def test_numbers_that_are_not_looked_at_keep_their_form() -> None:
    (item,) = Transformation(fields=("a",)).apply([b'{"a":[1.50,{"b":1e5}],"c":1}'])
    assert msgspec.json.encode(item) == b'{"a":[1.50,{"b":1e5}]}'
