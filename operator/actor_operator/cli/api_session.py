"""The connection of a command to the API."""

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import click

from actor_operator.cli.api_client import ApiClient
from actor_operator.cli.api_options import ApiChoice, choose
from actor_operator.cli.login_file import Login
from actor_operator.cli.options import Options, current_options

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ApiSession:
    """An API, ready to be talked to."""

    client: ApiClient
    choice: ApiChoice
    options: Options

    program: str
    """How the program was called: ``actorctl`` or ``kubectl actor``."""

    def command(self, *words: str) -> str:
        """A command line for the user to type, for this API."""
        return f"{self.program} {shlex.join((*words, *self.choice.words))}"

    def tell(self, text: str) -> None:
        """Say something that is not the result: to standard error, unless to be quiet."""
        if not self.options.quiet:
            click.echo(text, err=True)


def with_api(choice: ApiChoice, work: Callable[[ApiSession], Awaitable[T]]) -> T:
    """Find out which API is meant, let the work be done, disconnect.

    Raises
    ------
    CommandError
        When there is no API or no token, and what the work lets through.
    """
    options = current_options()
    if options.namespace or options.kubeconfig or options.context:
        raise click.UsageError(
            "--namespace, --kubeconfig and --context are about a cluster;"
            " in the API the token says which account is meant."
        )
    return with_login(choose(choice), work, choice)


def with_login(
    login: Login, work: Callable[[ApiSession], Awaitable[T]], choice: ApiChoice | None = None
) -> T:
    """As ``with_api``, for an API and a token that are known already."""
    options = current_options()
    program = click.get_current_context().find_root().command_path

    async def whole() -> T:
        async with ApiClient(login, _show_request if options.verbose else None) as client:
            return await work(ApiSession(client, choice or ApiChoice(), options, program))

    return asyncio.run(whole())


def _show_request(method: str, path: str, status: int, seconds: float) -> None:
    click.echo(f"{method} {path}: {status or 'no answer'} ({seconds * 1000:.0f} ms)", err=True)
