"""Actors."""

import msgspec
from typing_extensions import Buffer

from actor_operator.api.views.actor import ActorStatus, ActorView
from actor_operator.api.views.full_actor import FullActor
from actor_operator.constants import GROUP, VERSION
from actor_operator.kube.client import KubeClient
from actor_operator.kube.resources import Resource
from actor_operator.kube.status import status_body

ACTORS = Resource(GROUP, VERSION, "actors", "Actor")
"""The kind."""

_DECODER = msgspec.json.Decoder(ActorView)
_FULL_DECODER = msgspec.json.Decoder(FullActor)


def decode_actor(data: Buffer) -> ActorView:
    """Read an Actor from JSON.

    Raises
    ------
    msgspec.MsgspecError
        When it is no Actor.
    """
    return _DECODER.decode(data)


def decode_full_actor(data: Buffer) -> FullActor:
    """Read an Actor from JSON with what clients of the API are shown.

    Raises
    ------
    msgspec.MsgspecError
        When it is no Actor.
    """
    return _FULL_DECODER.decode(data)


class Actors:
    """Reads single Actors and writes their status."""

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def read(self, namespace: str, name: str) -> ActorView | None:
        """The Actor as it is now; None: there is none."""
        data = await self._client.get(ACTORS, namespace, name)
        return decode_actor(data) if data is not None else None

    async def write_status(self, actor: ActorView, status: ActorStatus) -> ActorView:
        """Replace the status; returns the Actor as stored.

        Raises
        ------
        ConflictError
            When the Actor has changed since it was read.
        NotFoundError
            When it is gone.
        """
        body = status_body(ACTORS, actor, status)
        data = await self._client.put(
            ACTORS, actor.namespace, actor.name, body, subresource="status"
        )
        return decode_actor(data)
