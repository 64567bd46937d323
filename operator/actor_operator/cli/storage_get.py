"""``actorctl storage get``: records, items and requests, to standard output or into a file."""

import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from actor_operator.cli.api_errors import ApiRefusalError
from actor_operator.cli.api_options import ApiChoice, api_options
from actor_operator.cli.api_session import ApiSession, with_api
from actor_operator.cli.problems import CommandError
from actor_operator.cli.storage_paths import (
    DATASETS,
    all_requests,
    record_path,
    storage_path,
)
from actor_operator.cli.transfer import file_written, transfer

FORMATS = ("json", "jsonl", "csv", "xlsx", "xml", "html", "rss")
"""Formats of items."""

into = click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="File to write; it is replaced."
)


@click.group()
def get() -> None:
    """Read records, items or requests."""


@get.command("key-value-store")
@click.argument("store", metavar="ID")
@click.argument("key")
@into
@api_options
def get_record(
    *, store: str, key: str, output: Path | None, api: str | None, token_file: str | None
) -> None:
    """Read the record KEY of the key-value store ID, as it was written."""

    async def work(session: ApiSession) -> None:
        try:
            await _copy(session, record_path(store, key), {}, output)
        except ApiRefusalError as error:
            if error.kind != "record-not-found":
                raise
            keys = session.command("storage", "ls", "key-value-store", store)
            raise CommandError(str(error), f"See which keys there are: {keys}") from None

    with_api(ApiChoice(api, token_file), work)


@get.command("dataset")
@click.argument("dataset", metavar="ID")
@click.option("--format", "form", type=click.Choice(FORMATS), default="json", help="Their format.")
@click.option("--offset", type=click.IntRange(0), default=0, help="How many to leave out at first.")
@click.option("--limit", type=click.IntRange(1), help="At most so many.")
@click.option("--fields", help="Only these fields (by commas).")
@click.option("--clean", is_flag=True, help="Without hidden fields and empty items.")
@click.option("--desc", is_flag=True, help="The newest first.")
@into
@api_options
def get_items(  # noqa: PLR0913 -- click passes each option by its name
    *,
    dataset: str,
    form: str,
    offset: int,
    limit: int | None,
    fields: str | None,
    clean: bool,
    desc: bool,
    output: Path | None,
    api: str | None,
    token_file: str | None,
) -> None:
    """Read the items of the dataset ID."""
    if form == "xlsx" and output is None and sys.stdout.isatty():
        raise click.UsageError("xlsx is nothing for a terminal: name a file with -o.")
    wished = {
        "format": form,
        "offset": offset or None,
        "limit": limit,
        "fields": fields,
        "clean": "true" if clean else None,
        "desc": "true" if desc else None,
    }
    params = {name: value for name, value in wished.items() if value is not None}
    path = f"{storage_path(DATASETS, dataset)}/items"
    with_api(ApiChoice(api, token_file), lambda session: _copy(session, path, params, output))


@get.command("request-queue")
@click.argument("queue", metavar="ID")
@into
@api_options
def get_requests(
    *, queue: str, output: Path | None, api: str | None, token_file: str | None
) -> None:
    """Read the requests of the request queue ID, one line of JSON each."""

    async def work(session: ApiSession) -> None:
        with _target(output) as file:
            async for page in all_requests(session.client, queue):
                file.write(b"".join(msgspec.json.encode(request) + b"\n" for request in page))

    with_api(ApiChoice(api, token_file), work)


async def _copy(
    session: ApiSession, path: str, params: Mapping[str, str | int], output: Path | None
) -> None:
    """Write an answer as it comes; a file is whole or not there."""
    async with session.client.stream(path, params) as pieces:
        with _target(output) as file:
            await _write(session, pieces, file, shown=output is not None)


async def _write(
    session: ApiSession, pieces: AsyncIterator[bytes], file: BinaryIO, *, shown: bool
) -> None:
    with transfer(session, "Reading", None, shown=shown) as moved:
        async for piece in pieces:
            file.write(piece)
            moved(len(piece))


@contextmanager
def _target(output: Path | None) -> Iterator[BinaryIO]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with file_written(output) as file:
        yield file
