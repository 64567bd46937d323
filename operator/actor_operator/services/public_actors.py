"""The store: Actors that every account may run, of all namespaces."""

from dataclasses import dataclass
from typing import Any

from actor_operator.desired.names import object_id
from actor_operator.services.actor_directory import ActorDirectory, FoundActor
from actor_operator.services.actors import Part


@dataclass(frozen=True, slots=True)
class StoreSearch:
    """Which Actors are wanted.

    Parameters
    ----------
    text
        Words that stand in owner, name, title or description, in any order; empty: any Actor.
    username
        The account that owns them; empty: any.
    nothing
        Whether something is wanted that no Actor has, such as a price.
    """

    text: str = ""
    username: str = ""
    nothing: bool = False

    def wants(self, found: FoundActor) -> bool:
        """Whether an Actor is one of those."""
        if self.nothing or self.username not in {"", found.actor.namespace}:
            return False
        spec = found.actor.spec
        said = f"{found.key} {spec.title or ''} {spec.description or ''}".casefold()
        return all(word in said for word in self.text.casefold().split())


class PublicActors:
    """Lists public Actors.

    Parameters
    ----------
    directory
        The Actors.
    """

    def __init__(self, directory: ActorDirectory) -> None:
        self._directory = directory

    async def page(self, search: StoreSearch, *, offset: int, limit: int) -> Part:
        """A part of the public Actors that are wanted, by owner and name."""
        found = [each for each in await self._directory.public() if search.wants(each)]
        return Part([_item(each) for each in found[offset : offset + limit]], len(found))


def _item(found: FoundActor) -> dict[str, Any]:
    """A public Actor as an entry of the list; what is counted of it is its owner's alone."""
    spec, owner = found.actor.spec, found.actor.namespace
    return {
        "id": found.id,
        "title": spec.title or found.actor.name,
        "name": found.actor.name,
        "username": owner,
        "userId": object_id("user", owner),
        "userFullName": owner,
        "description": spec.description or "",
        "categories": [],
        "stats": {"totalBuilds": len(spec.builds)},
        "currentPricingInfo": {"pricingModel": "FREE"},
    }
