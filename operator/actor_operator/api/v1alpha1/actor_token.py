"""ActorToken: who may call the API in the name of an account."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from actor_operator.api.base import (
    AGE,
    ApiModel,
    Column,
    CustomResource,
    Definition,
    NameRule,
    Scope,
)
from actor_operator.api.fields import SET, CelRule, Matches
from actor_operator.api.scalars import DNS_LABEL, Timestamp


class TokenScope(StrEnum):
    """What a token allows."""

    READ = "read"
    """Read storages, runs and logs."""
    WRITE = "write"
    """Change storages."""
    RUN = "run"
    """Start, stop and change runs."""
    ADMIN = "admin"
    """Delete runs, and change the account itself."""


class ActorTokenSpec(ApiModel):
    """Whose token it is, and what it allows. The token itself is nowhere."""

    rules: ClassVar[tuple[CelRule, ...]] = (
        CelRule(
            rule="self == oldSelf",
            message="a token never changes; make another one, and delete this one",
            forbidden=True,
        ),
    )

    account: Annotated[
        str,
        Field(min_length=1, max_length=63),
        Matches(DNS_LABEL, "account is the name of a namespace"),
    ]
    """The account, which is a namespace, in whose name the token's holder acts."""
    sha256: Annotated[
        str,
        Field(min_length=64, max_length=64),
        Matches("[0-9a-f]+", "sha256 has 64 hexadecimal digits in lower case"),
    ]
    """SHA-256 of the token in hexadecimal. `actorctl token create` makes both."""
    scopes: Annotated[tuple[TokenScope, ...], Field(min_length=1, max_length=4), SET]
    """What the token allows: any of read, write, run, admin."""
    expires_at: Timestamp | None = None
    """When the token ends. Default: never."""


class ActorToken(CustomResource):
    """A token with which programs call the API in the name of an account.

    It is the administrator's: whoever can make one can act for every account. Deleting it ends the
    token within a second.
    """

    definition: ClassVar[Definition] = Definition(
        plural="actortokens",
        scope=Scope.CLUSTER,
        name=NameRule(
            pattern=DNS_LABEL,
            max_length=63,
            message="the name of an ActorToken has at most 63 lower-case letters, digits and '-',"
            " with a letter or digit at both ends",
        ),
        columns=(
            Column(name="Account", path=".spec.account", description="Whose token it is"),
            Column(name="Scopes", path=".spec.scopes", description="What it allows"),
            Column(
                name="Expires", path=".spec.expiresAt", type="string", description="When it ends"
            ),
            AGE,
        ),
    )

    kind: Literal["ActorToken"] = "ActorToken"
    """Name of this kind."""
    spec: ActorTokenSpec
    """Whose it is, and what it allows."""
