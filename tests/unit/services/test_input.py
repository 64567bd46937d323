"""Inputs of runs: as sent, or checked and completed by a schema."""

import json
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actor_operator.services import input as module
from actor_operator.services.errors import ApiError
from actor_operator.services.input import (
    MOST_DEPTH,
    THREAD_BYTES,
    RunInput,
    depth,
    read_input,
    read_long_input,
)

JSON = "application/json"


def schema(*required: str, **properties: Any) -> str:
    return json.dumps(
        {
            "title": "Input",
            "schemaVersion": 1,
            "type": "object",
            "properties": properties,
            "required": list(required),
        }
    )


def completed(value: Any, text: str) -> Any:
    return json.loads(read_input(json.dumps(value).encode(), JSON, text).body)


def mistake(value: Any, text: str) -> str:
    with pytest.raises(ApiError) as caught:
        completed(value, text)
    assert caught.value.error_type == "invalid-input"
    assert caught.value.status == 400
    return caught.value.message


@pytest.mark.parametrize("body", [b"", b"null", b" null\n"])
@pytest.mark.parametrize("text", [None, schema()])
def test_no_input_is_an_empty_object(body: bytes, text: str | None) -> None:
    found = read_input(body, f"{JSON}; charset=utf-8", text)
    assert (found.body, found.content_type) == (b"{}", f"{JSON}; charset=utf-8")


@given(st.binary(min_size=1), st.sampled_from(["text/plain", "image/png", "text/x; a=b"]))
def test_without_a_schema_bytes_and_type_stay_as_sent(body: bytes, kind: str) -> None:
    found = read_input(body, kind, None)
    assert (found.body, found.content_type) == (body, kind)


def test_the_text_null_is_an_input_where_it_is_no_json() -> None:
    assert read_input(b"null", "text/plain", None).body == b"null"


def test_with_a_schema_only_json_will_do() -> None:
    with pytest.raises(ApiError, match="text/plain"):
        read_input(b"{}", "text/plain", schema())


def test_bytes_stay_as_sent_when_there_is_nothing_to_fill_in() -> None:
    body = b'{ "n": 123456789012345678901234567890, "x": 1.0 }'
    assert read_input(body, JSON, schema(n={"type": "integer"})).body == body


def test_defaults_are_filled_in_also_in_nested_fields_and_prefills_are_not() -> None:
    text = schema(
        "a",
        a={"type": "string", "default": "x"},
        b={"type": "string", "prefill": "y"},
        c={"type": "object", "properties": {"d": {"type": "array", "default": [1]}}},
        e={"type": "object", "properties": {"f": {"type": "integer", "default": 1}}},
    )
    assert completed({"c": {}}, text) == {"a": "x", "c": {"d": [1]}}
    assert completed({"a": "z"}, text) == {"a": "z"}


def test_a_default_is_not_shared_between_runs() -> None:
    text = schema(a={"type": "array", "default": []})
    first = read_input(b"{}", JSON, text)
    assert first.body == read_input(b"{}", JSON, text).body == b'{"a":[]}'


@pytest.mark.parametrize(
    ("field", "good", "bad", "said"),
    [
        ({"type": "integer"}, 1, "one", "Field input.x must be integer"),
        ({"type": "string", "enum": ["a", "b"]}, "a", "c", "input.x"),
        ({"type": "string", "pattern": "^a+$"}, "aa", "b", "input.x"),
        ({"type": "string", "minLength": 2}, "ab", "a", "input.x"),
        ({"type": "integer", "minimum": 1, "maximum": 2}, 2, 3, "input.x"),
        ({"type": "array", "items": {"type": "string"}}, ["a"], [1], "Field input.x.0 must be"),
        ({"type": "array", "uniqueItems": True}, [1, 2], [1, 1], "input.x"),
        ({"type": "object", "patternKey": "^k"}, {"k": 1}, {"l": 1}, "input.x"),
        ({"type": "object", "patternValue": "^v"}, {"k": "v"}, {"k": "w"}, "input.x.k"),
        ({"type": "array", "patternValue": "^v"}, ["v"], ["w"], "input.x.0"),
        (
            {"type": "array", "patternKey": "^k", "patternValue": "^v"},
            [{"key": "k", "value": "v"}],
            [{"key": "k", "value": "w"}],
            "input.x.0.value",
        ),
        (
            {"type": "object", "properties": {"y": {"type": "boolean"}}},
            {"y": True},
            {"y": "yes"},
            "Field input.x.y must be boolean",
        ),
        ({"type": "integer", "nullable": True, "enum": [1]}, None, 2, "input.x"),
    ],
)
def test_fields_are_checked_and_a_mistake_names_the_field(
    field: dict[str, Any], good: Any, bad: Any, said: str
) -> None:
    text = schema(x={"title": "X", "editor": "textfield", **field})
    assert completed({"x": good}, text) == {"x": good}
    assert said in mistake({"x": bad}, text)


