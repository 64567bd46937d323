"""Namespaces: read for the label that says which installation has them."""

import msgspec
from typing_extensions import Buffer

from actor_operator.api.views.namespace import NamespaceView
from actor_operator.constants import LABEL_INSTALL
from actor_operator.kube.client import KubeClient
from actor_operator.kube.resources import Resource

NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
"""The kind."""

CLAIMED = LABEL_INSTALL
"""Label selector of namespaces that an installation has claimed: the label is there."""

_DECODER = msgspec.json.Decoder(NamespaceView)


def decode_namespace(data: Buffer) -> NamespaceView:
    """Read a namespace from JSON.

    Raises
    ------
    msgspec.MsgspecError
        When it is no namespace.
    """
    return _DECODER.decode(data)


class Namespaces:
    """Reads single namespaces."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def read(self, name: str) -> NamespaceView | None:
        """The namespace as it is now; None: there is none."""
        data = await self._client.get(NAMESPACES, None, name)
        return decode_namespace(data) if data is not None else None
