"""``actorctl storage``: what is written is read again, in every kind of storage."""

import asyncio
import csv
import io
import json
import signal
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.integration.cli.api_user import ApiUser
from tests.integration.cli.conftest import PATIENCE


async def make(user: ApiUser, kind: str, name: str = "things") -> str:
    """Make a storage; returns its id."""
    token = json.loads(user.login_file.read_bytes())["token"]
    async with user.world.client(token) as client:
        answer = await client.post(f"/v2/{kind}", params={"name": name})
    made: str = answer.json()["data"]["id"]
    return made


@pytest.fixture
async def store(user: ApiUser) -> str:
    return await make(user, "key-value-stores")


@pytest.fixture
async def dataset(user: ApiUser) -> str:
    return await make(user, "datasets")


@pytest.fixture
async def queue(user: ApiUser) -> str:
    return await make(user, "request-queues")


async def items_of(user: ApiUser, dataset: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(await user.done("storage", "get", "dataset", dataset))
    return found


# Key-value stores


async def test_a_record_comes_back_as_it_was_written(
    user: ApiUser, store: str, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 20_000
    (folder := tmp_path / "mine").mkdir()
    written, read = tmp_path / "a.png", folder / "b.png"
    written.write_bytes(content)

    said = await user.done("storage", "push", "key-value-store", store, "picture", str(written))
    await user.done("storage", "get", "key-value-store", store, "picture", "-o", str(read))

    assert said == f"picture written to {store} (image/png).\n"
    assert read.read_bytes() == content
    assert [path.name for path in folder.iterdir()] == ["b.png"]


@pytest.mark.parametrize("content", [b"", b"{}", b"x" * 3_000_000])
async def test_a_record_can_come_through_a_pipe(user: ApiUser, store: str, content: bytes) -> None:
    words = ("storage", "push", "key-value-store", store, "OUTPUT", "-")

    await user.done(*words, "--content-type", "text/plain", stdin=content)

    result = await user("storage", "get", "key-value-store", store, "OUTPUT")
    assert result.stdout_bytes == content


@pytest.mark.parametrize("key", [".", "..", "a!b'(c)", "a.b-c_d"])
async def test_every_key_is_reached(user: ApiUser, store: str, key: str) -> None:
    await user.done("storage", "push", "key-value-store", store, key, "-", stdin="x")

    assert await user.done("storage", "get", "key-value-store", store, key) == "x"


async def test_keys_are_listed_with_their_sizes(user: ApiUser, store: str) -> None:
    for key in ("b", "a1", "a2"):
        await user.done("storage", "push", "key-value-store", store, key, "-", stdin=key)
    words = ("storage", "ls", "key-value-store", store)

    assert await user.done(*words) == "KEY  BYTES\na1   2\na2   2\nb    1\n"
    assert await user.done(*words, "--prefix", "a", "-o", "name") == "a1\na2\n"
    assert [found["key"] for found in json.loads(await user.done(*words, "-o", "json"))] == [
        "a1",
        "a2",
        "b",
    ]


async def test_a_list_of_keys_has_every_page(user: ApiUser, store: str) -> None:
    token = json.loads(user.login_file.read_bytes())["token"]
    async with user.world.client(token) as client:
        for number in range(1001):
            await client.put(f"/v2/key-value-stores/{store}/records/k{number:04}", content=b"x")

    names = await user.done("storage", "ls", "key-value-store", store, "-o", "name")

    assert names.split() == [f"k{number:04}" for number in range(1001)]


async def test_a_record_that_is_not_there_leads_to_the_keys(user: ApiUser, store: str) -> None:
    result = await user("storage", "get", "key-value-store", store, "OUTPUT")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines() == [
        'Error: The record "OUTPUT" was not found.',
        f"Hint: See which keys there are: actorctl storage ls key-value-store {store}",
    ]


async def test_a_failed_read_leaves_the_file_that_is_there(
    user: ApiUser, store: str, tmp_path: Path
) -> None:
    file = tmp_path / "kept"
    file.write_text("old")

    result = await user("storage", "get", "key-value-store", store, "none", "-o", str(file))

    assert result.exit_code == 1
    assert file.read_text() == "old"


async def test_a_file_that_cannot_be_written_is_a_sentence(
    user: ApiUser, dataset: str, tmp_path: Path
) -> None:
    file = tmp_path / "missing" / "file"

    result = await user("storage", "get", "dataset", dataset, "-o", str(file))

    assert result.exit_code == 1
    assert f"Error: The file {file} cannot be written: No such file or directory." in result.stderr


# Datasets


@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 1}, {"a": 2}]',
        '{"a": 1}\n\n{"a": 2}\n',
        '\ufeff\n[\n  {"a": 1},\n  {"a": 2}\n]\n',
    ],
)
async def test_items_are_appended_from_an_array_or_from_lines(
    user: ApiUser, dataset: str, text: str
) -> None:
    said = await user.done("storage", "push", "dataset", dataset, "-", stdin=text)

    assert said == f"2 items appended to {dataset}.\n"
    assert await items_of(user, dataset) == [{"a": 1}, {"a": 2}]


async def test_one_object_over_many_lines_is_one_item(user: ApiUser, dataset: str) -> None:
    text = json.dumps({"a": {"b": 1}}, indent=2)

    said = await user.done("storage", "push", "dataset", dataset, "-", stdin=text)

    assert said == f"1 item appended to {dataset}.\n"
    assert await items_of(user, dataset) == [{"a": {"b": 1}}]


