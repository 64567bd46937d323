"""Which namespace is which account.

A namespace that was deleted and made anew is another account: nobody inherits what was there,
unless an administrator says so.
"""

from collections.abc import Awaitable, Callable

from actor_operator.api.views.namespace import NamespaceView
from actor_operator.engine.store import Store
from actor_operator.services.errors import unavailable

Ensure = Callable[[str, str, str], Awaitable[int]]
"""Gives the number of a namespace with a uid, and makes the account's row if there is none. The
third is the uid of the namespace whose account it shall have, or empty."""


class Accounts:
    """Numbers of accounts by namespace.

    Parameters
    ----------
    namespaces
        The namespaces that there are.
    ensure
        Gives numbers.
    serves
        Whether this installation works in a namespace; it gives no number of others.
    """

    def __init__(
        self,
        namespaces: Store[NamespaceView],
        ensure: Ensure,
        serves: Callable[[NamespaceView], bool] = lambda _: True,
    ) -> None:
        self._namespaces = namespaces
        self._ensure = ensure
        self._serves = serves
        self._known: dict[str, tuple[tuple[str, str], int]] = {}

    def is_foreign(self, namespace: str) -> bool:
        """Whether a namespace is there, but another installation's."""
        found = self._namespaces.get("", namespace)
        return found is not None and not self._serves(found)

    async def number(self, namespace: str) -> int | None:
        """The account of a namespace; None: there is no such namespace, or it is not ours.

        Raises
        ------
        ApiError
            503 when the database does not answer.
        """
        found = self._namespaces.get("", namespace)
        if found is None or not self._serves(found):
            return None
        wanted = (found.uid, found.adopts)
        known, number = self._known.get(namespace, (("", ""), 0))
        if known != wanted:
            number = await self._ensure(namespace, *wanted)
            self._known[namespace] = (wanted, number)
        return number

    async def expect(self, namespace: str) -> int:
        """The account of a namespace that must be there.

        Raises
        ------
        ApiError
            503 when it is not known (yet).
        """
        number = await self.number(namespace)
        if number is None:
            raise unavailable(f'The namespace "{namespace}" is not known yet; try again.')
        return number
