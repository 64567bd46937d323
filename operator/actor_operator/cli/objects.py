"""Runs, Actors and accounts as the command line reads them: typed, and as JSON for ``-o``."""

import difflib
from typing import Any, Generic, TypeVar

import msgspec
from typing_extensions import Buffer

from actor_operator.api.views.account import AccountView
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.metadata import ObjectView
from actor_operator.api.views.run import RunView
from actor_operator.cli.problems import CommandError
from actor_operator.cli.session import Session
from actor_operator.engine.wire import PAGES
from actor_operator.kube.accounts import ACTOR_ACCOUNTS, decode_account
from actor_operator.kube.actors import ACTORS
from actor_operator.kube.client import KubeClient
from actor_operator.kube.resources import Resource
from actor_operator.kube.runs import ACTOR_RUNS

V = TypeVar("V", bound=ObjectView)

UNFINISHED = "status.finished=false"
"""Field selector of runs that are not finished."""

_RUNS = msgspec.json.Decoder(RunView)
_ACTORS = msgspec.json.Decoder(ActorView)


class Whole(msgspec.Struct, Generic[V], frozen=True):
    """An object as it was sent, and what we understand of it."""

    view: V
    data: bytes

    @property
    def namespace(self) -> str:
        """``metadata.namespace``."""
        return self.view.namespace

    @property
    def name(self) -> str:
        """``metadata.name``."""
        return self.view.name

    @property
    def uid(self) -> str:
        """``metadata.uid``."""
        return self.view.uid

    @property
    def resource_version(self) -> str:
        """``metadata.resourceVersion``."""
        return self.view.resource_version

    def as_dict(self) -> dict[str, Any]:
        """The whole object, without the record of who wrote which field."""
        whole: dict[str, Any] = msgspec.json.decode(self.data)
        whole.get("metadata", {}).pop("managedFields", None)
        return whole


Run = Whole[RunView]
"""An ActorRun."""

Actor = Whole[ActorView]
"""An Actor."""

Account = Whole[AccountView]
"""An ActorAccount."""


def decode_run(data: Buffer) -> Run:
    """Read a run from JSON.

    Raises
    ------
    msgspec.MsgspecError
        When it is no ActorRun.
    """
    return Whole(_RUNS.decode(data), bytes(data))


def decode_actor(data: Buffer) -> Actor:
    """Read an Actor from JSON.

    Raises
    ------
    msgspec.MsgspecError
        When it is no Actor.
    """
    return Whole(_ACTORS.decode(data), bytes(data))


async def list_raw(
    client: KubeClient, resource: Resource, namespace: str | None, field_selector: str = ""
) -> list[msgspec.Raw]:
    """All objects of a kind as JSON, whatever their number."""
    items: list[msgspec.Raw] = []
    token = ""
    while True:
        data = await client.list_page(
            resource, namespace, field_selector=field_selector, continue_token=token
        )
        page = PAGES.decode(data)
        items += page.items or ()
        token = page.continue_token
        if not token:
            return items


async def list_runs(session: Session, namespace: str | None, field_selector: str = "") -> list[Run]:
    """The runs of a namespace, or of all; the newest last."""
    raw = await list_raw(session.client, ACTOR_RUNS, namespace, field_selector)
    return sorted(map(decode_run, raw), key=_age_and_name)


async def list_actors(session: Session, namespace: str | None) -> list[Actor]:
    """The Actors of a namespace, or of all, by name."""
    raw = await list_raw(session.client, ACTORS, namespace)
    return sorted(map(decode_actor, raw), key=lambda actor: (actor.namespace, actor.name))


async def list_accounts(session: Session) -> list[Account]:
    """All accounts, by name."""
    raw = await list_raw(session.client, ACTOR_ACCOUNTS, None)
    found = [Whole(decode_account(data), bytes(data)) for data in raw]
    return sorted(found, key=lambda account: account.name)


async def read_account(session: Session, name: str) -> Account | None:
    """The account of a namespace; ``None`` when it has none of its own."""
    data = await session.client.get(ACTOR_ACCOUNTS, None, name)
    return None if data is None else Whole(decode_account(data), data)


async def read_run(session: Session, name: str) -> Run:
    """One run.

    Raises
    ------
    CommandError
        When there is none of that name, with names that are nearly the same.
    """
    data = await session.client.get(ACTOR_RUNS, session.namespace, name)
    if data is None:
        raise await not_found(session, ACTOR_RUNS, session.namespace, name)
    return decode_run(data)


async def not_found(
    session: Session, resource: Resource, namespace: str, name: str
) -> CommandError:
    """The error for a name that does not exist; when the whole kind does not, that one is raised.

    Raises
    ------
    NotFoundError
        When the cluster does not know the kind.
    """
    names = [
        item["metadata"]["name"]
        for item in map(msgspec.json.decode, await list_raw(session.client, resource, namespace))
    ]
    near = difflib.get_close_matches(name, names, n=3)
    noun, command = ("Actor", "actors") if resource is ACTORS else ("run", "get")
    advice = f"List them with: {session.command(command, namespace=namespace)}"
    hint = f"Did you mean {' or '.join(near)}? {advice}" if near else advice
    return CommandError(f"There is no {noun} {name!r} in the namespace {namespace}.", hint)


def _age_and_name(run: Run) -> tuple[str, str, str]:
    created = run.view.metadata.creation_timestamp
    return (created.isoformat() if created else "", run.namespace, run.name)
