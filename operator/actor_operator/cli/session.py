"""The connection of a command to its cluster."""

import asyncio
import shlex
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import click

from actor_operator import __version__, log
from actor_operator.cli.options import Options, current_options
from actor_operator.constants import NESTING
from actor_operator.kube.client import KubeClient
from actor_operator.kube.credentials import connect
from actor_operator.kube.transport import Call, Timeouts

T = TypeVar("T")

TIMEOUTS = Timeouts(connect=10, read=30, write=20, silence=40)
"""Time limits: those of somebody far away who waits, not those of a controller."""


@dataclass(frozen=True, slots=True)
class Session:
    """A cluster, ready to be talked to."""

    client: KubeClient

    namespace: str
    """The namespace that was chosen, or the context's."""

    options: Options

    program: str
    """How the program was called: ``actorctl`` or ``kubectl actor``."""

    def command(self, *words: str, namespace: str | None = None) -> str:
        """A command line for the user to type, for this cluster, and this namespace or another."""
        return f"{self.program} {shlex.join((*words, *self._address(namespace)))}"

    def kubectl(self, *words: str) -> str:
        """A command line of kubectl for the user to type, for this cluster and namespace."""
        return f"kubectl {shlex.join((*words, *self._address(None)))}"

    def _address(self, namespace: str | None) -> list[str]:
        """Options that name this cluster, and this namespace or another."""
        options = self.options
        other = namespace not in {None, self.namespace}
        given = {
            "-n": namespace if other else options.namespace,
            "--context": options.context,
            "--kubeconfig": options.kubeconfig,
        }
        return [part for name, value in given.items() if value for part in (name, value)]

    def tell(self, text: str) -> None:
        """Say something that is not the result: to standard error, unless to be quiet."""
        if not self.options.quiet:
            click.echo(text, err=True)


def with_cluster(work: Callable[[Session], Awaitable[T]]) -> T:
    """Connect, let the work be done, disconnect.

    Raises
    ------
    ConfigurationError
        When there is no usable kubeconfig.
    ApiError
        What the work lets through.
    """
    options = current_options()
    program = click.get_current_context().find_root().command_path
    log.configure(level="WARNING" if options.verbose else "ERROR", json=False)
    sys.setrecursionlimit(NESTING)

    async def whole() -> T:
        connection = await asyncio.to_thread(connect, options.kubeconfig, options.context)
        options.server = connection.url
        async with KubeClient(
            connection,
            user_agent=f"actorctl/{__version__}",
            timeouts=TIMEOUTS,
            observe=_show_request if options.verbose else None,
        ) as client:
            namespace = options.namespace or connection.namespace
            return await work(Session(client, namespace, options, program))

    return asyncio.run(whole())


def _show_request(call: Call) -> None:
    answer = call.status or "no answer"
    click.echo(f"{call.verb} {call.kind}: {answer} ({call.seconds * 1000:.0f} ms)", err=True)
