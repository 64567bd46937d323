"""Actors."""

import msgspec
from typing_extensions import Buffer

from actor_operator.api.views.actor import ActorView
from actor_operator.constants import GROUP, VERSION
from actor_operator.kube.client import KubeClient
from actor_operator.kube.resources import Resource

ACTORS = Resource(GROUP, VERSION, "actors", "Actor")
"""The kind."""

_DECODER = msgspec.json.Decoder(ActorView)


def decode_actor(data: Buffer) -> ActorView:
    """Read an Actor from JSON.

    Raises
    ------
    msgspec.MsgspecError
        When it is no Actor.
    """
    return _DECODER.decode(data)


class Actors:
    """Reads single Actors."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def read(self, namespace: str, name: str) -> ActorView | None:
        """The Actor as it is now; None: there is none."""
        data = await self._client.get(ACTORS, namespace, name)
        return decode_actor(data) if data is not None else None
