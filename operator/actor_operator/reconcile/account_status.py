"""The status of ActorAccounts: what they use, told at most once a second each."""

import asyncio
from collections.abc import Callable

from actor_operator.api.views.account import AccountStatus, AccountView
from actor_operator.engine.store import Key, Store
from actor_operator.engine.workers import WorkerPool
from actor_operator.engine.workqueue import WorkQueue
from actor_operator.kube.accounts import Accounts

PAUSE = 1.0
"""Seconds between two writes about one account: what changes often is told now and then."""

WORKERS = 2
"""Accounts that are written at the same time."""

Judge = Callable[[AccountView], AccountStatus]
"""Gives the status that an account should have now."""


class AccountStatuses:
    """Writes the statuses of accounts, in the replica that leads.

    Parameters
    ----------
    accounts
        What the informer knows.
    writer
        The API server.
    serves
        Whether this installation works in a namespace.
    """

    def __init__(
        self,
        *,
        accounts: Store[AccountView],
        writer: Accounts,
        serves: Callable[[str], bool],
    ) -> None:
        self._accounts = accounts
        self._writer = writer
        self._serves = serves
        self._judge: Judge | None = None
        self._asked: set[Key] = set()
        self._written: dict[Key, float] = {}
        self._queue: WorkQueue[Key] = WorkQueue()
        self._workers = WorkerPool(queue=self._queue, handle=self.reconcile, size=WORKERS)

    def start_leading(self, judge: Judge) -> None:
        """Begin to write.

        Parameters
        ----------
        judge
            Gives the status that an account should have.
        """
        self._judge = judge
        for account in self._accounts:
            self.ask(account.name)
        self._workers.start()

    async def stop_leading(self, grace: float) -> bool:
        """Stop writing; returns whether all work ended by itself."""
        self._judge = None
        ended = await self._workers.stop(grace)
        self._queue.clear()
        self._asked.clear()
        self._written.clear()
        return ended

    def ask(self, name: str) -> None:
        """Something about an account may have changed."""
        key = ("", name)
        if self._judge is None or key in self._asked or self._accounts.get(*key) is None:
            return
        self._asked.add(key)
        now = asyncio.get_running_loop().time()
        self._queue.add_later(key, max(0.0, self._written.get(key, now - PAUSE) + PAUSE - now))

    async def reconcile(self, key: Key) -> None:
        """Write one account's status, if it says something new.

        Raises
        ------
        ApiError
            Try again soon.
        """
        self._asked.discard(key)
        account = self._accounts.get(*key)
        if account is None or self._judge is None or not self._serves(account.name):
            return
        status = self._judge(account)
        if status == account.status:
            return
        self._written[key] = asyncio.get_running_loop().time()
        self._accounts.apply(await self._writer.write_status(account, status))
