"""NetworkPolicies of run pods: created, and changed when they are not as they should be."""

from typing import Any

import msgspec
from typing_extensions import Buffer

from actor_operator.api.views.network_policy import NetworkPolicyView
from actor_operator.constants import FIELD_MANAGER, LABEL_MANAGED_BY
from actor_operator.kube.client import KubeClient, PatchKind
from actor_operator.kube.resources import Resource

NETWORK_POLICIES = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
"""The kind."""

MANAGED = f"{LABEL_MANAGED_BY}={FIELD_MANAGER}"
"""Label selector of the operator's own."""

_DECODER = msgspec.json.Decoder(NetworkPolicyView)


def decode_network_policy(data: Buffer) -> NetworkPolicyView:
    """Read a NetworkPolicy from JSON.

    Raises
    ------
    msgspec.MsgspecError
        When it is no NetworkPolicy.
    """
    return _DECODER.decode(data)


class NetworkPolicies:
    """Writes NetworkPolicies.

    Parameters
    ----------
    client
        Over which; its guard keeps others than the leader from writing.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def read(self, namespace: str, name: str) -> NetworkPolicyView | None:
        """The policy as it is now; None: there is none."""
        data = await self._client.get(NETWORK_POLICIES, namespace, name)
        return decode_network_policy(data) if data is not None else None

    async def create(self, namespace: str, policy: dict[str, Any]) -> NetworkPolicyView:
        """Create a policy; returns it as stored.

        Raises
        ------
        AlreadyExistsError
            When the name is taken.
        """
        body = msgspec.json.encode(policy)
        return decode_network_policy(await self._client.create(NETWORK_POLICIES, namespace, body))

    async def patch(self, namespace: str, name: str, patch: dict[str, Any]) -> NetworkPolicyView:
        """Change a policy by a merge patch; returns it as stored.

        Raises
        ------
        NotFoundError
            When there is none of that name any more.
        """
        body = msgspec.json.encode(patch)
        answer = await self._client.patch(NETWORK_POLICIES, namespace, name, body, PatchKind.MERGE)
        return decode_network_policy(answer)
