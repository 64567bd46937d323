"""The objects that lead requests to a run's web server: as observed, and what is done to them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from actor_operator.api.views.web_object import WebObject


class Part(StrEnum):
    """Which of a run's two objects."""

    SERVICE = "Service"
    """Its Service."""

    ROUTE = "route"
    """Its Ingress or HTTPRoute."""


@dataclass(frozen=True, slots=True)
class Child:
    """One of them, as it is stored."""

    stored: WebObject
    as_left: bool = False
    """Its specification is the one that we left: what differs was put there by the API server."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why the API server does not take one of them."""

    message: str
    tries: int
    retry_at: datetime


@dataclass(frozen=True, slots=True)
class Routing:
    """What leads requests to a run."""

    service: Child | None = None
    route: Child | None = None
    class_missing: bool = False
    """There is no such IngressClass."""

    refused: Refused | None = None
    """What kept the last try from making them."""

    def child(self, part: Part) -> Child | None:
        """One of the two."""
        return self.service if part is Part.SERVICE else self.route


NOTHING = Routing()
"""Nothing leads requests to the run."""


@dataclass(frozen=True, slots=True)
class CreateChild:
    """Create one of them."""

    part: Part
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PatchChild:
    """Make one of them again what it should be; somebody has changed it."""

    part: Part
    namespace: str
    name: str
    uid: str
    patch: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DeleteChild:
    """Delete one of them, that very one."""

    part: Part
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class DeleteUnseen:
    """Delete one of them that no watch tells of, if it is there and the run's."""

    part: Part
    namespace: str
    name: str


RoutingAction = CreateChild | PatchChild | DeleteChild | DeleteUnseen
"""What a decision may ask for."""
