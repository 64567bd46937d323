"""Secrets: environment Secrets are created and deleted, never read; the keys' Secret is ours."""

import msgspec

from actor_operator.api.k8s import V1Secret
from actor_operator.kube.client import KubeClient
from actor_operator.kube.errors import AlreadyExistsError
from actor_operator.kube.resources import Resource

SECRETS = Resource("", "v1", "secrets", "Secret")
"""The kind."""


class SecretData(msgspec.Struct):
    """The data of a Secret: base64 on the wire."""

    data: dict[str, bytes] = {}


class Secrets:
    """Writes Secrets, and reads the one with the operator's keys.

    Parameters
    ----------
    client
        Over which; its guard keeps others than the leader from writing.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def ensure(self, namespace: str, secret: V1Secret) -> None:
        """Create a Secret whose name tells its content: one that exists is done."""
        body = secret.model_dump(by_alias=True, exclude_none=True, mode="json")
        try:
            await self._client.create(SECRETS, namespace, msgspec.json.encode(body))
        except AlreadyExistsError:
            return

    async def delete(self, namespace: str, name: str) -> None:
        """Delete a Secret; one that is gone is done."""
        await self._client.delete(SECRETS, namespace, name)

    async def read_own(self, namespace: str, name: str) -> dict[str, bytes] | None:
        """The data of a Secret of the operator's own namespace; None: there is none."""
        answer = await self._client.get(SECRETS, namespace, name)
        return msgspec.json.decode(answer, type=SecretData).data if answer is not None else None

    async def create_own(self, namespace: str, name: str, data: dict[str, bytes]) -> None:
        """Create a Secret in the operator's own namespace.

        Raises
        ------
        AlreadyExistsError
            When another replica was first.
        """
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace},
            "data": data,
        }
        await self._client.create(SECRETS, namespace, msgspec.json.encode(body))
