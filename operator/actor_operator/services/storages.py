"""Storages of every kind: making, listing, changing and deleting them.

What is in them has a service of its own for each kind.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Connection

from actor_operator.services.access import StorageRef
from actor_operator.services.describing import describe_all
from actor_operator.services.errors import ApiError, invalid, not_found, unsupported
from actor_operator.services.identity import Caller, Permission
from actor_operator.services.limited_runs import LimitedRuns, refuse_limited
from actor_operator.services.storage_object import Viewer
from actor_operator.storage.accounts import Accounts
from actor_operator.storage.catalog import (
    NAME_PATTERN,
    Catalog,
    NameTakenError,
    NewStorage,
    StorageChanges,
    StorageKind,
    StorageRow,
)
from actor_operator.storage.database import Database
from actor_operator.storage.schemas import StorageSchemas

GENERAL_ACCESS = frozenset(
    {
        "FOLLOW_USER_SETTING",
        "RESTRICTED",
        "ANYONE_WITH_ID_CAN_READ",
        "ANYONE_WITH_NAME_CAN_READ",
    }
)
"""Who else may read a storage (Apify)."""

MAX_TITLE = 500
"""Symbols of a title."""

Describe = Callable[[StorageRow, Viewer], dict[str, Any]]
DescribeWhole = Callable[[StorageRow, Viewer, Any], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Form:
    """How storages of a kind are called and shown.

    Parameters
    ----------
    kind
        The kind.
    word
        What an error calls one of them.
    whole
        Makes the object that a GET answers, with the schema.
    listed
        Makes an entry of the list.
    check_schema
        Looks at a schema that a client gives, and returns the text to keep; None: storages of the
        kind have none.
    """

    kind: StorageKind
    word: str
    whole: DescribeWhole
    listed: Describe
    check_schema: Callable[[Any], bytes] | None = None


@dataclass(frozen=True, slots=True)
class ListedPage:
    """A part of a list, and how many there are in all."""

    total: int
    items: list[dict[str, Any]]


class Storages:
    """Storages of one kind.

    Parameters
    ----------
    form
        How they are called and shown.
    database
        Where they are kept.
    now
        The time in milliseconds since 1970.
    run_of
        Id of the run that asks, if it is one.
    limited
        What runs with limited permissions may use; None: nothing that is there already.
    """

    def __init__(
        self,
        form: Form,
        database: Database,
        now: Callable[[], int],
        run_of: Callable[[Caller], Awaitable[str | None]],
        limited: LimitedRuns | None = None,
    ) -> None:
        self._form = form
        self._database = database
        self._now = now
        self._run_of = run_of
        self._limited = limited

    async def page(
        self, caller: Caller, *, offset: int, limit: int, desc: bool, unnamed: bool
    ) -> ListedPage:
        """A part of the list of the caller's storages.

        Raises
        ------
        ApiError
            403 for a run with limited permissions.
        """
        refuse_limited(caller, "the storages")
        page = await self._database.read(
            lambda connection: Catalog(connection, caller.account).page(
                self._form.kind, offset=offset, limit=limit, desc=desc, unnamed=unnamed
            )
        )
        viewer = Viewer(caller.namespace, is_owner=True, now=self._now())
        items = await describe_all(lambda row: self._form.listed(row, viewer), page.items)
        return ListedPage(page.total, items)

    async def create(self, caller: Caller, name: str, body: Any) -> tuple[dict[str, Any], bool]:
        """Make a storage, or find the one that has the name.

        Parameters
        ----------
        caller
            Who wants it.
        name
            Its name; empty: that of the body, or none.
        body
            JSON of the request: ``name``, ``title``, ``generalAccess``, ``schema``; or None.

        Returns
        -------
        tuple
            The storage as clients see it, and whether it was made.

        Raises
        ------
        ApiError
            400 for a name that none can have, and what else is wrong with the body; 403 when a run
            with limited permissions may not use the one that has the name.
        """
        given = await self._read_changes(body)
        wanted = _check_name(name) if name else given.name
        new = NewStorage(
            kind=self._form.kind,
            name=wanted,
            title=given.title,
            creator_run=await self._run_of(caller),
            general_access=given.general_access or "FOLLOW_USER_SETTING",
            schema=given.schema or b"",
        )
        now = self._now()

        def create(connection: Connection) -> tuple[StorageRow, bool, Any]:
            row, made = Catalog(connection, caller.account).create(new, now)
            return row, made, _schema_of(connection, caller.account, row)

        row, made, schema = await self._database.write(create)
        may_share = made or await self._may_take(caller, row)
        is_owner = may_share and Permission.READ in caller.permissions
        return self._form.whole(row, Viewer(caller.namespace, is_owner, now), schema), made

    async def _may_take(self, caller: Caller, row: StorageRow) -> bool:
        """Whether the caller may have a storage that was there as its owner, or only read it.

        Raises
        ------
        ApiError
            403 for neither.
        """
        if not caller.is_limited or (self._limited and self._limited.owns(caller, row)):
            return True
        if self._limited and await self._limited.may_read(caller, row):
            return False
        raise ApiError(
            "insufficient-permissions",
            f'The name "{row.name}" belongs to a storage that this run did not make, and that its'
            " input does not name: a run with limited permissions may not use it.",
            status=403,
        )

    async def get(self, storage: StorageRef) -> dict[str, Any]:
        """A storage as clients see it.

        Raises
        ------
        ApiError
            404 when there is none.
        """
        return await self._database.read(
            lambda connection: self._show(
                connection,
                storage,
                Catalog(connection, storage.account).get(self._form.kind, storage.id),
            )
        )

    async def update(self, storage: StorageRef, body: Any) -> dict[str, Any]:
        """Change the name, the title, the general access or the schema of a storage.

        Raises
        ------
        ApiError
            404 when there is none, 400 for what is wrong with the body, 409 name-not-unique.
        """
        changes = await self._read_changes(body)
        now = self._now()
        try:
            return await self._database.write(
                lambda connection: self._show(
                    connection,
                    storage,
                    Catalog(connection, storage.account).update(
                        self._form.kind, storage.id, changes, now
                    ),
                )
            )
        except NameTakenError as error:
            raise ApiError("name-not-unique", str(error), status=409) from None

    async def delete(self, storage: StorageRef) -> None:
        """Delete a storage and all that is in it.

        Raises
        ------
        ApiError
            404 when there is none.
        """
        now = self._now()
        deleted = await self._database.write(
            lambda connection: Catalog(connection, storage.account).delete(
                self._form.kind, storage.id, now
            )
        )
        if not deleted:
            raise not_found(self._form.word)

    def _show(
        self, connection: Connection, storage: StorageRef, row: StorageRow | None
    ) -> dict[str, Any]:
        account = Accounts(connection).get(storage.account)
        if row is None or account is None:
            raise not_found(self._form.word)
        viewer = Viewer(account.namespace, storage.may_share, self._now())
        return self._form.whole(row, viewer, _schema_of(connection, storage.account, row))

    async def _read_changes(self, body: Any) -> StorageChanges:
        """What a body asks for."""
        changes = _changes(body)
        if body is None or "schema" not in body:
            return changes
        if not body["schema"]:
            return replace(changes, schema=b"")
        if self._form.check_schema is None:
            raise unsupported("schemas of other storages than datasets")
        schema = await asyncio.to_thread(self._form.check_schema, body["schema"])
        return replace(changes, schema=schema)


def _schema_of(connection: Connection, account: int, row: StorageRow) -> Any:
    """The JSON of a storage's schema; None: it has none."""
    if row.schema_digest is None:
        return None
    body = StorageSchemas(connection, account).get(row.id)
    return None if body is None else msgspec.Raw(body)


def _changes(body: Any) -> StorageChanges:
    """What a body asks for, but for the schema."""
    if body is None:
        return StorageChanges()
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object.")
    if "name" in body and body["name"] is None:
        raise unsupported("to take the name of a storage away")
    name, title, access = body.get("name"), body.get("title"), body.get("generalAccess")
    if title is not None and not _is_title(title):
        raise invalid(
            f"title must be a text of at most {MAX_TITLE} symbols, without NUL.", "invalid-value"
        )
    if access is not None and access not in GENERAL_ACCESS:
        allowed = ", ".join(sorted(GENERAL_ACCESS))
        raise invalid(f"generalAccess must be one of {allowed}.", "invalid-value")
    return StorageChanges(None if name is None else _check_name(name), title, access)


def _is_title(title: Any) -> bool:
    # PostgreSQL keeps no NUL in a text.
    return isinstance(title, str) and len(title) <= MAX_TITLE and "\0" not in title


def _check_name(name: Any) -> str:
    if not isinstance(name, str) or not NAME_PATTERN.fullmatch(name):
        raise invalid(
            "A name of a storage has 1 to 63 letters, digits and hyphens, none of these at its "
            "beginning or end.",
            "invalid-value",
        )
    return name
