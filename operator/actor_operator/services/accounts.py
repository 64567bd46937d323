"""Which namespace is which account.

A namespace that was deleted and made anew is another account: nobody inherits what was there.
"""

from collections.abc import Awaitable, Callable

from actor_operator.api.views.namespace import NamespaceView
from actor_operator.engine.store import Store
from actor_operator.services.errors import unavailable


class Accounts:
    """Numbers of accounts by namespace.

    Parameters
    ----------
    namespaces
        The namespaces that there are.
    ensure
        Gives the number of a namespace with a uid, and makes the account's row if there is none.
    """

    def __init__(
        self, namespaces: Store[NamespaceView], ensure: Callable[[str, str], Awaitable[int]]
    ) -> None:
        self._namespaces = namespaces
        self._ensure = ensure
        self._known: dict[str, tuple[str, int]] = {}

    async def number(self, namespace: str) -> int | None:
        """The account of a namespace; None: there is no such namespace.

        Raises
        ------
        ApiError
            503 when the database does not answer.
        """
        found = self._namespaces.get("", namespace)
        if found is None:
            return None
        uid, number = self._known.get(namespace, ("", 0))
        if uid != found.uid:
            number = await self._ensure(namespace, found.uid)
            self._known[namespace] = (found.uid, number)
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
