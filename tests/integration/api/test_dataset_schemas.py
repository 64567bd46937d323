"""Datasets with a schema: what they take, and their views."""

import asyncio
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select
from tests.support.datasets import DatasetWorld, dataset_world

from actor_operator.errors import StaleError
from actor_operator.services.dataset_schemas import MOST_KEPT, THREAD_BYTES
from actor_operator.services.datasets import ItemsRequest
from actor_operator.services.errors import ApiError
from actor_operator.services.exports.formats import FORMATS, FileOptions
from actor_operator.services.transformation import Transformation
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.tables import STORAGE_SCHEMAS

FIELDS = {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]}
SCHEMA = {"actorSpecification": 1, "fields": FIELDS, "views": {}}
VIEW = {"fields": ["n", "tag"], "unwind": ["tags"], "limit": 2, "desc": True}
VIEWS = {"views": {"tags": {"title": "Tags", "transformation": VIEW}}}


@pytest.fixture
async def world(database: Database, objects: ObjectStore) -> DatasetWorld:
    return await dataset_world(database, objects)


async def kept(world: DatasetWorld) -> int:
    """How many schemas are kept."""
    query = select(func.count()).select_from(STORAGE_SCHEMAS)
    return int(await world.database.read(lambda connection: connection.execute(query).scalar_one()))


async def test_items_that_do_not_fit_are_refused_with_all_that_came_with_them(
    world: DatasetWorld,
) -> None:
    dataset = await world.shaped(SCHEMA)
    await world.push(dataset, {"n": 1})
    with pytest.raises(ApiError) as caught:
        await world.push(dataset, [{"n": 2}, {"n": "x"}, {}])
    assert caught.value.error_type == "schema-validation-error"
    assert caught.value.data is not None
    assert [each["itemPosition"] for each in caught.value.data["invalidItems"]] == [1, 2]
    assert await world.items(dataset) == [{"n": 1}]


async def test_a_large_push_is_checked_too(world: DatasetWorld) -> None:
    dataset = await world.shaped(SCHEMA)
    items: list[dict[str, Any]] = [{"n": n} for n in range(THREAD_BYTES)]
    await world.push(dataset, items)
    with pytest.raises(ApiError):
        await world.push(dataset, [*items, {}])
    assert (await world.storages.get(dataset))["itemCount"] == len(items)


async def test_a_schema_is_shown_changed_and_taken_away(world: DatasetWorld) -> None:
    made, _ = await world.storages.create(world.caller, "it", {"schema": SCHEMA})
    assert msgspec.json.decode(msgspec.json.encode(made["schema"])) == SCHEMA
    again, new = await world.storages.create(world.caller, "it", {"schema": VIEWS})
    assert not new
    assert msgspec.json.decode(msgspec.json.encode(again["schema"])) == SCHEMA
    dataset = await world.shaped(SCHEMA)
    await world.push(dataset, {"n": 1})
    changed = await world.storages.update(dataset, {"schema": VIEWS})
    assert msgspec.json.decode(msgspec.json.encode(changed["schema"])) == VIEWS
    dataset = await world.found(dataset)
    await world.push(dataset, {"any": "thing"})
    gone = await world.storages.update(dataset, {"schema": None})
    assert gone["schema"] is None
    dataset = await world.found(dataset)
    assert dataset.schema is None
    await world.push(dataset, {"what": "ever"})


async def test_another_change_leaves_the_schema_alone(world: DatasetWorld) -> None:
    dataset = await world.shaped(SCHEMA)
    changed = await world.storages.update(dataset, {"title": "Numbers"})
    assert msgspec.json.decode(msgspec.json.encode(changed["schema"])) == SCHEMA


async def test_a_bad_schema_changes_nothing(world: DatasetWorld) -> None:
    dataset = await world.shaped(SCHEMA)
    with pytest.raises(ApiError) as caught:
        await world.storages.update(dataset, {"schema": {"fields": {"type": "array"}}, "name": "x"})
    assert caught.value.error_type == "dataset-schema-invalid"
    shown = await world.storages.get(dataset)
    assert shown["name"] is None
    assert msgspec.json.decode(msgspec.json.encode(shown["schema"])) == SCHEMA


