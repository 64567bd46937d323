"""Which Actor is meant, and the ids of Actors and their builds."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from actor_operator.api.views.full_actor import FullActor, FullBuild
from actor_operator.desired.names import ID_ALPHABET, ID_LENGTH, object_id
from actor_operator.engine.store import Store
from actor_operator.services.accounts import Accounts
from actor_operator.services.errors import not_found
from actor_operator.services.identity import Caller
from actor_operator.services.times import millis_of
from actor_operator.storage.actor_ids import ActorIds
from actor_operator.storage.database import Database

NAMED = re.compile(r"(?P<owner>[^~/]+)[~/](?P<name>[^~/]+)")
"""An Actor with the name of its owner: ``owner~name`` or ``owner/name``."""

ID_FORM = re.compile(rf"[{ID_ALPHABET}]{{{ID_LENGTH}}}")
"""The form of an Actor's id, which may begin with a digit."""


@dataclass(frozen=True, slots=True)
class FoundActor:
    """An Actor that the caller may see."""

    id: str
    actor: FullActor

    @property
    def key(self) -> str:
        """Namespace and name: ``namespace/name``."""
        return f"{self.actor.namespace}/{self.actor.name}"

    def reference_in(self, namespace: str) -> str:
        """What a run of a namespace calls it in its spec."""
        return self.actor.name if self.actor.namespace == namespace else self.key

    def build(self, wish: str) -> FullBuild | None:
        """The build with a tag or number."""
        number = self.actor.spec.tagged_builds.get(wish, wish)
        return next((b for b in self.actor.spec.builds if b.number == number), None)

    def build_id(self, number: str) -> str:
        """Id of a build, as its runs know it."""
        return build_id(self.actor.uid, number)


def build_id(actor_uid: str, number: str) -> str:
    """Id of a build, as the operator tells runs."""
    return object_id("build", f"{actor_uid}/{number}")


class ActorDirectory:
    """Finds Actors.

    Parameters
    ----------
    store
        The Actors; an informer fills it.
    database, accounts
        Where their ids are.
    now
        The time.
    """

    def __init__(
        self,
        *,
        store: Store[FullActor],
        database: Database,
        accounts: Accounts,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._database = database
        self._accounts = accounts
        self._now = now
        self._ids: dict[tuple[int, str], str] = {}
        self._by_id: dict[str, tuple[str, str]] = {}
        self._by_build: dict[str, tuple[str, str, str]] = {}
        store.listen(self._on_change)

    async def find(self, caller: Caller, reference: str) -> FoundActor:
        """The Actor that a client means by an id, ``owner~name``, ``owner/name`` or ``name``.

        Raises
        ------
        ApiError
            404 when there is none that the caller may see.
        """
        if (named := NAMED.fullmatch(reference)) is not None:
            owner, name = named["owner"].lower(), named["name"].lower()
            if owner == "me":
                owner = caller.namespace
            actor = self._store.get(owner, name)
        else:
            # A name of 17 letters may look like an id: what exists decides.
            actor = self._store.get(caller.namespace, reference.lower())
            if actor is None and ID_FORM.fullmatch(reference):
                actor = await self._with_id(caller, reference)
        if actor is None or not self._may_see(caller, actor):
            raise not_found("Actor")
        return FoundActor(await self.id_of(actor), actor)

    async def own(self, caller: Caller) -> list[FoundActor]:
        """The Actors of the caller's account, by creation."""
        mine = [actor for actor in self._store if actor.namespace == caller.namespace]
        mine.sort(key=lambda actor: (created_at(actor), actor.name))
        if not mine:
            return []
        await self._ensure(caller.account, mine)
        return [FoundActor(self._ids[caller.account, a.name], a) for a in mine]

    async def public(self) -> list[FoundActor]:
        """The Actors that every account may run, by namespace and name."""
        found = []
        shown = (actor for actor in self._store if actor.spec.is_public)
        for actor in sorted(shown, key=lambda actor: (actor.namespace, actor.name)):
            account = await self._accounts.number(actor.namespace)
            if account is not None:  # else its namespace is going
                await self._ensure(account, [actor])
                found.append(FoundActor(self._ids[account, actor.name], actor))
        return found

    async def with_build(self, caller: Caller, wanted: str) -> tuple[FoundActor, FullBuild]:
        """The build with an id, and its Actor.

        Raises
        ------
        ApiError
            404 when there is none that the caller may see.
        """
        namespace, name, number = self._by_build.get(wanted, ("", "", ""))
        actor = self._store.get(namespace, name)
        if actor is None or not self._may_see(caller, actor):
            raise not_found("Build")
        found = FoundActor(await self.id_of(actor), actor)
        build = found.build(number)
        if build is None:
            raise not_found("Build")
        return found, build

    def is_build(self, wanted: str) -> bool:
        """Whether an id is that of a build, of whomever."""
        return wanted in self._by_build

    def named(self, key: str) -> FullActor | None:
        """The Actor of a namespace and name (``namespace/name``), whoever asks."""
        namespace, _, name = key.partition("/")
        return self._store.get(namespace, name)

    async def id_of(self, actor: FullActor) -> str:
        """The id of an Actor; it gets one if it has none."""
        account = await self._accounts.expect(actor.namespace)
        if (account, actor.name) not in self._ids:
            await self._ensure(account, [actor])
        return self._ids[account, actor.name]

    def build_id_of(self, key: str, number: str) -> str:
        """Id of a build of an Actor, by the Actor's namespace and name."""
        actor = self.named(key)
        return build_id(actor.uid if actor is not None else key, number)

    def _may_see(self, caller: Caller, actor: FullActor) -> bool:
        if actor.namespace == caller.namespace:
            return True
        is_shown = caller.is_somebody and actor.spec.is_public
        return is_shown and not self._accounts.is_foreign(actor.namespace)

    async def _with_id(self, caller: Caller, actor_id: str) -> FullActor | None:
        if actor_id not in self._by_id:
            for actor in self._store:
                if self._may_see(caller, actor):
                    await self._know(actor)
        key = self._by_id.get(actor_id)
        return self._store.get(*key) if key is not None else None

    async def _know(self, actor: FullActor) -> None:
        # None: its namespace is going, or no informer has told of it yet.
        account = await self._accounts.number(actor.namespace)
        if account is not None:
            await self._ensure(account, [actor])

    def _on_change(self, old: FullActor | None, new: FullActor | None) -> None:
        if old is not None:
            for build in old.spec.builds:
                self._by_build.pop(build_id(old.uid, build.number), None)
        if new is not None:
            for build in new.spec.builds:
                place = (new.namespace, new.name, build.number)
                self._by_build[build_id(new.uid, build.number)] = place

    async def _ensure(self, account: int, actors: list[FullActor]) -> None:
        missing = [
            (actor.name, object_id("actor", actor.uid))
            for actor in actors
            if (account, actor.name) not in self._ids
        ]
        if not missing:
            return
        now = millis_of(self._now())
        known = await self._database.write(
            lambda connection: ActorIds(connection, account).ensure(missing, now)
        )
        namespace = actors[0].namespace
        for name, found in known.items():
            self._ids[account, name] = found
            self._by_id[found] = (namespace, name)


def created_at(actor: FullActor) -> datetime:
    """When an Actor was created.

    Raises
    ------
    ValueError
        When it does not say: the API server sets it.
    """
    moment = actor.metadata.creation_timestamp
    if moment is None:
        raise ValueError(f"Actor {actor.namespace}/{actor.name} has no creation time")
    return moment
