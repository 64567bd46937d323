"""Which API a command talks to, and with which token."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from actor_operator.cli.login_file import Login, checked_url, read_login
from actor_operator.cli.options import print_options
from actor_operator.cli.problems import SetupError

F = TypeVar("F", bound=Callable[..., Any])

URL_VARIABLE = "APIFY_API_BASE_URL"
"""Environment variable with the address of the API, as the SDKs read it."""

TOKEN_VARIABLE = "APIFY_TOKEN"  # noqa: S105 -- the name of a variable, not a token
"""Environment variable with the token, as the SDKs read it."""

OF_LOGIN = "login"
"""What stands for the API that the user is logged in to."""

HOW = f"Log in: actorctl login --url URL. Or set {URL_VARIABLE} and {TOKEN_VARIABLE}."


@dataclass(frozen=True, slots=True)
class ApiChoice:
    """What the command line says of the API."""

    url: str | None = None
    """Its address; None or ``login``: that of the environment, or of the login."""

    token_file: str | None = None
    """File with the token."""

    @property
    def words(self) -> tuple[str, ...]:
        """Options that say the same."""
        api = ("--api", self.url) if self.url and self.url != OF_LOGIN else ()
        return (*api, *(("--token-file", self.token_file) if self.token_file else ()))


def _checked(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None or value == OF_LOGIN:
        return value
    try:
        return checked_url(value)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None


def token_file_option(command: F) -> F:
    """Add ``--token-file``."""
    return click.option(
        "--token-file",
        type=click.Path(exists=True, dir_okay=False, readable=True),
        help=f"File with the token of the API. Default: {TOKEN_VARIABLE}, or the login's.",
    )(command)


def api_option(about: str) -> Callable[[F], F]:
    """Add ``--api URL``; without a URL it is that of the environment or of the login."""
    return click.option(
        "--api", metavar="URL", is_flag=False, flag_value=OF_LOGIN, callback=_checked, help=about
    )


def api_options(command: F) -> F:
    """Add the options of a command that talks to the API and to no cluster."""
    about = f"Address of the API. Default: {URL_VARIABLE}, or the login's."
    decorators = (api_option(about), token_file_option, print_options)
    return reduce(lambda inner, add: add(inner), reversed(decorators), command)


def choose(choice: ApiChoice) -> Login:
    """The API and the token that hold: the command line, else the environment, else the login.

    The login's token is for the login's API alone: no other one ever gets it.

    Raises
    ------
    SetupError
        When there is no API, or no token for it.
    """
    login = read_login()
    url = choice.url if choice.url not in {None, OF_LOGIN} else _url_of_environment()
    url = url or (login.url if login else None)
    if not url:
        raise SetupError("It is not known which API is meant.", HOW)
    if choice.token_file:
        return Login(url, checked_token(_read(choice.token_file)))
    if token := os.environ.get(TOKEN_VARIABLE, "").strip():
        return Login(url, checked_token(token))
    if login is None or login.url != url:
        raise SetupError(
            f"There is no token for the API {url}.",
            f"Log in: actorctl login --url {url}. Or set {TOKEN_VARIABLE}, or use --token-file.",
        )
    return login


def checked_token(text: str) -> str:
    """A token as it was read, without the end of its line.

    Raises
    ------
    SetupError
        When it cannot be one.
    """
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise SetupError("That is no token: a token is one word of plain letters.", HOW)
    return token


def _url_of_environment() -> str | None:
    text = os.environ.get(URL_VARIABLE, "").strip()
    if not text:
        return None
    try:
        return checked_url(text)
    except ValueError as error:
        raise SetupError(f"The variable {URL_VARIABLE} is wrong: {error}.") from None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"The token in {path} cannot be read: {error}") from None
