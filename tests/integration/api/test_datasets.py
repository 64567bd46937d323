import asyncio
import random
from dataclasses import replace
from typing import Any

import msgspec
import openpyxl
import pytest
from sqlalchemy import func, select
from tests.support.datasets import DatasetWorld, dataset_world, joined

from actor_operator.errors import StaleError
from actor_operator.services.access import StorageRef
from actor_operator.services.datasets import UNLIMITED, ItemsRequest
from actor_operator.services.errors import ApiError
from actor_operator.services.exports.formats import FileOptions
from actor_operator.services.transformation import Transformation
from actor_operator.storage.blocks import MAX_ROW_BYTES, NewBlock
from actor_operator.storage.database import Database
from actor_operator.storage.datasets import DatasetItems
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.tables import BLOCKS, DELETIONS, UPLOADS
from actor_operator.storage.uploads import HOUR, sweep


@pytest.fixture
async def world(database: Database, objects: ObjectStore) -> DatasetWorld:
    return await dataset_world(database, objects)


async def count_of(world: DatasetWorld, table: Any) -> int:
    found = await world.database.read(
        lambda connection: connection.scalar(select(func.count()).select_from(table))
    )
    return int(found or 0)


def numbers(first: int, end: int) -> list[dict[str, int]]:
    return [{"n": number} for number in range(first, end)]


