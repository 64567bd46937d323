"""Actors and their builds, which are shown and not changed: they are objects of Kubernetes."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from actor_operator.api.views.full_actor import FullBuild
from actor_operator.services.actor_directory import ActorDirectory, FoundActor
from actor_operator.services.actor_object import (
    ActorStats,
    actor_item,
    actor_object,
    build_item,
    build_object,
    default_run_options,
    sorted_builds,
    versions,
)
from actor_operator.services.build_log import build_log
from actor_operator.services.build_openapi import build_openapi
from actor_operator.services.errors import invalid, not_found
from actor_operator.services.identity import Caller
from actor_operator.services.input import read_long_input
from actor_operator.services.limited_runs import refuse_limited
from actor_operator.services.times import iso_of_millis
from actor_operator.settings import DefaultRunSettings
from actor_operator.storage.counters import Counters
from actor_operator.storage.database import Database
from actor_operator.storage.runs import KIND, RunFilter, RunRows


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a list, and how many there are in all."""

    items: list[dict[str, Any]]
    total: int


class Actors:
    """The use cases of Actors, versions and builds.

    Parameters
    ----------
    directory
        The Actors.
    database
        Where runs are counted.
    defaults
        What holds for runs where an Actor says nothing.
    address
        Of the API for clients, without ``/v2``.
    """

    def __init__(
        self,
        directory: ActorDirectory,
        database: Database,
        defaults: DefaultRunSettings,
        address: str,
    ) -> None:
        self._directory = directory
        self._database = database
        self._defaults = defaults
        self._address = address

    async def find(self, caller: Caller, reference: str) -> FoundActor:
        """The Actor that a client means.

        Raises
        ------
        ApiError
            404 when there is none that the caller may see.
        """
        return await self._directory.find(caller, reference)

    async def page(self, caller: Caller, *, offset: int, limit: int, desc: bool) -> Part:
        """A part of the list of the account's Actors.

        Raises
        ------
        ApiError
            403 for a run with limited permissions.
        """
        refuse_limited(caller, "the Actors")
        found = await self._directory.own(caller)
        shown = _part(found, offset, limit, desc=desc)
        totals = await self._database.read(
            lambda connection: _totals(connection, caller.account, shown)
        )
        items = [actor_item(each, ActorStats(totals[each.id])) for each in shown]
        return Part(items, len(found))

    async def describe(self, caller: Caller, reference: str) -> dict[str, Any]:
        """An Actor whole."""
        found = await self.find(caller, reference)
        stats = await self._database.read(
            lambda connection: _stats(connection, caller.account, found.id)
        )
        return actor_object(found, stats, self._defaults, own=_owns(caller, found))

    async def versions(self, caller: Caller, reference: str) -> list[dict[str, Any]]:
        """The versions of an Actor."""
        found = await self.find(caller, reference)
        return versions(found, own=_owns(caller, found))

    async def version(self, caller: Caller, reference: str, number: str) -> dict[str, Any]:
        """One version of an Actor.

        Raises
        ------
        ApiError
            404 when there is none.
        """
        for version in await self.versions(caller, reference):
            if version["versionNumber"] == number:
                return version
        raise not_found("Version")

    async def builds(
        self, caller: Caller, reference: str | None, *, offset: int, limit: int, desc: bool
    ) -> Part:
        """A part of the builds of an Actor, or of all Actors of the account.

        Raises
        ------
        ApiError
            404 when there is no such Actor, 403 for a run with limited permissions that asks for
            those of all.
        """
        if reference is None:
            refuse_limited(caller, "the builds")
            actors = await self._directory.own(caller)
        else:
            actors = [await self.find(caller, reference)]
        every = [(found, build) for found in actors for build in sorted_builds(found)]
        shown = _part(every, offset, limit, desc=desc)
        return Part([build_item(found, build) for found, build in shown], len(every))

    def is_build(self, wanted: str) -> bool:
        """Whether an id is that of a build, of whomever."""
        return self._directory.is_build(wanted)

    async def build(
        self, caller: Caller, wanted: str, reference: str | None = None
    ) -> dict[str, Any]:
        """A build whole.

        Parameters
        ----------
        caller
            Who asks.
        wanted
            Its id; below an Actor also its number, or ``default``: that of a run without wishes.
        reference
            The Actor that it belongs to; None: whatever Actor.

        Raises
        ------
        ApiError
            404 when there is none that the caller may see.
        """
        return build_object(*await self._find_build(caller, wanted, reference))

    async def build_log(self, caller: Caller, wanted: str) -> str:
        """The log of a build: what is known of how it came here.

        Raises
        ------
        ApiError
            As `build`.
        """
        found, build = await self._find_build(caller, wanted)
        return build_log(found, build, own=_owns(caller, found))

    async def build_openapi(
        self, caller: Caller, wanted: str, reference: str | None = None
    ) -> dict[str, Any]:
        """The OpenAPI document of an Actor with the input of a build.

        Raises
        ------
        ApiError
            As `build`; 400 when the build has an input schema that cannot be used.
        """
        found, build = await self._find_build(caller, wanted, reference)
        return build_openapi(found, build, self._address)

    async def _find_build(
        self, caller: Caller, wanted: str, reference: str | None = None
    ) -> tuple[FoundActor, FullBuild]:
        if reference is None:
            return await self._directory.with_build(caller, wanted)
        found = await self.find(caller, reference)
        if wanted == "default":
            return found, self._choose_build(found, None)
        for build in found.actor.spec.builds:
            if wanted in {found.build_id(build.number), build.number}:
                return found, build
        raise not_found("Build")

    async def validate_input(
        self, caller: Caller, reference: str, body: bytes, content_type: str, wish: str | None
    ) -> None:
        """Check an input as a start would.

        Raises
        ------
        ApiError
            400 invalid-input that names the field.
        """
        found = await self.find(caller, reference)
        schema = self._choose_build(found, wish).input_schema
        await read_long_input(body, content_type, schema)

    def _choose_build(self, found: FoundActor, wish: str | None) -> FullBuild:
        tag = wish or default_run_options(found, self._defaults)["build"]
        build = found.build(tag)
        if build is None:
            raise invalid(
                f'The Actor "{found.actor.name}" has no build with the tag or number "{tag}".'
                " Was it built?",
                "unknown-build-tag",
            )
        return build


def variables_of(version: dict[str, Any], name: str | None = None) -> Any:
    """The environment variables of a version, or the one with a name.

    Raises
    ------
    ApiError
        404 when there is none of that name.
    """
    found = version["envVars"]
    if name is None:
        return found
    for variable in found:
        if variable["name"] == name:
            return variable
    raise not_found("Environment variable")


def _owns(caller: Caller, found: FoundActor) -> bool:
    return caller.namespace == found.actor.namespace and not caller.is_limited


def _part(found: list[Any], offset: int, limit: int, *, desc: bool) -> list[Any]:
    ordered = found[::-1] if desc else found
    return ordered[offset : offset + limit]


def _totals(connection: Connection, account: int, shown: list[FoundActor]) -> dict[str, int]:
    kinds = {found.id: f"{KIND}/{found.id}" for found in shown}
    totals = Counters(connection, account).totals(kinds.values())
    return {actor_id: totals[kind] for actor_id, kind in kinds.items()}


def _stats(connection: Connection, account: int, actor_id: str) -> ActorStats:
    last = RunRows(connection, account).last(RunFilter(actor_id=actor_id))
    return ActorStats(
        Counters(connection, account).total(f"{KIND}/{actor_id}"),
        iso_of_millis(last.started_at) if last is not None else None,
    )
