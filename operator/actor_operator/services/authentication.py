"""Finds out whose token it is."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from actor_operator.api.views.run import RunView
from actor_operator.desired.keyring import Keyring
from actor_operator.desired.tokens import PREFIX, RunIdentity, read_run_token
from actor_operator.services.accounts import Accounts
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import (
    OF_ENDED_RUNS,
    OF_RUNS,
    Caller,
    permissions_of_scopes,
)
from actor_operator.services.kubernetes_identity import KubernetesIdentities
from actor_operator.services.tokens import Tokens

GRACE = timedelta(seconds=5)
"""How long after its end the token of an attempt still holds: what was sent last arrives late."""

MESSAGE_GRACE = timedelta(seconds=60)
"""How long after its end an attempt may still set its status message: the JavaScript SDK sends it
while its process ends."""


class RunFinder(Protocol):
    """Finds runs."""

    async def find(self, namespace: str, name: str) -> RunView | None:
        """The run of that name; one that was not seen yet is asked for.

        Raises
        ------
        ApiError
            503 when that is impossible now.
        """
        ...


class Authentication:
    """Finds out whose token it is.

    Parameters
    ----------
    keyring
        Keys of run tokens.
    tokens
        Tokens of people and programs.
    runs
        The runs that there are.
    accounts
        The accounts that there are.
    now
        The time.
    kubernetes
        Knows tokens of Kubernetes; None: they are not taken.
    """

    def __init__(
        self,
        *,
        keyring: Keyring,
        tokens: Tokens,
        runs: RunFinder,
        accounts: Accounts,
        now: Callable[[], datetime],
        kubernetes: KubernetesIdentities | None = None,
    ) -> None:
        self._keyring = keyring
        self._tokens = tokens
        self._runs = runs
        self._accounts = accounts
        self._now = now
        self._kubernetes = kubernetes

    async def identify(self, token: str, namespace: str = "") -> Caller:
        """Who has a token.

        Parameters
        ----------
        token
            The token.
        namespace
            The account that the address names; empty: none. Our own tokens are of one account, and
            no other may be named.

        Raises
        ------
        ApiError
            401 when it is none, or its time is over; 503 when that cannot be known now.
        """
        caller = await self._find(token, namespace)
        if namespace not in {"", caller.namespace}:
            raise _invalid_token()
        return caller

    async def _find(self, token: str, namespace: str) -> Caller:
        if token.startswith(PREFIX):
            return await self._identify_run(token)
        if self._kubernetes is not None:
            caller = await self._kubernetes.identify(token, namespace)
            if caller is not None:
                return caller
        found = self._tokens.find(token)
        account = await self._accounts.number(found.spec.account) if found else None
        if found is None or account is None:
            raise _invalid_token()
        return Caller(account, found.spec.account, permissions_of_scopes(found.spec.scopes))

    async def _identify_run(self, token: str) -> Caller:
        identity = read_run_token(self._keyring, token)
        run = await self._runs.find(identity.namespace, identity.name) if identity else None
        if identity is None or run is None or not self._is_of(run, identity):
            raise _invalid_token()
        account = await self._accounts.number(identity.namespace)
        if account is None:
            raise _invalid_token()
        finished = run.status.finished_at if run.status.finished else None
        age = self._now() - finished if finished else timedelta(0)
        if age > MESSAGE_GRACE:
            raise _invalid_token()
        permissions = OF_RUNS if age <= GRACE else OF_ENDED_RUNS
        return Caller(account, identity.namespace, permissions, identity)

    @staticmethod
    def _is_of(run: RunView, identity: RunIdentity) -> bool:
        return run.uid == identity.uid and run.status.attempt == identity.attempt


def _invalid_token() -> ApiError:
    return ApiError("user-or-token-not-found", "The token is not valid (any more).", status=401)
