"""ActorTokens: read by the API server."""

import msgspec
from typing_extensions import Buffer

from actor_operator.api.views.token import TokenView
from actor_operator.constants import GROUP, VERSION
from actor_operator.kube.resources import Resource

ACTOR_TOKENS = Resource(GROUP, VERSION, "actortokens", "ActorToken", namespaced=False)
"""The kind."""

_DECODER = msgspec.json.Decoder(TokenView)


def decode_token(data: Buffer) -> TokenView:
    """Read an ActorToken from JSON.

    Raises
    ------
    msgspec.MsgspecError
        When it is none.
    """
    return _DECODER.decode(data)
