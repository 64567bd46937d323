"""``actorctl storage push``: records, items and requests, from files or pipes."""

import asyncio
import mimetypes
from collections.abc import AsyncIterator
from typing import BinaryIO

import click
import msgspec

from actor_operator.cli.api_options import ApiChoice, api_options
from actor_operator.cli.api_session import ApiSession, with_api
from actor_operator.cli.item_batches import ItemError, batches, read_items
from actor_operator.cli.problems import CommandError
from actor_operator.cli.reading import chunks, lines, name_of, size_of
from actor_operator.cli.storage_paths import DATASETS, QUEUES, record_path, storage_path
from actor_operator.cli.transfer import Moved, transfer

BATCH = 25
"""Requests that are sent at once, the most that the API takes."""

ANY = "application/octet-stream"
"""Content type of what tells nothing about itself."""


@click.group()
def push() -> None:
    """Write records, items or requests."""


@push.command("key-value-store")
@click.argument("store", metavar="ID")
@click.argument("key")
@click.argument("file", type=click.File("rb"))
@click.option("--content-type", help="What it is. Default: by the name of the file, or the key.")
@api_options
def push_record(
    *,
    store: str,
    key: str,
    file: BinaryIO,
    content_type: str | None,
    api: str | None,
    token_file: str | None,
) -> None:
    """Write FILE, or - for standard input, as the record KEY of the key-value store ID."""
    kind, size = content_type or _content_type(file, key), size_of(file)

    async def work(session: ApiSession) -> None:
        with transfer(session, "Writing", size) as moved:
            # A body of no bytes has no pieces, and no pieces would be sent without a length.
            body = b"" if size == 0 else _pieces(file, moved)
            await session.client.put(record_path(store, key), body, kind, size)
        click.echo(f"{key} written to {store} ({kind}).")

    with_api(ApiChoice(api, token_file), work)


@push.command("dataset")
@click.argument("dataset", metavar="ID")
@click.argument("file", type=click.File("rb"))
@api_options
def push_items(*, dataset: str, file: BinaryIO, api: str | None, token_file: str | None) -> None:
    """Append the items in FILE, or - for standard input, to the dataset ID.

    FILE has a JSON array of objects, one object, or an object in each line.
    """

    async def work(session: ApiSession) -> None:
        pushed, path = 0, f"{storage_path(DATASETS, dataset)}/items"
        try:
            with transfer(session, "Writing", size_of(file)) as moved:
                async for batch in batches(read_items(lines(file))):
                    await session.client.post(path, batch.body)
                    pushed += batch.count
                    moved(len(batch.body))
        except ItemError as error:
            raise CommandError(f"{name_of(file)}: {error}", _before(pushed)) from None
        except CommandError as error:
            raise CommandError(str(error), f"{_before(pushed)} {error.hint}".strip()) from error
        except asyncio.CancelledError:
            click.echo(f"Interrupted. {_before(pushed)}", err=True)
            raise
        click.echo(f"{_count(pushed, 'item')} appended to {dataset}.")

    with_api(ApiChoice(api, token_file), work)


@push.command("request-queue")
@click.argument("queue", metavar="ID")
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option("--forefront", is_flag=True, help="Put them at the front of the queue.")
@api_options
def push_requests(
    *,
    queue: str,
    urls: tuple[str, ...],
    forefront: bool,
    api: str | None,
    token_file: str | None,
) -> None:
    """Add requests for URLs to the request queue ID, each URL once."""

    async def work(session: ApiSession) -> None:
        path = f"{storage_path(QUEUES, queue)}/requests/batch"
        params = {"forefront": "true"} if forefront else {}
        added = present = 0
        for start in range(0, len(urls), BATCH):
            requests = [{"url": url, "uniqueKey": url} for url in urls[start : start + BATCH]]
            answer = await session.client.post(path, msgspec.json.encode(requests), params)
            old = sum(bool(one["wasAlreadyPresent"]) for one in answer["processedRequests"])
            added, present = added + len(answer["processedRequests"]) - old, present + old
            if answer["unprocessedRequests"]:
                raise CommandError(
                    f"Not all requests were added to {queue}.", "Run the same command again."
                )
        there = f" {_count(present, 'request')} had been there before." if present else ""
        click.echo(f"{_count(added, 'request')} added to {queue}.{there}")

    with_api(ApiChoice(api, token_file), work)


async def _pieces(file: BinaryIO, moved: Moved) -> AsyncIterator[bytes]:
    async for piece in chunks(file):
        yield piece
        moved(len(piece))


def _content_type(file: BinaryIO, key: str) -> str:
    for name in (name_of(file), key):
        guessed, encoding = mimetypes.guess_type(name)
        if guessed and not encoding:
            return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed
    return ANY


def _before(pushed: int) -> str:
    return f"{_count(pushed, 'item')} had been appended before." if pushed else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
