"""Who may touch which storage.

What is not there and what the caller may not touch look the same.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from actor_operator.services.errors import ApiError, not_found
from actor_operator.services.identity import Caller, Permission
from actor_operator.services.limited_runs import LimitedRuns
from actor_operator.services.run_directory import RunDirectory
from actor_operator.services.run_storages import RunStorages
from actor_operator.services.signatures import is_signed_storage, is_signed_text
from actor_operator.storage.accounts import Accounts
from actor_operator.storage.any_account import find_in_any_account
from actor_operator.storage.catalog import Catalog, StorageKind, StorageRow
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
    may_share
        Whether the caller may give links to it away, as its owner may.
    schema
        Digest of its schema; None: it has none.
    """

    account: int
    id: str
    caller: Caller
    may_share: bool = False
    schema: str | None = None


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
        self._limited = LimitedRuns(directory, run_storages)
        self._now = now

    async def find(self, caller: Caller, wish: Wish) -> StorageRef:
        """The storage, if there is one and the caller may use it so.

        Raises
        ------
        ApiError
            404 for what is not there or not allowed; 401 instead when a signature came with it.
        """
        found = await self._database.read(lambda connection: _find(connection, caller, wish))
        if found is None and await self._make_default(caller, wish):
            found = await self._database.read(lambda connection: _find(connection, caller, wish))
        if found is not None and await self._may_as_owner(caller, wish, found):
            share = Permission.READ in caller.permissions and (
                not caller.is_limited or self._limited.owns(caller, found.row)
            )
            return StorageRef(found.account, found.row.id, caller, share, found.row.schema_digest)
        if found is not None and not wish.write and self._is_shared(wish, found):
            return StorageRef(found.account, found.row.id, caller)
        if wish.signature and not wish.write:
            # Also where there is nothing: both look the same.
            message = "The signature of this link is wrong, or its time is over."
            raise ApiError("invalid-signature", message, status=401)
        raise not_found(WORDS[wish.kind])

    async def _make_default(self, caller: Caller, wish: Wish) -> bool:
        """Make the default storages of a run of the caller that is asked for the first time."""
        run = self._directory.by_storage(wish.reference)
        if run is None or run.namespace != caller.namespace:
            return False
        await self._run_storages.ensure(caller.account, run)
        return True

    async def _may_as_owner(self, caller: Caller, wish: Wish, found: _Found) -> bool:
        needed = Permission.WRITE if wish.write else Permission.READ
        if found.account != caller.account or needed not in caller.permissions:
            return False
        if not caller.is_limited or self._limited.owns(caller, found.row):
            return True
        return not wish.write and await self._limited.may_read(caller, found.row)

    def _is_shared(self, wish: Wish, found: _Found) -> bool:
        """Whether everybody may read it, or who has the link that came with the request."""
        row = found.row
        if row.general_access in (READABLE_BY_NAME if found.by_name else READABLE_BY_ID):
            return True
        if not wish.signature:
            return False
        record = bool(wish.record_key) and is_signed_text(
            row.signing_key, wish.record_key, wish.signature
        )
        return record or is_signed_storage(row.signing_key, row.id, wish.signature, self._now())


FindStorage = Callable[..., Awaitable[StorageRef]]
"""A dependency of routes that gives the storage of a request."""


def _find(connection: Connection, caller: Caller, wish: Wish) -> _Found | None:
    owner, tilde, name = wish.reference.rpartition("~")
    if not tilde:
        return _find_by_id(connection, caller, wish)
    account: int | None = caller.account
    # Names of namespaces have small letters only; Apify's usernames are the same in any case.
    if owner and owner.lower() != caller.namespace:
        other = Accounts(connection).of_namespace(owner.lower())
        account = other.id if other else None
    if not account:
        return None
    row = Catalog(connection, account).find(wish.kind, name)
    return _Found(account, row, by_name=True) if row else None


def _find_by_id(connection: Connection, caller: Caller, wish: Wish) -> _Found | None:
    # One's own comes first, whatever another account has under the same id.
    own = Catalog(connection, caller.account).get(wish.kind, wish.reference)
    if own is not None:
        return _Found(caller.account, own, by_name=False)
    found = find_in_any_account(connection, wish.kind, wish.reference)
    return _Found(*found, by_name=False) if found else None
