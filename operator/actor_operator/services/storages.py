"""Storages of every kind: making, listing, changing and deleting them.

What is in them has a service of its own for each kind.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from actor_operator.services.access import StorageRef
from actor_operator.services.describing import describe_all
from actor_operator.services.errors import ApiError, invalid, not_found, unsupported
from actor_operator.services.identity import Caller, Permission
from actor_operator.services.limited_runs import LimitedRuns, refuse_limited
from actor_operator.services.storage_object import Viewer
from actor_operator.storage.accounts import Account, Accounts
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
        Makes the object that a GET answers.
    listed
        Makes an entry of the list.
    """

    kind: StorageKind
    word: str
    whole: Describe
    listed: Describe


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
            JSON of the request: ``name``, ``title``, ``generalAccess``; or None.

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
        given = _changes(body)
        wanted = _check_name(name) if name else given.name
        new = NewStorage(
            kind=self._form.kind,
            name=wanted,
            title=given.title,
            creator_run=await self._run_of(caller),
            general_access=given.general_access or "FOLLOW_USER_SETTING",
        )
        now = self._now()
        row, made = await self._database.write(
            lambda connection: Catalog(connection, caller.account).create(new, now)
        )
        may_share = made or await self._may_take(caller, row)
        is_owner = may_share and Permission.READ in caller.permissions
        return self._form.whole(row, Viewer(caller.namespace, is_owner, now)), made

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
        row, account = await self._database.read(
            lambda connection: (
                Catalog(connection, storage.account).get(self._form.kind, storage.id),
                Accounts(connection).get(storage.account),
            )
        )
        return self._show(storage, row, account)

    async def update(self, storage: StorageRef, body: Any) -> dict[str, Any]:
        """Change the name, the title or the general access of a storage.

        Raises
        ------
        ApiError
            404 when there is none, 400 for what is wrong with the body, 409 name-not-unique.
        """
        changes = _changes(body)
        now = self._now()
        try:
            row, account = await self._database.write(
                lambda connection: (
                    Catalog(connection, storage.account).update(
                        self._form.kind, storage.id, changes, now
                    ),
                    Accounts(connection).get(storage.account),
                )
            )
        except NameTakenError as error:
            raise ApiError("name-not-unique", str(error), status=409) from None
        return self._show(storage, row, account)

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
        self, storage: StorageRef, row: StorageRow | None, account: Account | None
    ) -> dict[str, Any]:
        if row is None or account is None:
            raise not_found(self._form.word)
        return self._form.whole(row, Viewer(account.namespace, storage.may_share, self._now()))


def _changes(body: Any) -> StorageChanges:
    """What a body asks for."""
    if body is None:
        return StorageChanges()
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object.")
    if body.get("schema"):
        raise unsupported("schemas of storages")
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
