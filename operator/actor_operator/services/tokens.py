"""API tokens: found by their hash, as nobody keeps the tokens themselves."""

import hashlib
from collections.abc import Callable
from datetime import datetime

from actor_operator.api.views.token import TokenView
from actor_operator.engine.store import Store

TOKENS_BY_HASH = "hash"
"""Index of the store of ActorTokens."""


def token_index(token: TokenView) -> str:
    """Under what an ActorToken is filed."""
    return token.spec.sha256


class Tokens:
    """The ActorTokens of the cluster.

    Parameters
    ----------
    store
        All of them, with the index ``TOKENS_BY_HASH``: a revoked one is gone with its watch event.
    now
        The time.
    """

    def __init__(self, store: Store[TokenView], now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now

    def find(self, token: str) -> TokenView | None:
        """The ActorToken of a token; None: there is none, or its time is over.

        The hash is looked up and not the token: how long that takes tells nothing of it.
        """
        digest = hashlib.sha256(token.encode()).hexdigest()
        for found in self._store.by_index(TOKENS_BY_HASH, digest):
            expires = found.spec.expires_at
            if expires is None or expires > self._now():
                return found
        return None
