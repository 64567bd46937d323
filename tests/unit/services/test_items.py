import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actor_operator.services.errors import ApiError
from actor_operator.services.items import MAX_DEPTH, read_push

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ITEMS = st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=5)


@given(items=ITEMS, indent=st.sampled_from([0, 1, 4]))
def test_items_come_out_as_they_went_in_each_on_a_line(items: list[object], indent: int) -> None:
    body = msgspec.json.format(msgspec.json.encode(items), indent=indent)
    push = read_push(body)
    assert [msgspec.json.decode(line) for line in push.lines] == items
    assert not any(b"\n" in line or b"\r" in line for line in push.lines)


@given(items=ITEMS)
def test_an_item_is_clean_when_it_has_a_field_that_is_not_hidden(
    items: list[dict[str, object]],
) -> None:
    clean = sum(any(not name.startswith("#") for name in item) for item in items)
    assert read_push(msgspec.json.encode(items)).clean == clean


def test_numbers_keep_the_form_in_which_they_were_sent() -> None:
    text = b'{"a":1.50,"b":1e2,"c":123456789012345678901234567890,"d":-0}'
    assert list(read_push(text).lines) == [text]


def test_one_object_is_one_item_and_an_empty_array_is_none() -> None:
    assert list(read_push(b' {"a":1} \n').lines) == [b'{"a":1}']
    assert list(read_push(b"[]").lines) == []


def test_fields_are_named_in_the_order_in_which_they_come() -> None:
    assert read_push(b'[{"b":1,"a":2},{"c":3,"b":4}]').fields == ("b", "a", "c")


def test_names_that_no_column_can_have_are_not_remembered() -> None:
    assert read_push(msgspec.json.encode({"a": 1, "b" * 201: 2})).fields == ("a",)


@pytest.mark.parametrize("body", [b'[{},{"a":1},3]', b'[{},{},"x"]', b"[{},{},null]"])
def test_what_is_no_object_is_refused_by_its_position(body: bytes) -> None:
    with pytest.raises(ApiError, match="position 2") as caught:
        read_push(body)
    assert (caught.value.error_type, caught.value.status) == ("invalid-value", 400)
    assert caught.value.data == {"invalidItems": [{"itemPosition": 2}]}


@pytest.mark.parametrize(
    "body", [b"", b"null", b"3", b"{", b'{"a":tru}', b'{"a":"\xff"}', b'[{"a":1}', b"[" * 100_000]
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        read_push(body)
    assert caught.value.status == 400


def test_half_a_surrogate_pair_becomes_the_replacement_character() -> None:
    body = rb'[{"a":"\ud83d"},{"b":"\ud83d\ude00 \\ud800"},{"c":"\uDE00x"}]'
    items = [msgspec.json.decode(line) for line in read_push(body).lines]
    assert items == [{"a": "\ufffd"}, {"b": "\U0001f600 \\ud800"}, {"c": "\ufffdx"}]


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b'{"b":"]}\\"["}' + b"}" * (depth - 1)


def test_an_item_may_be_nested_to_a_certain_depth() -> None:
    wide = b'{"a":[' + b'{"x":[1]},' * 500 + b"{}]}"
    assert list(read_push(nested(MAX_DEPTH)).lines) == [nested(MAX_DEPTH)]
    assert list(read_push(wide).lines) == [wide]
    with pytest.raises(ApiError, match="position 1 is nested"):
        read_push(b"[{}," + nested(MAX_DEPTH + 1) + b"]")
