import asyncio
import json
import threading
from collections.abc import Sequence
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actor_operator.services.dataset_writing import INLINE_BYTES, INLINE_COMMAS, prepare
from actor_operator.services.errors import ApiError
from actor_operator.services.items import MAX_DEPTH, Push, read_push
from actor_operator.storage.blocks import unpack

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ITEMS = st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=5)
SPACE = st.sampled_from([b"", b" ", b"\n", b"\r", b"\t\r\n"])
NUMBERS = [b"-0", b"1.50", b"1e999", b"2E-3", b"0.30000000000000004", b"9" * 400]


def texts_of(names: Sequence[str], values: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Texts of objects, with names that come twice, and space where it may be."""
    name = st.sampled_from(names).flatmap(
        lambda name: st.sampled_from([json.dumps(name, ensure_ascii=way) for way in (True, False)])
    )
    field = st.tuples(SPACE, name.map(str.encode), SPACE, SPACE, values, SPACE).map(
        lambda part: part[0] + part[1] + part[2] + b":" + part[3] + part[4] + part[5]
    )
    fields = st.lists(field, max_size=4).map(b",".join)
    return st.tuples(SPACE, fields).map(lambda part: b"{" + part[0] + part[1] + b"}")


TEXTS = texts_of(
    ["a", "#a", "", 'q"{', "é\n[", "\U0001f600"],
    st.sampled_from([*NUMBERS, b"null", b'"\\u00e9\\/ \xc3\xa9,"', b"[\n]", b'{"a": [1, {}]}']),
)


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


@given(texts=st.lists(TEXTS, max_size=5), space=SPACE, portion=st.integers(1, 3))
def test_an_item_is_kept_as_the_text_that_it_was_sent_as(
    texts: list[bytes], space: bytes, portion: int
) -> None:
    body = space + b"[" + space + (space + b"," + space).join(texts) + space + b"]"
    with patch("actor_operator.services.items._PORTION", portion):
        push = read_push(body)
    assert push.lines == [text.replace(b"\n", b" ").replace(b"\r", b" ") for text in texts]
    items = [json.loads(text) for text in texts]
    assert push.fields == tuple(dict.fromkeys(name for item in items for name in item))
    assert push.clean == sum(any(not name.startswith("#") for name in item) for item in items)


@given(
    lines=st.lists(st.integers(0, 9999).map(b'{"a":%d}'.__mod__), max_size=12),
    most=st.integers(1, 60),
)
def test_blocks_are_as_large_as_is_allowed_but_for_an_item_that_is_larger(
    lines: list[bytes], most: int
) -> None:
    with patch("actor_operator.services.dataset_writing.BLOCK_BYTES", most):
        _, blocks = asyncio.run(prepare(b"[" + b",".join(lines) + b"]"))
    kept = [unpack(block.body or b"") for block in blocks]
    assert [line for block in kept for line in block] == lines
    sizes = [sum(map(len, block)) for block in kept]
    assert [(block.count, block.inflated, block.size) for block in blocks] == [
        (len(block), size, len(made.body or b""))
        for block, size, made in zip(kept, sizes, blocks, strict=True)
    ]
    assert all(len(block) == 1 or size <= most for block, size in zip(kept, sizes, strict=True))
    nexts = [size + len(after[0]) for size, after in zip(sizes, kept[1:], strict=False)]
    assert all(size > most for size in nexts)


@pytest.mark.parametrize(
    ("body", "beside"),
    [
        (b"[" + b"{}," * INLINE_COMMAS + b"{}]", False),
        (b"[" + b"{}," * (INLINE_COMMAS + 1) + b"{}]", True),
        (b'{"a":"' + b"x" * INLINE_BYTES + b'"}', True),
    ],
    ids=["few", "many items", "a long one"],
)
def test_what_takes_long_to_read_is_read_beside_the_event_loop(
    body: bytes, *, beside: bool
) -> None:
    threads: list[int] = []

    def read(text: bytes) -> Push:
        threads.append(threading.get_ident())
        return read_push(text)

    with patch("actor_operator.services.dataset_writing.read_push", read):
        asyncio.run(prepare(body))
    assert (threads != [threading.get_ident()]) is beside


def test_what_is_no_object_is_refused_by_its_position_among_many_too() -> None:
    items: list[object] = [{}] * 2500
    with pytest.raises(ApiError, match="position 2499 is none"):
        read_push(msgspec.json.encode([*items[1:], 1]))


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
    with pytest.raises(ApiError, match="position 0 is nested"):
        read_push(b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}")
    with pytest.raises(ApiError, match="position 2000 is nested"):
        read_push(b"[" + b"{}," * 2000 + nested(MAX_DEPTH + 1) + b"]")
