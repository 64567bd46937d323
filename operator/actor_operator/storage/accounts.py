"""Accounts: a namespace with its uid is one."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from actor_operator.storage.tables import ACCOUNTS
from actor_operator.storage.upsert import insert_into


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
        Since when another namespace has its name; None: it is in use.
    """

    id: int
    namespace: str
    namespace_uid: str
    created_at: int
    unreachable_at: int | None


class Accounts:
    """The accounts that there ever were.

    Parameters
    ----------
    connection
        In a transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ensure(self, namespace: str, namespace_uid: str, now: int) -> int:
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
        """
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
                ACCOUNTS.c.id != account.id,
                ACCOUNTS.c.unreachable_at.is_(None),
            )
            .values(unreachable_at=now)
        )
        if account.unreachable_at is not None:
            self._connection.execute(
                update(ACCOUNTS).where(ACCOUNTS.c.id == account.id).values(unreachable_at=None)
            )
        return account.id

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

    def unreachable(self, before: int) -> list[Account]:
        """Accounts that have been unreachable since before a moment, the oldest first."""
        rows = self._connection.execute(
            select(ACCOUNTS)
            .where(ACCOUNTS.c.unreachable_at < before)
            .order_by(ACCOUNTS.c.unreachable_at)
        )
        return [Account(**row) for row in rows.mappings()]
