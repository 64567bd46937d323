"""``actorctl token``: tokens with which programs call the API in the name of an account."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

import click
import msgspec
from typing_extensions import override

from actor_operator.api.v1alpha1.actor_token import TokenScope
from actor_operator.api.views.token import TokenView
from actor_operator.cli.format import NONE, age
from actor_operator.cli.objects import list_raw
from actor_operator.cli.options import cluster_options, output_option
from actor_operator.cli.output import Table, print_objects
from actor_operator.cli.problems import CommandError
from actor_operator.cli.session import Session, with_cluster
from actor_operator.clock import SystemClock, timestamp
from actor_operator.constants import API_VERSION
from actor_operator.kube.namespaces import Namespaces
from actor_operator.kube.tokens import ACTOR_TOKENS, decode_token

PREFIX = "apify_api_"
"""How tokens begin, so that people and scanners of secrets know them (Apify)."""

TOKEN_BYTES = 32
"""Random bytes of a token."""

COLUMNS = ("NAME", "ACCOUNT", "SCOPES", "EXPIRES", "AGE")

UNITS = {"m": 60, "h": 3600, "d": 86_400}
"""Seconds of the units of a duration."""

ALL_SCOPES = tuple(scope.value for scope in TokenScope)


class Duration(click.ParamType[timedelta]):
    """A duration such as ``30d``."""

    name = "DURATION"

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """Read it."""
        match = re.fullmatch(r"([1-9][0-9]{0,5})([mhd])", str(value))
        if match is None:
            self.fail("a duration is a number with m, h or d behind it, such as 30d", param, ctx)
        return timedelta(seconds=int(match[1]) * UNITS[match[2]])


@click.group()
def token() -> None:
    """Make, list and revoke tokens for the API (for administrators)."""


@token.command()
@click.argument("account")
@click.option("--name", help="Name of the ActorToken. Default: the account's, with random symbols.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(ALL_SCOPES),
    multiple=True,
    help="What it allows; may be repeated. Default: everything.",
)
@click.option("--expires", type=Duration(), help="When it ends, such as 30d. Default: never.")
@cluster_options
def create(
    *, account: str, name: str | None, scopes: tuple[str, ...], expires: timedelta | None
) -> None:
    """Make a token of ACCOUNT, which is a namespace, and show it once.

    Only the token itself goes to standard output: it can be read into a variable.
    """
    secret = f"{PREFIX}{secrets.token_urlsafe(TOKEN_BYTES)}"

    async def work(session: Session) -> None:
        if await Namespaces(session.client).read(account) is None:
            raise CommandError(
                f"There is no namespace {account}.",
                f"An account is a namespace; make it with: kubectl create namespace {account}",
            )
        ends = SystemClock().now() + expires if expires else None
        manifest = token_manifest(name or _new_name(account), account, secret, scopes, ends)
        await session.client.create(ACTOR_TOKENS, None, msgspec.json.encode(manifest))
        session.tell(
            f"Token {manifest['metadata']['name']} of {account}"
            f" ({', '.join(manifest['spec']['scopes'])}). It is shown this once:"
        )
        click.echo(secret)

    with_cluster(work)


@token.command("list")
@click.argument("account", required=False)
@output_option("json", "yaml", "name")
@cluster_options
def list_tokens(*, account: str | None, output: str | None) -> None:
    """List tokens, of all accounts or of ACCOUNT."""

    async def work(session: Session) -> None:
        raw = [bytes(data) for data in await list_raw(session.client, ACTOR_TOKENS, None)]
        found = [(decode_token(data), data) for data in raw]
        mine = [pair for pair in found if account in {None, pair[0].spec.account}]
        if output is not None:
            print_objects([msgspec.json.decode(data) for _, data in mine], output, alone=False)
            return
        if not mine:
            session.tell("There are no tokens.")
            return
        now = SystemClock().now()
        Table(COLUMNS).print([_cells(view, now) for view, _ in mine])

    with_cluster(work)


@token.command()
@click.argument("name")
@cluster_options
def revoke(*, name: str) -> None:
    """End the token of the ActorToken NAME, within a second."""

    async def work(session: Session) -> None:
        data = await session.client.get(ACTOR_TOKENS, None, name)
        if data is None:
            raise CommandError(
                f"There is no token {name!r}.",
                f"List them with: {session.command('token', 'list')}",
            )
        await session.client.delete(ACTOR_TOKENS, None, name, uid=decode_token(data).uid)
        session.tell(f"Token {name} is revoked.")

    with_cluster(work)


def token_manifest(
    name: str, account: str, secret: str, scopes: tuple[str, ...], ends: datetime | None
) -> dict[str, Any]:
    """The ActorToken of a token; it holds the hash alone.

    Parameters
    ----------
    name
        Of the object.
    account
        Whose token it is.
    secret
        The token.
    scopes
        What it allows; empty: everything.
    ends
        When it ends; None: never.
    """
    return {
        "apiVersion": API_VERSION,
        "kind": ACTOR_TOKENS.kind,
        "metadata": {"name": name},
        "spec": {
            "account": account,
            "sha256": hashlib.sha256(secret.encode()).hexdigest(),
            "scopes": list(dict.fromkeys(scopes)) or list(ALL_SCOPES),
            **({"expiresAt": timestamp(ends)} if ends else {}),
        },
    }


def _new_name(account: str) -> str:
    return f"{account[:50].rstrip('-')}-{secrets.token_hex(4)}"


def _cells(view: TokenView, now: datetime) -> tuple[str, ...]:
    spec = view.spec
    ends = timestamp(spec.expires_at) if spec.expires_at else "never"
    if spec.expires_at and spec.expires_at <= now:
        ends = f"{ends} (over)"
    created = view.metadata.creation_timestamp
    return (
        view.name,
        spec.account,
        ",".join(spec.scopes) or NONE,
        ends,
        age(created, now),
    )
