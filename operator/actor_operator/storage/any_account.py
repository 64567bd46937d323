"""A storage by its id alone, for links that anybody may follow."""

from sqlalchemy import Connection, bindparam, exists, select

from actor_operator.storage.across import across_accounts
from actor_operator.storage.catalog import ROW_COLUMNS, StorageKind, StorageRow
from actor_operator.storage.tables import ACCOUNTS, STORAGES

_ANYWHERE = across_accounts(
    select(STORAGES.c.account, *ROW_COLUMNS).where(
        STORAGES.c.id == bindparam("of_id"),
        STORAGES.c.kind == bindparam("of_kind"),
        ~exists().where(
            ACCOUNTS.c.id == STORAGES.c.account, ACCOUNTS.c.unreachable_at.is_not(None)
        ),
    )
)


def find_in_any_account(
    connection: Connection, kind: StorageKind, storage_id: str
) -> tuple[int, StorageRow] | None:
    """A storage by its id alone, and its account: FOR CHECKS OF ACCESS ONLY.

    The one query about storages that does not name an account: a link with an id may be followed
    by somebody who has no account here. The caller must then ask whether that one may. Nobody
    finds what belongs to an account whose namespace is gone.
    """
    row = connection.execute(_ANYWHERE, {"of_id": storage_id, "of_kind": kind}).first()
    return None if row is None else (row[0], StorageRow(*row[1:]))