def test_what_is_required_must_be_there_and_an_array_must_have_an_item() -> None:
    text = schema("a", "b", a={"type": "string"}, b={"type": "array"})
    assert "Field input.a is required" in mistake({"b": [1]}, text)
    assert "Field input.b" in mistake({"a": "", "b": []}, text)
    assert completed({"a": "", "b": [1]}, text) == {"a": "", "b": [1]}


def test_fields_that_the_schema_does_not_have_are_allowed_unless_it_says_no() -> None:
    assert completed({"other": 1}, schema()) == {"other": 1}
    closed = json.dumps({**json.loads(schema()), "additionalProperties": False})
    assert "Property input.other is not allowed" in mistake({"other": 1}, closed)


@pytest.mark.parametrize("body", [b"[]", b"1", b'"{}"', b"{", b'{"a":NaN}', b"\xff"])
def test_only_a_json_object_will_do(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        read_input(body, JSON, schema())
    assert caught.value.error_type == "invalid-input"


@pytest.mark.parametrize("levels", [MOST_DEPTH + 1, 500_000])
def test_an_input_that_is_too_deep_is_refused(levels: int) -> None:
    body = b'{"a":' * levels + b"1" + b"}" * levels
    with pytest.raises(ApiError, match="nested"):
        read_input(body, JSON, schema())


def test_depth_counts_levels() -> None:
    assert [depth(value) for value in (1, {}, {"a": [1, {"b": 2}]})] == [0, 1, 3]


def test_a_pattern_cannot_keep_the_server_busy() -> None:
    text = schema(x={"type": "string", "pattern": "^(a+)+$"})
    assert "input.x" in mistake({"x": "a" * 50_000 + "!"}, text)


def test_a_pattern_that_needs_backtracking_is_not_checked_and_the_rest_is() -> None:
    text = schema(x={"type": "string", "pattern": "^(?!b)", "minLength": 2})
    assert completed({"x": "bb"}, text) == {"x": "bb"}
    assert "input.x" in mistake({"x": "b"}, text)


@pytest.mark.parametrize(
    "text",
    ["no json", "[]", '{"properties": 1}', '{"properties": {"a": 1}}', '{"type": "thing"}',
     '{"properties": {"a": ' * 500 + "{}" + "}}" * 500],
)  # fmt: skip
def test_a_schema_that_is_none_is_told_apart_from_an_input_that_is_wrong(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_input(b"{}", JSON, text)
    assert caught.value.error_type == "invalid-input-schema"


def test_a_content_type_that_no_record_can_have_is_refused() -> None:
    with pytest.raises(ApiError, match="256 symbols"):
        read_input(b"x", "text/" + "x" * 300, None)


async def test_a_long_input_is_read_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []

    def note(body: bytes, content_type: str, schema: str | None) -> RunInput:
        threads.append(threading.current_thread().name)
        return read_input(body, content_type, schema)

    monkeypatch.setattr(module, "read_input", note)
    for body in (b"{}", b'{"text":"' + b"x" * THREAD_BYTES + b'"}'):
        assert (await read_long_input(body, JSON, schema())).body == body

    main = threading.main_thread().name
    assert [name == main for name in threads] == [True, False]
