"""What the operator reads of a NetworkPolicy: all of its specification, to compare it."""

from typing import Any

import msgspec

from actor_operator.api.views.metadata import ObjectView


class NetworkPolicyView(ObjectView, frozen=True):
    """A NetworkPolicy."""

    spec: dict[str, Any] = msgspec.field(default_factory=dict)
