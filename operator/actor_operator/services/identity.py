"""Who asks, and what they may do."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from actor_operator.desired.names import object_id
from actor_operator.desired.tokens import PermissionLevel, RunIdentity


class Permission(StrEnum):
    """What a route needs. Each route declares one."""

    PUBLIC = "public"
    """Nothing: it tells nothing about anybody."""

    SHARED = "shared"
    """To read a thing that its owner may have shared: who asks may be nobody."""

    READ = "read"
    """To read what belongs to the account."""

    WRITE = "write"
    """To change storages of the account."""

    STATUS = "status"
    """To say something about a run: its status message, who may see it."""

    RUN = "run"
    """To start, stop and change runs of the account."""

    ADMIN = "admin"
    """To delete runs and change the account itself."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Parameters
    ----------
    account
        The account's number in the database; 0 for nobody.
    namespace
        The account's namespace; empty for nobody.
    permissions
        What the caller may do.
    run
        The run that asks, if it is one.
    """

    account: int
    namespace: str
    permissions: frozenset[Permission]
    run: RunIdentity | None = None

    @property
    def is_somebody(self) -> bool:
        """Whether a valid token came with the request."""
        return bool(self.namespace)

    @property
    def user_id(self) -> str:
        """Apify's id of the account."""
        return object_id("user", self.namespace)

    @property
    def is_limited(self) -> bool:
        """Whether the caller may use only what is its own run's."""
        return self.run is not None and self.run.level is PermissionLevel.LIMITED


NOBODY = Caller(0, "", frozenset({Permission.PUBLIC, Permission.SHARED}))
"""Who comes without a token."""

OF_RUNS = frozenset(Permission) - {Permission.ADMIN}
"""What tokens of runs allow; what a limited one may touch is looked at where it touches it."""

OF_ENDED_RUNS = frozenset({Permission.PUBLIC, Permission.SHARED, Permission.STATUS})
"""What the token of a run allows for a while after its end."""


def permissions_of_scopes(scopes: Iterable[str]) -> frozenset[Permission]:
    """What an ActorToken with some scopes (read, write, run, admin) allows."""
    permissions = {Permission.PUBLIC, Permission.SHARED, *map(Permission, scopes)}
    if Permission.RUN in permissions:
        permissions.add(Permission.STATUS)
    return frozenset(permissions)
