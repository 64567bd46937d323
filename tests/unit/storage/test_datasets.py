from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, event, insert, select

from actor_operator.errors import StaleError
from actor_operator.storage.blocks import Block, NewBlock, pack, unpack
from actor_operator.storage.datasets import MAX_FIELDS, DatasetItems
from actor_operator.storage.tables import METADATA, STORAGES

DATASET = "d" * 17
OTHER = "e" * 17


@contextmanager
def database() -> Iterator[Connection]:
    """A database in memory with two datasets."""
    with create_engine("sqlite://").connect() as connection:
        METADATA.create_all(connection)
        for storage in (DATASET, OTHER):
            connection.execute(
                insert(STORAGES).values(
                    account=1,
                    id=storage,
                    kind="dataset",
                    created_at=5,
                    modified_at=5,
                    accessed_at=5,
                    signing_key="k",
                )
            )
        yield connection


def block(lines: list[bytes]) -> NewBlock:
    body = pack(lines)
    return NewBlock(len(lines), sum(map(len, lines)), len(body), body)


def push(items: DatasetItems, *parts: list[bytes], fields: tuple[str, ...] = ()) -> int | None:
    return items.append(DATASET, [block(part) for part in parts], clean=0, fields=fields, now=7)


def column(connection: Connection, name: str) -> Any:
    return connection.scalar(select(STORAGES.c[name]).where(STORAGES.c.id == DATASET))


def lines_of(blocks: list[Block], start: int, end: int) -> list[bytes]:
    found = []
    for one in blocks:
        assert one.body is not None
        for position, line in enumerate(unpack(one.body), one.first):
            if start <= position < end:
                found.append(line)
    return found


def test_a_push_of_one_item_is_two_statements() -> None:
    with database() as connection:
        items = DatasetItems(connection, 1)
        push(items, [b'{"a":1}'], fields=("a",))
        statements: list[str] = []
        event.listen(
            connection.engine,
            "before_cursor_execute",
            lambda _connection, _cursor, statement, *_: statements.append(statement.split()[0]),
        )
        assert push(items, [b'{"a":2}'], fields=("a",)) == 1
    assert statements == ["UPDATE", "INSERT"]


def test_nothing_is_added_to_what_is_not_there() -> None:
    with database() as connection:
        assert push(DatasetItems(connection, 2), [b"{}"]) is None
        assert DatasetItems(connection, 2).between(DATASET, 0, 9, most=9) == []


def test_only_so_many_names_of_fields_are_remembered() -> None:
    with database() as connection:
        items = DatasetItems(connection, 1)
        push(items, [b"{}"], fields=tuple(f"f{number}" for number in range(MAX_FIELDS - 1)))
        push(items, [b"{}"], fields=("f0", "new", "too-many"))
        names = column(connection, "fields")
    assert b'"new"' in names
    assert b"too-many" not in names


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.lists(st.integers(1, 4), min_size=1, max_size=3)),
        st.tuples(st.just("join"), st.tuples(st.integers(0, 30), st.integers(2, 6))),
    ),
    max_size=25,
)


@given(operations=OPERATIONS, start=st.integers(0, 30), size=st.integers(1, 30))
def test_every_part_has_its_items_however_blocks_were_joined(
    operations: list[Any], start: int, size: int
) -> None:
    expected: list[bytes] = []
    with database() as connection:
        items = DatasetItems(connection, 1)
        items.append(OTHER, [block([b"other"] * 9)], clean=0, fields=(), now=1)
        for kind, what in operations:
            if kind == "push":
                parts = []
                for count in what:
                    parts.append([b"%d" % (len(expected) + n) for n in range(count)])
                    expected += parts[-1]
                assert push(items, *parts) == len(expected) - sum(what)
            else:
                _join_some(items, *what, total=len(expected))
        assert column(connection, "item_count") == len(expected)
        every = items.between(DATASET, 0, len(expected), most=1000)
        assert column(connection, "storage_bytes") == sum(one.size for one in every)
        end = min(start + size, len(expected))
        for desc in (False, True):
            found = items.between(DATASET, start, end, most=1000, desc=desc)
            ordered = found[::-1] if desc else found
            assert lines_of(ordered, start, end) == expected[start:end]
            if start < end:  # nothing is read that has none of them
                assert all(one.first < end and one.end > start for one in found)
            assert items.between(DATASET, start, end, most=1, desc=desc) == found[:1]


def _join_some(items: DatasetItems, first: int, count: int, *, total: int) -> None:
    blocks = items.between(DATASET, 0, total, most=1000)[first : first + count]
    if len(blocks) > 1:
        lines = lines_of(blocks, 0, total)
        items.replace(DATASET, 5, blocks, block(lines))


def test_blocks_that_are_gone_are_not_replaced() -> None:
    with database() as connection:
        items = DatasetItems(connection, 1)
        push(items, [b"0"], [b"1"])
        old = items.between(DATASET, 0, 2, most=9)
        items.replace(DATASET, 5, old, block([b"0", b"1"]))
        with pytest.raises(StaleError):
            items.replace(DATASET, 5, old, block([b"0", b"1"]))
        with pytest.raises(StaleError):
            items.replace(DATASET, 6, items.between(DATASET, 0, 2, most=9), block([b"x", b"y"]))
