"""ActorAccounts: read by an informer, written only through ``/status``."""

import msgspec
from typing_extensions import Buffer

from actor_operator.api.views.account import AccountStatus, AccountView
from actor_operator.constants import GROUP, VERSION
from actor_operator.kube.client import KubeClient
from actor_operator.kube.resources import Resource
from actor_operator.kube.status import status_body

ACTOR_ACCOUNTS = Resource(GROUP, VERSION, "actoraccounts", "ActorAccount", namespaced=False)
"""The kind."""

_DECODER = msgspec.json.Decoder(AccountView)


def decode_account(data: Buffer) -> AccountView:
    """Read an ActorAccount from JSON.

    Raises
    ------
    msgspec.MsgspecError
        When it is no ActorAccount.
    """
    return _DECODER.decode(data)


class Accounts:
    """Writes the status of ActorAccounts.

    Parameters
    ----------
    client
        Over which; its guard keeps others than the leader from writing.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def write_status(self, account: AccountView, status: AccountStatus) -> AccountView:
        """Replace the status; returns the account as stored.

        Raises
        ------
        ConflictError
            When the account has changed since it was read.
        NotFoundError
            When it is gone.
        """
        body = status_body(ACTOR_ACCOUNTS, account, status)
        data = await self._client.put(
            ACTOR_ACCOUNTS, None, account.name, body, subresource="status"
        )
        return decode_account(data)
