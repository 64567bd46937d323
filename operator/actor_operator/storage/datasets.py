"""Items of datasets, in blocks that never change.

A push takes the numbers of its items from the dataset's row, in the same transaction in which it
adds its block. A block is found by seeking to the number of its first item, so an item in the
middle of millions costs what the first one does.
"""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from actor_operator.errors import StaleError
from actor_operator.storage.blocks import Block, NewBlock
from actor_operator.storage.tables import BLOCKS, STORAGES
from actor_operator.storage.uploads import Uploads

MAX_FIELDS = 2000
"""Names of fields that a dataset remembers: as many as a table may have columns (Apify)."""

_OF_STORAGE = (
    BLOCKS.c.account == bindparam("of_account"),
    BLOCKS.c.storage == bindparam("of_storage"),
)
_THE_STORAGE = (
    STORAGES.c.account == bindparam("of_account"),
    STORAGES.c.id == bindparam("of_storage"),
    STORAGES.c.kind == "dataset",
)
_COUNT_PUSH = (
    update(STORAGES)
    .where(*_THE_STORAGE)
    .values(
        item_count=STORAGES.c.item_count + bindparam("items"),
        clean_item_count=STORAGES.c.clean_item_count + bindparam("clean"),
        storage_bytes=STORAGES.c.storage_bytes + bindparam("stored"),
        inflated_bytes=STORAGES.c.inflated_bytes + bindparam("inflated"),
        write_count=STORAGES.c.write_count + 1,
        modified_at=bindparam("now"),
        accessed_at=bindparam("now"),
    )
    .returning(STORAGES.c.item_count, STORAGES.c.fields, STORAGES.c.schema_digest)
)
_NAME_FIELDS = update(STORAGES).where(*_THE_STORAGE).values(fields=bindparam("names"))
_ADD_BLOCK = insert(BLOCKS)
_BETWEEN = (
    select(BLOCKS.c.first_index, BLOCKS.c.count, BLOCKS.c.size, BLOCKS.c.body, BLOCKS.c.object_key)
    .where(
        *_OF_STORAGE,
        BLOCKS.c.first_index < bindparam("end"),
        BLOCKS.c.first_index
        >= select(func.max(BLOCKS.c.first_index))
        .where(*_OF_STORAGE, BLOCKS.c.first_index <= bindparam("start"))
        .scalar_subquery(),
    )
    .limit(bindparam("most"))
)
_UPWARDS = _BETWEEN.order_by(BLOCKS.c.first_index)
_DOWNWARDS = _BETWEEN.order_by(BLOCKS.c.first_index.desc())


class DatasetItems:
    """The items of an account's datasets.

    Parameters
    ----------
    connection
        In a transaction.
    account
        The account that owns the datasets.
    """

    def __init__(self, connection: Connection, account: int) -> None:
        self._connection = connection
        self._account = account

    def append(
        self,
        storage: str,
        blocks: Sequence[NewBlock],
        *,
        clean: int,
        fields: Iterable[str],
        now: int,
        schema: str | None = None,
    ) -> int | None:
        """Add blocks at the end.

        Parameters
        ----------
        storage
            Id of the dataset.
        blocks
            The items.
        clean
            How many of them are not empty without their hidden fields.
        fields
            Names of the fields that they have.
        now
            Milliseconds since 1970.
        schema
            Digest of the schema that the items were checked by; None: by none.

        Returns
        -------
        int | None
            Number of the first item; None: there is no such dataset.

        Raises
        ------
        StaleError
            When the upload of a block counts as given up, or the dataset has another schema.
        """
        items = sum(block.count for block in blocks)
        row = self._connection.execute(
            _COUNT_PUSH, self._counts(storage, blocks, items=items, clean=clean, now=now)
        ).first()
        if row is None:
            return None
        if row.schema_digest != schema:
            raise StaleError("The schema of the dataset was changed meanwhile.")
        first = int(row.item_count) - items
        self._add_blocks(storage, first, blocks)
        self._keep_objects(blocks)
        self._remember_fields(storage, row.fields, fields)
        return first

    def between(
        self, storage: str, start: int, end: int, *, most: int, desc: bool = False
    ) -> list[Block]:
        """Blocks with the items from one number up to, and without, another one.

        Parameters
        ----------
        storage
            Id of the dataset.
        start
            Number of the first item.
        end
            Number after the last one.
        most
            At most so many blocks: those at the beginning, or at the end with `desc`.
        desc
            Whether the last block comes first.
        """
        rows = self._connection.execute(
            _DOWNWARDS if desc else _UPWARDS,
            {
                "of_account": self._account,
                "of_storage": storage,
                "start": start,
                "end": end,
                "most": most,
            },
        )
        return [Block(*row) for row in rows]

    def replace(self, storage: str, created_at: int, old: Sequence[Block], new: NewBlock) -> None:
        """Put one block in the place of neighbours with the same items.

        Parameters
        ----------
        storage
            Id of the dataset.
        created_at
            When it was made: one that was deleted and made anew has the same id.
        old
            The neighbours.
        new
            Their items.

        Raises
        ------
        StaleError
            When they are not there any more: the transaction must be rolled back.
        """
        difference = new.size - sum(block.size for block in old)
        counted = self._connection.execute(
            update(STORAGES)
            .where(
                STORAGES.c.account == self._account,
                STORAGES.c.id == storage,
                STORAGES.c.created_at == created_at,
            )
            .values(storage_bytes=STORAGES.c.storage_bytes + difference)
        )
        removed = self._connection.execute(
            delete(BLOCKS).where(
                BLOCKS.c.account == self._account,
                BLOCKS.c.storage == storage,
                BLOCKS.c.first_index.in_([block.first for block in old]),
                BLOCKS.c.object_key.is_(None),
            )
        )
        if counted.rowcount != 1 or removed.rowcount != len(old):
            raise StaleError("The blocks have been replaced already.")
        self._add_blocks(storage, old[0].first, [new])

    def _counts(
        self, storage: str, blocks: Sequence[NewBlock], *, items: int, clean: int, now: int
    ) -> dict[str, object]:
        return {
            "of_account": self._account,
            "of_storage": storage,
            "items": items,
            "clean": clean,
            "stored": sum(block.size for block in blocks),
            "inflated": sum(block.inflated for block in blocks),
            "now": now,
        }

    def _add_blocks(self, storage: str, first: int, blocks: Sequence[NewBlock]) -> None:
        rows = []
        for block in blocks:
            rows.append(
                {
                    "account": self._account,
                    "storage": storage,
                    "first_index": first,
                    "count": block.count,
                    "size": block.size,
                    "body": block.body,
                    "object_key": block.object_key,
                }
            )
            first += block.count
        self._connection.execute(_ADD_BLOCK, rows)

    def _keep_objects(self, blocks: Sequence[NewBlock]) -> None:
        for block in blocks:
            if block.object_key is not None:
                Uploads(self._connection, self._account).keep(block.object_key)

    def _remember_fields(self, storage: str, known: bytes | None, fields: Iterable[str]) -> None:
        """Add the names that are new: most pushes have none, and cost nothing here."""
        names: list[str] = msgspec.json.decode(known) if known else []
        have = set(names)
        new = [name for name in fields if name not in have][: MAX_FIELDS - len(names)]
        if new:
            self._connection.execute(
                _NAME_FIELDS,
                {
                    "of_account": self._account,
                    "of_storage": storage,
                    "names": msgspec.json.encode(names + new),
                },
            )
