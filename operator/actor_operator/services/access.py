"""Who may touch which storage.

What is not there and what the caller may not touch look the same.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from actor_operator.services.errors import ApiError, not_found
from actor_operator.services.identity import Caller, Permission
from actor_operator.services.run_directory import RunDirectory
from actor_operator.services.run_storages import RunStorages
from actor_operator.services.signatures import is_signed_storage, is_signed_text
from actor_operator.storage.accounts import Accounts
from actor_operator.storage.catalog import (
    Catalog,
    StorageKind,
    StorageRow,
    find_in_any_account,
)
from actor_operator.storage.database import Database

WORDS = {
    StorageKind.KEY_VALUE_STORE: "Key-value store",
    StorageKind.DATASET: "Dataset",
    StorageKind.REQUEST_QUEUE: "Request queue",
}
"""How errors call storages."""

READABLE_BY_ID = frozenset({"ANYONE_WITH_ID_CAN_READ", "ANYONE_WITH_NAME_CAN_READ"})
READABLE_BY_NAME = frozenset({"ANYONE_WITH_NAME_CAN_READ"})


@dataclass(frozen=True, slots=True)
class StorageRef:
    """A storage that the caller may use in the way that was asked for.

    Parameters
    ----------
    account
        The account that owns it, which need not be the caller's.
    id
        Its id.
    caller
        Who asks.
    """

    account: int
    id: str
    caller: Caller


@dataclass(frozen=True, slots=True)
class Wish:
    """Which storage, and what for.

    Parameters
    ----------
    kind
        Of which kind.
    reference
        Its id, ``username~name``, or ``~name`` for one's own.
    write
        Whether it is to be changed.
    signature
        Signature of a link.
    record_key
        The record that is asked for, if it is one: its signature is another one.
    """

    kind: StorageKind
    reference: str
    write: bool
    signature: str = ""
    record_key: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    account: int
    row: StorageRow
    by_name: bool


class StorageAccess:
    """Finds storages for those who may use them.

    Parameters
    ----------
    database
        Where they are.
    directory
        The runs, of whose default storages some are not made yet.
    run_storages
        Makes those, and knows what the input of a run names.
    now
        The time.
    """

    def __init__(
        self,
        *,
        database: Database,
        directory: RunDirectory,
        run_storages: RunStorages,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._directory = directory
        self._run_storages = run_storages
        self._now = now

    async def find(self, caller: Caller, wish: Wish) -> StorageRef:
        """The storage, if there is one and the caller may use it so.

        Raises
        ------
        ApiError
            404 for what is not there or not allowed, 401 for a signature that does not hold.
        """
        found = await self._database.read(lambda connection: _find(connection, caller, wish))
        if found is None and await self._make_default(caller, wish):
            found = await self._database.read(lambda connection: _find(connection, caller, wish))
        if found is None or not await self._may(caller, wish, found):
            raise not_found(WORDS[wish.kind])
        return StorageRef(found.account, found.row.id, caller)

    async def _make_default(self, caller: Caller, wish: Wish) -> bool:
        """Make the default storages of a run of the caller that is asked for the first time."""
        run = self._directory.by_storage(wish.reference)
        if run is None or run.namespace != caller.namespace:
            return False
        await self._run_storages.ensure(caller.account, run)
        return True

    async def _may(self, caller: Caller, wish: Wish, found: _Found) -> bool:
        if found.account == caller.account:
            needed = Permission.WRITE if wish.write else Permission.READ
            if needed not in caller.permissions:
                return False
            return not caller.is_limited or await self._is_for_limited(caller, wish, found.row)
        if wish.write:
            return False
        readable = READABLE_BY_NAME if found.by_name else READABLE_BY_ID
        return found.row.general_access in readable or self._is_signed(wish, found.row)

    def _is_signed(self, wish: Wish, row: StorageRow) -> bool:
        """Whether a signature allows it.

        Raises
        ------
        ApiError
            401 for one that does not hold.
        """
        if not wish.signature:
            return False
        record = bool(wish.record_key) and is_signed_text(
            row.signing_key, wish.record_key, wish.signature
        )
        if record or is_signed_storage(row.signing_key, row.id, wish.signature, self._now()):
            return True
        message = "The signature of this link is wrong, or its time is over."
        raise ApiError("invalid-signature", message, status=401)

    async def _is_for_limited(self, caller: Caller, wish: Wish, row: StorageRow) -> bool:
        """A limited run may use its own storages and those it made, and read what it was given."""
        run = self._directory.by_uid(caller.run.uid) if caller.run else None
        if run is None:
            return False
        own = self._run_storages.ids(run)
        defaults = (own.key_value_store, own.dataset, own.request_queue)
        if row.id in defaults or row.creator_run == own.run:
            return True
        return not wish.write and await self._run_storages.is_named_in_input(
            caller.account, run, row, caller.namespace
        )


FindStorage = Callable[..., Awaitable[StorageRef]]
"""A dependency of routes that gives the storage of a request."""


def _find(connection: Connection, caller: Caller, wish: Wish) -> _Found | None:
    owner, tilde, name = wish.reference.rpartition("~")
    if not tilde:
        found = find_in_any_account(connection, wish.kind, wish.reference)
        return _Found(*found, by_name=False) if found else None
    account: int | None = caller.account
    if owner and owner != caller.namespace:
        other = Accounts(connection).of_namespace(owner)
        account = other.id if other else None
    if not account:
        return None
    row = Catalog(connection, account).find(wish.kind, name)
    return _Found(account, row, by_name=True) if row else None
