"""Accounts: a namespace with its uid is one."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select, update

from actor_operator.storage.tables import ACCOUNTS
from actor_operator.storage.upsert import insert_into

REPLACED = "replaced-"
"""With its number behind it, the uid of an account whose namespace has adopted another one."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account. Times are in milliseconds since 1970.

    Parameters
    ----------
    id
        Its number, which begins the key of everything that belongs to it.
    namespace
        Name of its namespace.
    namespace_uid
        The uid of that.
    created_at
        When it was first seen.
    unreachable_at
        Since when its namespace is gone, or another one has its name; None: it is in use.
    purged_at
        Since when nothing is left of what it had. Its row stays: no number is given twice.
    """

    id: int
    namespace: str
    namespace_uid: str
    created_at: int
    unreachable_at: int | None
    purged_at: int | None = None


class Accounts:
    """The accounts that there ever were.

    Parameters
    ----------
    connection
        In a transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ensure(self, namespace: str, namespace_uid: str, now: int, adopts: str = "") -> int:
        """The account of a namespace, made when it is seen for the first time.

        A namespace that was deleted and made anew has another uid and is a new account; the old one
        is unreachable from then on. What was unreachable and is seen again is in use again.

        Parameters
        ----------
        namespace
            Its name.
        namespace_uid
            Its uid.
        now
            The time in milliseconds.
        adopts
            The uid of an earlier namespace of that name whose account this one shall have.
        """
        if adopts and adopts != namespace_uid:
            self._adopt(namespace, namespace_uid, adopts, now)
        account = self.by_uid(namespace_uid)
        if account is None:
            self._connection.execute(
                insert_into(self._connection, ACCOUNTS)
                .values(namespace=namespace, namespace_uid=namespace_uid, created_at=now)
                .on_conflict_do_nothing()  # another replica was faster
            )
            account = self.by_uid(namespace_uid)
            assert account is not None  # noqa: S101 -- one of the two has just written it
        self._connection.execute(
            update(ACCOUNTS)
            .where(
                ACCOUNTS.c.namespace == namespace,
                # Not later ones: a replica that lags may still see the namespace before.
                ACCOUNTS.c.id < account.id,
                ACCOUNTS.c.unreachable_at.is_(None),
            )
            .values(unreachable_at=now)
        )
        if account.unreachable_at is not None and not self._is_followed(account):
            self._change(account.id, unreachable_at=None, purged_at=None)
        return account.id

    def _is_followed(self, account: Account) -> bool:
        """Whether a later namespace of the same name is in use."""
        current = self.of_namespace(account.namespace)
        return current is not None and current.id > account.id

    def _adopt(self, namespace: str, namespace_uid: str, adopts: str, now: int) -> None:
        """Give a namespace the account of an earlier one of the same name.

        The account that it had itself is put aside, as unreachable, and can be adopted in its turn.
        """
        wanted = ACCOUNTS.c.namespace_uid == adopts
        row = self._connection.execute(select(ACCOUNTS).where(wanted).with_for_update()).first()
        if row is None or row.namespace != namespace or row.purged_at is not None:
            return
        own = self.by_uid(namespace_uid)
        if own is not None:
            self._change(own.id, namespace_uid=f"{REPLACED}{own.id}", unreachable_at=now)
        self._change(row.id, namespace_uid=namespace_uid, unreachable_at=None)

    def leave(self, number: int, now: int) -> None:
        """The namespace of an account is gone: it is unreachable."""
        self._connection.execute(
            update(ACCOUNTS)
            .where(ACCOUNTS.c.id == number, ACCOUNTS.c.unreachable_at.is_(None))
            .values(unreachable_at=now)
        )

    def finish(self, number: int, now: int) -> None:
        """Nothing is left of what an account had."""
        self._change(number, purged_at=now)

    def _change(self, number: int, **values: object) -> None:
        self._connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.id == number).values(**values))

    def by_uid(self, namespace_uid: str) -> Account | None:
        """The account of the namespace with a uid."""
        row = (
            self._connection.execute(
                select(ACCOUNTS).where(ACCOUNTS.c.namespace_uid == namespace_uid)
            )
            .mappings()
            .one_or_none()
        )
        return None if row is None else Account(**row)

    def get(self, number: int) -> Account | None:
        """The account with a number."""
        row = (
            self._connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.id == number))
            .mappings()
            .one_or_none()
        )
        return None if row is None else Account(**row)

    def of_namespace(self, namespace: str) -> Account | None:
        """The account in use of the namespace with a name."""
        row = (
            self._connection.execute(
                select(ACCOUNTS).where(
                    ACCOUNTS.c.namespace == namespace, ACCOUNTS.c.unreachable_at.is_(None)
                )
            )
            .mappings()
            .one_or_none()
        )
        return None if row is None else Account(**row)

    def in_use(self) -> list[Account]:
        """Accounts that are in use."""
        return self._all(ACCOUNTS.c.unreachable_at.is_(None))

    def unreachable(self, before: int) -> list[Account]:
        """Accounts with something left that are unreachable since before a moment, oldest first."""
        return self._all(ACCOUNTS.c.unreachable_at < before, ACCOUNTS.c.purged_at.is_(None))

    def _all(self, *conditions: ColumnElement[bool]) -> list[Account]:
        rows = self._connection.execute(
            select(ACCOUNTS).where(*conditions).order_by(ACCOUNTS.c.unreachable_at, ACCOUNTS.c.id)
        )
        return [Account(**row) for row in rows.mappings()]
