"""Items from a text, and the portions in which they are sent."""

import json
from collections.abc import AsyncIterator, Iterable

import pytest

from actor_operator.cli.item_batches import (
    BATCH_BYTES,
    BATCH_ITEMS,
    MAX_BODY_BYTES,
    Batch,
    ItemError,
    batches,
    read_items,
)
from actor_operator.server.bodies import MAX_WIRE_BYTES


async def stream(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def items(text: str) -> list[bytes]:
    return [item async for item in read_items(stream(text.encode().split(b"\n")))]


async def portions(*found: bytes) -> list[Batch]:
    return [batch async for batch in batches(stream(found))]


def test_a_body_may_be_as_large_as_the_server_takes() -> None:
    assert MAX_BODY_BYTES == MAX_WIRE_BYTES


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("\n \n", []),
        ("[]", []),
        ('{"a":1}', [{"a": 1}]),
        ('\n{"a":1}\n\n{"a":2}\n', [{"a": 1}, {"a": 2}]),
        ('{\n"a": 1\n}\n', [{"a": 1}]),
        ('[{"a":\n1},\n{}]', [{"a": 1}, {}]),
        ('\ufeff{"a":"ä"}', [{"a": "ä"}]),
    ],
)
async def test_items_are_read_in_every_form(text: str, found: list[object]) -> None:
    assert [json.loads(item) for item in await items(text)] == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("7", "line 1 is no JSON object"),
        ('{"a":1}\n\n[]', "line 3 is no JSON object"),
        ('{"a":1}\n{"a":', "line 2 is not JSON"),
        ("[{}, 1]", "item 2 is no JSON object"),
        ("[{}", "it is not JSON"),
        ("hello", "the text is not JSON"),
    ],
)
async def test_what_is_no_item_is_told_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(ItemError, match=sentence):
        await items(text)


async def test_portions_keep_the_order_and_end_where_one_is_full() -> None:
    found = [f'{{"n":{number}}}'.encode() for number in range(BATCH_ITEMS + 1)]

    first, second = await portions(*found)

    assert (first.count, second.count) == (BATCH_ITEMS, 1)
    assert json.loads(first.body) + json.loads(second.body) == [json.loads(one) for one in found]


async def test_large_items_make_portions_of_few() -> None:
    large = b'{"x":"' + b"y" * (BATCH_BYTES * 2 // 3) + b'"}'

    assert [batch.count for batch in await portions(large, large, b"{}")] == [1, 2]


async def test_an_item_that_fits_into_no_request_is_named() -> None:
    with pytest.raises(ItemError, match="item 2 has "):
        await portions(b"{}", b'"' + b"x" * MAX_BODY_BYTES + b'"')