async def test_items_are_never_checked_by_a_schema_that_is_no_more(world: DatasetWorld) -> None:
    loose = await world.shaped({"views": {}})
    bare = await world.new()
    for dataset in (loose, bare):
        await world.storages.update(dataset, {"schema": SCHEMA})
        with pytest.raises(StaleError):  # found before the change, pushed after it
            await world.push(dataset, {"n": "x"})
        assert (await world.storages.get(dataset))["itemCount"] == 0


async def test_the_schema_goes_with_its_dataset(world: DatasetWorld) -> None:
    dataset, other = await world.shaped(SCHEMA), await world.shaped(VIEWS)
    await world.storages.delete(dataset)
    assert await kept(world) == 1
    await world.storages.update(other, {"schema": {}})
    assert await kept(world) == 0


async def test_a_view_chooses_unwinds_orders_and_ends(world: DatasetWorld) -> None:
    dataset = await world.shaped(VIEWS)
    items = [{"n": n, "more": 1, "tags": [{"tag": "a"}, {"tag": "b"}]} for n in range(4)]
    await world.push(dataset, items)
    assert await world.items(dataset, ItemsRequest(view="tags")) == [
        {"n": 3, "tag": "a"},
        {"n": 3, "tag": "b"},
        {"n": 2, "tag": "a"},
        {"n": 2, "tag": "b"},
    ]
    page = await world.datasets.describe_items(dataset, ItemsRequest(view="tags", offset=1))
    assert (page.total, page.count, page.desc) == (4, 1, True)
    beyond = ItemsRequest(view="tags", offset=2, limit=5)
    assert await world.items(dataset, beyond) == []


async def test_what_is_asked_for_wins_over_the_view(world: DatasetWorld) -> None:
    dataset = await world.shaped(VIEWS)
    await world.push(dataset, [{"n": n, "more": n, "tags": []} for n in range(4)])
    asked = ItemsRequest(view="tags", limit=1, transformation=Transformation(fields=("more",)))
    assert await world.items(dataset, asked) == [{"more": 3}]


@pytest.mark.parametrize("name", FORMATS)
async def test_every_format_shows_the_view(world: DatasetWorld, name: str) -> None:
    dataset = await world.shaped(VIEWS)
    await world.push(dataset, {"n": 1, "hiddenInView": 1, "tags": [{"tag": "a"}]})
    viewed = await world.read(dataset, ItemsRequest(view="tags", options=FileOptions(name)))
    asked = Transformation(fields=("n", "tag"), unwind=("tags",))
    same = await world.read(dataset, ItemsRequest(transformation=asked, options=FileOptions(name)))
    if not FORMATS[name].is_binary:  # those have the time in them
        assert viewed == same
    assert b"hiddenInView" not in viewed


@pytest.mark.parametrize(
    ("schema", "error"),
    [(None, "dataset-does-not-have-schema"), (VIEWS, "requested-dataset-view-does-not-exist")],
)
async def test_a_view_that_is_not_there_is_refused(
    world: DatasetWorld, schema: Any, error: str
) -> None:
    dataset = await (world.shaped(schema) if schema else world.new())
    with pytest.raises(ApiError) as caught:
        await world.read(dataset, ItemsRequest(view="none"))
    assert (caught.value.status, caught.value.error_type) == (400, error)


async def test_more_schemas_than_are_kept_ready_work_at_once(world: DatasetWorld) -> None:
    schemas = [{"fields": {"required": [f"f{n}"]}} for n in range(MOST_KEPT + 4)]
    datasets = [await world.shaped(schema) for schema in schemas]
    for _ in range(2):
        pushes = [world.push(one, {f"f{n}": n}) for n, one in enumerate(datasets)]
        await asyncio.gather(*pushes)
    with pytest.raises(ApiError):
        await world.push(datasets[0], {"f1": 1})