async def test_more_than_one_request_takes_are_sent_in_their_order(
    user: ApiUser, dataset: str, tmp_path: Path
) -> None:
    file = tmp_path / "items.jsonl"
    file.write_text("".join(f'{{"n":{number},"x":"{"y" * 2000}"}}\n' for number in range(6000)))

    await user.done("storage", "push", "dataset", dataset, str(file))

    words = ("storage", "get", "dataset", dataset, "--fields", "n", "--format", "jsonl")
    read = (await user.done(*words)).splitlines()
    assert [json.loads(line)["n"] for line in read] == list(range(6000))


async def test_what_is_no_item_is_named_with_its_line_and_what_came_before_it(
    user: ApiUser, dataset: str
) -> None:
    lines = ['{"a": 1}'] * 5001 + ["7"]

    result = await user("storage", "push", "dataset", dataset, "-", stdin="\n".join(lines))

    assert result.exit_code == 1
    assert "line 5002 is no JSON object" in result.stderr
    assert "Hint: 5000 items had been appended before." in result.stderr
    assert len(await items_of(user, dataset)) == 5000


async def test_of_an_array_with_a_mistake_nothing_is_appended(user: ApiUser, dataset: str) -> None:
    result = await user("storage", "push", "dataset", dataset, "-", stdin='[{"a": 1}, 2]')

    assert result.exit_code == 1
    assert "item 2 is no JSON object" in result.stderr
    assert await items_of(user, dataset) == []


async def test_items_are_read_in_every_format(user: ApiUser, dataset: str, tmp_path: Path) -> None:
    await user.done("storage", "push", "dataset", dataset, "-", stdin='{"a": "x,y", "#b": 2}')
    words = ("storage", "get", "dataset", dataset, "--format")

    rows = csv.reader(io.StringIO((await user.done(*words, "csv", "--clean")).lstrip("\ufeff")))
    assert list(rows) == [["a"], ["x,y"]]
    assert json.loads(await user.done(*words, "jsonl")) == {"a": "x,y", "#b": 2}
    for form in ("xml", "html", "rss"):
        assert "x,y" in await user.done(*words, form)
    file = tmp_path / "items.xlsx"
    await user.done(*words, "xlsx", "-o", str(file))
    assert zipfile.is_zipfile(file)


async def test_a_part_of_the_items_can_be_read(user: ApiUser, dataset: str) -> None:
    text = "\n".join(f'{{"n":{number}}}' for number in range(10))
    await user.done("storage", "push", "dataset", dataset, "-", stdin=text)
    words = ("storage", "get", "dataset", dataset)

    read = json.loads(await user.done(*words, "--desc", "--offset", "1", "--limit", "2"))

    assert read == [{"n": 8}, {"n": 7}]


async def test_ctrl_c_ends_a_push_that_waits_for_a_pipe_and_says_what_came_before(
    user: ApiUser, dataset: str
) -> None:
    words = ("storage", "push", "dataset", dataset, "-")
    async with asyncio.timeout(PATIENCE), user.process(*words) as started:
        assert started.stdin is not None
        started.stdin.write(b'{"a": 1}\n' * 5001)
        while len(await items_of(user, dataset)) < 5000:
            pass
        started.send_signal(signal.SIGINT)
        await started.wait()
        assert started.stderr is not None
        err = await started.stderr.read()

    assert started.returncode == 130
    assert err.decode() == "Interrupted. 5000 items had been appended before.\n"


# Request queues


async def test_requests_are_added_once(user: ApiUser, queue: str) -> None:
    urls = [f"https://a.test/{number}" for number in range(30)]
    words = ("storage", "push", "request-queue", queue)

    first = await user.done(*words, *urls)
    second = await user.done(*words, urls[3], "https://a.test/new")

    assert first == f"30 requests added to {queue}.\n"
    assert second == f"1 request added to {queue}. 1 request had been there before.\n"
    read = (await user.done("storage", "get", "request-queue", queue)).splitlines()
    assert {json.loads(line)["url"] for line in read} == {*urls, "https://a.test/new"}


async def test_what_is_no_url_is_told_of(user: ApiUser, queue: str) -> None:
    result = await user("storage", "push", "request-queue", queue, "")

    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")


# Lists


async def test_storages_of_all_kinds_are_listed(
    user: ApiUser, store: str, dataset: str, queue: str
) -> None:
    await user.done("storage", "push", "dataset", dataset, "-", stdin='[{"a": 1}, {"a": 2}]')

    lines = (await user.done("storage", "ls")).splitlines()

    assert [line.split()[:4] for line in lines] == [
        ["KIND", "ID", "NAME", "ENTRIES"],
        ["key-value-stores", store, "things", "-"],
        ["datasets", dataset, "things", "2"],
        ["request-queues", queue, "things", "0"],
    ]
    assert await user.done("storage", "ls", "datasets", "-o", "name") == f"{dataset}\n"


async def test_storages_without_a_name_are_listed_on_demand(user: ApiUser) -> None:
    unnamed = await make(user, "datasets", "")

    assert await user.done("storage", "ls", "-o", "name") == ""
    assert await user.done("storage", "ls", "--unnamed", "-o", "name") == f"{unnamed}\n"


async def test_a_storage_can_be_called_by_its_name(user: ApiUser, dataset: str) -> None:
    await user.done("storage", "push", "dataset", "~things", "-", stdin='{"a": 1}')

    assert await items_of(user, dataset) == [{"a": 1}]


@pytest.mark.parametrize(
    "words", [("key-value-store",), ("datasets", "x"), ("datasets", "--prefix", "x")]
)
async def test_an_id_belongs_to_one_store(user: ApiUser, words: tuple[str, ...]) -> None:
    assert (await user("storage", "ls", *words)).exit_code == 2
