"""What the API server reads of an ActorToken."""  # noqa: A005 -- always imported by its full name

from datetime import datetime

import msgspec

from actor_operator.api.views.metadata import ObjectView, View


class TokenSpec(View, frozen=True):
    """``spec`` of an ActorToken."""

    account: str
    sha256: str = msgspec.field(name="sha256")
    scopes: tuple[str, ...] = ()
    expires_at: datetime | None = None


class TokenView(ObjectView, frozen=True):
    """A token of an account: its hash, never the token itself."""

    spec: TokenSpec