def noise(size: int) -> str:
    """A text that no compression makes small."""
    return random.Random(size).randbytes(size // 2).hex()  # noqa: S311 -- no secret


async def test_items_come_back_in_the_order_of_their_pushes(world: DatasetWorld) -> None:
    dataset = await world.new()
    await world.push(dataset, {"n": 0})
    await world.push(dataset, numbers(1, 4))
    await world.push(dataset, [])
    await world.push(dataset, {"n": 4})
    assert await world.items(dataset) == numbers(0, 5)


async def test_an_empty_dataset_has_no_items_in_every_format(world: DatasetWorld) -> None:
    dataset = await world.new()
    assert await world.read(dataset) == b"[]"
    for name in ("jsonl", "csv", "html", "xml", "rss", "xlsx"):
        await world.read(dataset, ItemsRequest(options=FileOptions(format=name)))


async def test_pushes_at_the_same_time_lose_nothing_and_mix_no_push(world: DatasetWorld) -> None:
    dataset = await world.new()
    pushes = [[{"push": push, "n": n} for n in range(push % 4 + 1)] for push in range(40)]
    await asyncio.gather(*(world.push(dataset, push) for push in pushes))
    items = await world.items(dataset)
    assert len(items) == sum(map(len, pushes))
    found = []
    while items:
        push = pushes[items[0]["push"]]
        assert items[: len(push)] == push
        found.append(push[0]["push"])
        items = items[len(push) :]
    assert sorted(found) == list(range(40))


async def test_every_part_can_be_asked_for_forwards_and_backwards(world: DatasetWorld) -> None:
    dataset = await world.new()
    every: list[dict[str, int]] = []
    for size in (3, 1, 5, 1, 1, 4):
        push = numbers(len(every), len(every) + size)
        await world.push(dataset, push)
        every += push
    for offset in range(len(every) + 2):
        for limit in (1, 2, 7, 100):
            part = await world.items(dataset, ItemsRequest(offset=offset, limit=limit))
            assert part == every[offset : offset + limit]
            back = await world.items(dataset, ItemsRequest(offset=offset, limit=limit, desc=True))
            assert back == every[::-1][offset : offset + limit]


async def test_a_page_says_what_was_looked_at_whatever_is_left_out(world: DatasetWorld) -> None:
    dataset = await world.new()
    await world.push(dataset, [{"a": 1}, {"#hidden": 1}, {}, {"a": 2}])
    clean = Transformation(skip_hidden=True, skip_empty=True)
    page, content = await world.datasets.read_items(
        dataset, ItemsRequest(offset=1, limit=3, transformation=clean)
    )
    assert content == b'[{"a":2}]'
    assert (page.total, page.offset, page.count, page.limit) == (4, 1, 3, 3)
    whole = await world.datasets.describe_items(dataset, ItemsRequest(desc=True))
    assert (whole.count, whole.limit, whole.desc) == (4, UNLIMITED, True)


async def test_the_dataset_counts_its_items_and_names_their_fields(world: DatasetWorld) -> None:
    dataset = await world.new("things")
    await world.push(dataset, [{"b": 1}, {"#a": 1}, {}])
    await world.push(dataset, {"a": 1, "b": 2})
    shown = await world.storages.get(dataset)
    assert (shown["itemCount"], shown["cleanItemCount"]) == (4, 2)
    assert shown["fields"] == ["b", "#a", "a"]
    assert shown["stats"]["writeCount"] == 2
    assert shown["stats"]["inflatedBytes"] == len(b'{"b":1}{"#a":1}{}{"a":1,"b":2}')
    assert shown["modifiedAt"] > shown["createdAt"]
    assert shown["urlSigningSecretKey"]
    assert "?signature=" in shown["itemsPublicUrl"]


async def test_a_push_with_one_bad_item_changes_nothing(world: DatasetWorld) -> None:
    dataset = await world.new()
    with pytest.raises(ApiError, match="position 1"):
        await world.push(dataset, [{}, 3])
    assert await world.items(dataset) == []


async def test_large_pushes_go_to_the_object_store(world: DatasetWorld) -> None:
    dataset = await world.new()
    large = [{"n": n, "text": noise(MAX_ROW_BYTES)} for n in range(4)]
    await world.push(dataset, {"n": "before"})
    await world.push(dataset, large)
    await world.push(dataset, {"n": "after"})
    assert len([key async for key in world.objects.list("")]) == 1
    assert await count_of(world, UPLOADS) == 0
    assert await world.items(dataset) == [{"n": "before"}, *large, {"n": "after"}]
    assert await world.items(dataset, ItemsRequest(offset=2, limit=2)) == large[1:3]


async def test_a_very_large_push_is_several_blocks_and_one_push(
    world: DatasetWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actor_operator.services.dataset_writing.BLOCK_BYTES", 50)
    dataset = await world.new()
    await world.push(dataset, numbers(0, 30))
    assert await count_of(world, BLOCKS) > 3
    assert await world.items(dataset, ItemsRequest(offset=13, limit=9)) == numbers(13, 22)
    assert (await world.storages.get(dataset))["stats"]["writeCount"] == 1


async def test_a_push_to_a_deleted_dataset_leaves_no_object_behind(world: DatasetWorld) -> None:
    dataset = await world.new()
    await world.storages.delete(dataset)
    with pytest.raises(ApiError) as caught:
        await world.push(dataset, {"text": noise(3 * MAX_ROW_BYTES)})
    assert caught.value.error_type == "record-not-found"
    assert (await count_of(world, UPLOADS), await count_of(world, DELETIONS)) == (0, 1)
    await sweep(world.database, world.objects, world.now() + 2 * HOUR)
    assert [key async for key in world.objects.list("")] == []


async def test_joined_blocks_have_the_same_items(world: DatasetWorld) -> None:
    dataset = await world.new()
    for number in range(30):
        await world.push(dataset, {"n": number})
    before = (await world.storages.get(dataset))["stats"]["storageBytes"]
    assert await world.compactor.compact(dataset.account, dataset.id) == 29
    assert await count_of(world, BLOCKS) == 1
    await world.push(dataset, {"n": 30})
    assert await world.items(dataset, ItemsRequest(desc=True)) == numbers(0, 31)[::-1]
    assert await world.items(dataset, ItemsRequest(offset=17, limit=3)) == numbers(17, 20)
    after = (await world.storages.get(dataset))["stats"]["storageBytes"]
    assert after < before


async def test_blocks_around_a_large_one_are_joined_apart(world: DatasetWorld) -> None:
    dataset = await world.new()
    for number in range(20):
        text = noise(3 * MAX_ROW_BYTES) if number == 10 else ""
        await world.push(dataset, {"n": number, "text": text})
    await world.compactor.compact(dataset.account, dataset.id)
    assert await count_of(world, BLOCKS) == 3
    assert [item["n"] for item in await world.items(dataset)] == list(range(20))


async def test_blocks_are_joined_by_themselves_after_many_pushes(
    world: DatasetWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actor_operator.services.dataset_compaction.PUSHES", 16)
    dataset, other = await world.new(), await world.new()
    for number in range(16):
        await world.push(dataset, {"n": number})
    await world.push(other, {"n": 0})
    await world.compactor.compact_due()
    assert await count_of(world, BLOCKS) == 2
    assert await world.items(dataset) == numbers(0, 16)


async def test_two_replicas_that_join_the_same_blocks_do_not_disturb_each_other(
    world: DatasetWorld,
) -> None:
    dataset = await world.new()
    for number in range(30):
        await world.push(dataset, {"n": number})
    results = await asyncio.gather(
        *(world.compactor.compact(dataset.account, dataset.id) for _ in range(4)),
        return_exceptions=True,
    )
    assert 29 in results
    assert all(result in (29, 0) or isinstance(result, StaleError) for result in results)
    assert await world.items(dataset) == numbers(0, 30)


async def test_joining_never_touches_a_dataset_that_was_made_anew(world: DatasetWorld) -> None:
    dataset = await world.new()
    for number in range(10):
        await world.push(dataset, {"n": number})

    def replace_with_another_birthday(connection: Any) -> None:
        items = DatasetItems(connection, dataset.account)
        blocks = items.between(dataset.id, 0, 10, most=10)
        items.replace(dataset.id, 1, blocks, NewBlock(10, 0, 0, b""))

    with pytest.raises(StaleError):
        await world.database.write(replace_with_another_birthday)
    assert await world.items(dataset) == numbers(0, 10)


async def test_an_export_shows_the_items_of_its_beginning_whatever_happens_meanwhile(
    world: DatasetWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actor_operator.services.dataset_reading.BLOCKS_AT_ONCE", 3)
    monkeypatch.setattr("actor_operator.services.dataset_reading.PORTION_BYTES", 1)
    monkeypatch.setattr("actor_operator.services.dataset_export.FIRST_BYTES", 1)
    dataset = await world.new()
    for number in range(20):
        await world.push(dataset, {"n": number})
    for desc in (False, True):
        _, content = await world.datasets.read_items(dataset, ItemsRequest(desc=desc))
        assert not isinstance(content, bytes)
        text = await anext(content)
        await world.push(dataset, {"late": True})
        await world.compactor.compact(dataset.account, dataset.id)
        text += await joined(content)
        every: list[dict[str, Any]] = [dict(item) for item in numbers(0, 20)]
        expected = [*every, {"late": True}] if desc else every  # the first round's late one
        assert msgspec.json.decode(text) == (expected[::-1] if desc else expected)


async def test_an_export_of_a_dataset_that_is_deleted_meanwhile_does_not_end_well(
    world: DatasetWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actor_operator.services.dataset_reading.BLOCKS_AT_ONCE", 1)
    monkeypatch.setattr("actor_operator.services.dataset_export.FIRST_BYTES", 1)
    dataset = await world.new()
    for number in range(5):
        await world.push(dataset, {"n": number})
    _, content = await world.datasets.read_items(dataset, ItemsRequest())
    assert not isinstance(content, bytes)
    await world.storages.delete(dataset)
    await world.database.write(
        lambda connection: connection.execute(BLOCKS.delete().where(BLOCKS.c.account > 0))
    )
    with pytest.raises(StaleError):
        await joined(content)


async def test_tables_have_all_columns_of_all_items(world: DatasetWorld, tmp_path: Any) -> None:
    dataset = await world.new()
    await world.push(dataset, {"a": 1})
    await world.push(dataset, {"b": {"c": [2, "x"]}, "a": None})
    csv = await world.read(dataset, ItemsRequest(options=FileOptions(format="csv")))
    assert csv == "\ufeffa,b/c/0,b/c/1\n1,,\n,2,x\n".encode()
    plain = FileOptions(format="csv", bom=False, delimiter=";", skip_header_row=True)
    chosen = Transformation(fields=("z", "a"))
    wanted = ItemsRequest(options=plain, transformation=chosen, limit=1)
    assert await world.read(dataset, wanted) == b";1\n"
    file = tmp_path / "items.xlsx"
    file.write_bytes(await world.read(dataset, ItemsRequest(options=FileOptions(format="xlsx"))))
    sheet = openpyxl.load_workbook(file)["Items"]
    assert list(sheet.iter_rows(values_only=True)) == [
        ("a", "b/c/0", "b/c/1"),
        (1, None, None),
        (None, 2, "x"),
    ]


async def test_a_feed_is_named_after_its_dataset(world: DatasetWorld) -> None:
    dataset = await world.new("posts")
    feed = await world.read(dataset, ItemsRequest(options=FileOptions(format="rss")))
    assert b"<title>Dataset posts</title>" in feed
    named = FileOptions(format="rss", feed_title="Mine", feed_description="About")
    assert b"<title>Mine</title>" in await world.read(dataset, ItemsRequest(options=named))


async def test_one_item_that_becomes_very_many_is_written_in_pieces(world: DatasetWorld) -> None:
    dataset = await world.new()
    await world.push(dataset, {"a": [{"n": n} for n in range(5000)], "b": [{"x": 1}, {"x": 2}]})
    wanted = ItemsRequest(transformation=Transformation(unwind=("a", "b")))
    items = await world.items(dataset, wanted)
    assert items == [{"n": n, "x": x} for n in range(5000) for x in (1, 2)]


async def test_statistics_are_of_all_items(world: DatasetWorld) -> None:
    dataset = await world.new()
    await world.push(dataset, [{"n": 3}, {"n": None}])
    await world.push(dataset, {"n": 7, "t": "abc"})
    assert await world.datasets.statistics(dataset) == {
        "fieldStatistics": {
            "n": {"min": 3, "max": 7, "nullCount": 1, "emptyCount": 0},
            "t": {"min": 3, "max": 3, "nullCount": 0, "emptyCount": 2},
        }
    }


@pytest.mark.parametrize(
    "asked",
    [
        ItemsRequest(view="overview"),
        ItemsRequest(options=FileOptions(format="pdf")),
        ItemsRequest(options=FileOptions(format="csv", delimiter=",,")),
        ItemsRequest(options=FileOptions(format="xml", xml_root="a b")),
        ItemsRequest(transformation=Transformation(output_fields=("a",))),
    ],
)
async def test_options_that_cannot_be_are_refused(world: DatasetWorld, asked: ItemsRequest) -> None:
    dataset = await world.new()
    with pytest.raises(ApiError) as caught:
        await world.read(dataset, asked)
    assert caught.value.status == 400


async def test_no_account_sees_the_items_of_another(world: DatasetWorld) -> None:
    dataset = await world.new()
    await world.push(dataset, {"a": 1})
    stranger = StorageRef(dataset.account + 1, dataset.id, replace(world.caller, account=2))
    for attempt in (
        world.read(stranger),
        world.push(stranger, {"a": 2}),
        world.storages.get(stranger),
        world.storages.delete(stranger),
    ):
        with pytest.raises(ApiError) as caught:
            await attempt
        assert caught.value.error_type == "record-not-found"
    assert await world.items(dataset) == [{"a": 1}]
