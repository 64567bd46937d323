"""``actorctl storage ls``: storages, and the keys of a key-value store."""

from datetime import UTC, datetime
from typing import Any

import click

from actor_operator.cli.api_options import ApiChoice, api_options
from actor_operator.cli.api_session import ApiSession, with_api
from actor_operator.cli.format import NONE, age
from actor_operator.cli.output import Table, print_data
from actor_operator.cli.storage_paths import (
    DATASETS,
    KINDS,
    QUEUES,
    all_keys,
    all_storages,
)
from actor_operator.clock import parse_timestamp

STORE = "key-value-store"
"""The kind in the singular: with an id, for its keys."""

COLUMNS = ("KIND", "ID", "NAME", "ENTRIES", "MODIFIED")

COUNTS = {DATASETS: "itemCount", QUEUES: "totalRequestCount"}
"""Field with the number of entries; key-value stores do not say it."""


@click.command("ls")
@click.argument("kind", type=click.Choice([*KINDS, STORE]), required=False)
@click.argument("store", metavar="[ID]", required=False)
@click.option("--unnamed", is_flag=True, help="Also storages without a name, as those of runs.")
@click.option("--prefix", default="", help="With key-value-store: only keys that begin so.")
@click.option("-o", "--output", type=click.Choice(["json", "name"]), help="Form of the output.")
@api_options
def ls(
    *,
    kind: str | None,
    store: str | None,
    unnamed: bool,
    prefix: str,
    output: str | None,
    api: str | None,
    token_file: str | None,
) -> None:
    """List storages, or the keys of a store.

    Without KIND all storages that have a name; "key-value-store ID" lists the keys of one.
    """
    choice = ApiChoice(api, token_file)
    if (kind == STORE) != (store is not None):
        raise click.UsageError(f"An ID stands behind {STORE}, and nowhere else.")
    if store is not None:
        with_api(choice, lambda session: _list_keys(session, store, prefix, output))
        return
    if prefix:
        raise click.UsageError(f"--prefix is for the keys of a {STORE}.")
    kinds = KINDS if kind is None else (kind,)
    with_api(choice, lambda session: _list_storages(session, kinds, output, unnamed=unnamed))


async def _list_keys(session: ApiSession, store: str, prefix: str, output: str | None) -> None:
    table, items = Table(("KEY", "BYTES")), []
    async for page in all_keys(session.client, store, prefix):
        if output == "json":
            items += page
        elif output == "name":
            click.echo("\n".join(str(item["key"]) for item in page))
        else:
            table.print([(item["key"], str(item["size"])) for item in page])
        items = items or page[:1]
    if output == "json":
        print_data(items, output)
    elif not items:
        session.tell("There are no keys.")


async def _list_storages(
    session: ApiSession, kinds: tuple[str, ...], output: str | None, *, unnamed: bool
) -> None:
    found = [
        (kind, item)
        for kind in kinds
        for item in await all_storages(session.client, kind, unnamed=unnamed)
    ]
    if output == "json":
        print_data([item for _, item in found], output)
    elif output == "name":
        click.echo("".join(f"{item['id']}\n" for _, item in found), nl=False)
    elif found:
        now = datetime.now(tz=UTC)
        Table(COLUMNS).print([_cells(kind, item, now) for kind, item in found])
    else:
        more = "" if unnamed else " Those of runs have no name: --unnamed."
        session.tell(f"There are no storages.{more}")


def _cells(kind: str, item: dict[str, Any], now: datetime) -> tuple[str, ...]:
    name = item.get("name")
    return (
        kind,
        item["id"],
        # Lists show the id of what has no name.
        NONE if name in {None, item["id"]} else str(name),
        str(item.get(COUNTS.get(kind, ""), NONE)),
        age(parse_timestamp(item["modifiedAt"]), now),
    )
