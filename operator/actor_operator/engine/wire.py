"""The envelopes in which the API server lists and watches; what is inside them is each kind's."""

import msgspec

from actor_operator.engine.store import Key


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_token: str = msgspec.field(default="", name="continue")


class Page(msgspec.Struct):
    """One page of a list; the objects are still JSON."""

    metadata: _ListMeta
    items: list[msgspec.Raw] | None = None

    @property
    def version(self) -> str:
        """The list's resourceVersion, the same on each of its pages."""
        return self.metadata.resource_version

    @property
    def continue_token(self) -> str:
        """With which to ask for the next page; empty on the last."""
        return self.metadata.continue_token


class Event(msgspec.Struct):
    """One line of a watch; the object is still JSON."""

    type: str
    object: msgspec.Raw


class _ObjectMeta(msgspec.Struct, rename="camel"):
    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""


class Identity(msgspec.Struct):
    """As much of an object as even an undecodable one has."""

    metadata: _ObjectMeta

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return (self.metadata.namespace, self.metadata.name)


class Status(msgspec.Struct):
    """The object of an ERROR event."""

    code: int = 0
    reason: str = ""
    message: str = ""


PAGES = msgspec.json.Decoder(Page)
"""Decodes pages."""

EVENTS = msgspec.json.Decoder(Event)
"""Decodes lines."""

IDENTITIES = msgspec.json.Decoder(Identity)
"""Decodes just the identity of an object."""

STATUSES = msgspec.json.Decoder(Status)
"""Decodes the object of an ERROR event."""
