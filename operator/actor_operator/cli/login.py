"""``actorctl login`` and ``actorctl logout``: which API is used from now on."""

import sys
from typing import Any

import click

from actor_operator.cli.api_options import checked_token
from actor_operator.cli.api_session import ApiSession, with_login
from actor_operator.cli.login_file import (
    Login,
    checked_url,
    login_path,
    remove_login,
    write_login,
)
from actor_operator.cli.options import print_options


def _checked(_context: click.Context, _parameter: click.Parameter, url: str) -> str:
    try:
        return checked_url(url)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


@click.command("login")
@click.option("--url", required=True, callback=_checked, help="Address of the API.")
@click.option(
    "--token",
    help="The token. Better: type it or pipe it in, because others see arguments.",
)
@print_options
def login(*, url: str, token: str | None) -> None:
    """Log in to an API: later commands use it, with this token.

    The token is read from standard input; on a terminal it is asked for and not shown.
    """
    wanted = Login(url, checked_token(token if token is not None else _ask()))

    async def work(session: ApiSession) -> Any:
        return await session.client.get("/users/me")

    me = with_login(wanted, work)
    path = write_login(wanted)
    click.echo(f"You are logged in to {url} as {me.get('username', '?')}.")
    click.echo(f"The token is kept in {path}, which only you can read.", err=True)


@click.command("logout")
@print_options
def logout() -> None:
    """Log out of the API: forget its address and the token."""
    path = login_path()
    if remove_login():
        click.echo(
            f"You are logged out; {path} is gone. The token stays valid until it is revoked."
        )
    else:
        click.echo("You were not logged in.")


def _ask() -> str:
    if sys.stdin.isatty():
        answer: str = click.prompt("Token", hide_input=True, err=True)
        return answer
    return sys.stdin.readline()
