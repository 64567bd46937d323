"""Accounts whose namespace is gone: noticed, kept for a while, and removed with all they had."""

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection

from actor_operator.api.views.namespace import NamespaceView
from actor_operator.engine.store import Store
from actor_operator.log import logger
from actor_operator.storage.accounts import Account, Accounts
from actor_operator.storage.database import Database
from actor_operator.storage.purge import purge_some

log = logger(__name__)

PIECES = 50
"""Most transactions that one pass removes with."""


class AccountSweeper:
    """Looks after accounts that nobody can reach any more.

    Parameters
    ----------
    database
        Where they are.
    namespaces
        The namespaces that there are.
    seconds
        How long what an unreachable account had is kept.
    now
        The time in milliseconds since 1970.
    """

    def __init__(
        self,
        database: Database,
        namespaces: Store[NamespaceView],
        seconds: int,
        now: Callable[[], int],
    ) -> None:
        self._database = database
        self._namespaces = namespaces
        self._millis = seconds * 1000
        self._now = now
        self._missing: frozenset[int] = frozenset()
        self._told: set[int] = set()

    async def sweep(self) -> None:
        """Look at all accounts once; to be called each minute or so, once the namespaces are known.

        Raises
        ------
        DatabaseUnavailableError
            When the database does not answer.
        """
        if not len(self._namespaces):
            return  # no cluster is without namespaces: we have not been told of them
        await self._leave()
        await self._purge()

    async def _leave(self) -> None:
        """Mark accounts whose namespace was missing at the last pass already.

        Another replica may have made an account of a namespace that this one has not heard of.
        """
        used = await self._database.read(lambda connection: Accounts(connection).in_use())
        missing = frozenset(account.id for account in used if not self._is_there(account))
        gone = missing & self._missing
        self._missing = missing
        if gone:
            await self._database.write(partial(_leave, gone, self._now()))

    async def _purge(self) -> None:
        now = self._now()
        found = await self._database.read(lambda connection: Accounts(connection).unreachable(now))
        pieces = PIECES
        for account in found:
            if self._is_there(account):
                await self._database.write(partial(_return, account, now))
                continue
            self._tell(account)
            due = (account.unreachable_at or now) + self._millis <= now
            while due and pieces > 0:
                pieces -= 1
                due = await self._database.write(partial(_purge_some, account.id, now))

    def _is_there(self, account: Account) -> bool:
        found = self._namespaces.get("", account.namespace)
        return found is not None and found.uid == account.namespace_uid

    def _tell(self, account: Account) -> None:
        """Say once what an administrator needs to have it adopted."""
        if account.id in self._told:
            return
        self._told.add(account.id)
        log.warning(
            "The namespace of an account is gone. What the account had is removed in time; a"
            " namespace of the same name can adopt it until then.",
            namespace=account.namespace,
            uid=account.namespace_uid,
            seconds=self._millis // 1000,
        )


def _leave(numbers: frozenset[int], now: int, connection: Connection) -> None:
    for number in sorted(numbers):
        Accounts(connection).leave(number, now)


def _return(account: Account, now: int, connection: Connection) -> None:
    Accounts(connection).ensure(account.namespace, account.namespace_uid, now)


def _purge_some(number: int, now: int, connection: Connection) -> bool:
    return purge_some(connection, number, now)
