"""What the operator reads of the objects that lead requests to a run's web server."""

from typing import Any

import msgspec

from actor_operator.api.views.metadata import ObjectView


class WebObject(ObjectView, frozen=True):
    """A Service, an Ingress, an HTTPRoute, or an IngressClass: kept as on the wire, to compare."""

    spec: dict[str, Any] = msgspec.field(default_factory=dict)
    status: dict[str, Any] = msgspec.field(default_factory=dict)
