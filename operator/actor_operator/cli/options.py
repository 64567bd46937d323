"""Options that every command which talks to a cluster has."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

TRACEBACK = 2
"""How often ``-v`` must be given for a traceback."""


@dataclass(slots=True)
class Options:
    """What was said before or after the command's name."""

    kubeconfig: str | None = None
    """Path of a kubeconfig."""

    context: str | None = None
    """Context of the kubeconfig."""

    namespace: str | None = None
    """Namespace, instead of the context's."""

    verbose: int = 0
    """1: show each request; 2: tracebacks too."""

    quiet: bool = False
    """Only results and errors: no progress, no hints."""

    server: str = ""
    """URL of the API server, once that is known."""


def current_options() -> Options:
    """The options of the command that runs."""
    return click.get_current_context().ensure_object(Options)


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Store what was given; what was not given leaves what stood before the command's name."""
    options = context.ensure_object(Options)
    if value and parameter.name:
        setattr(options, parameter.name, value)


def _option(*names: str, hidden: bool, **details: Any) -> Callable[[F], F]:
    return click.option(*names, expose_value=False, callback=_keep, hidden=hidden, **details)


def _decorators(*, hidden: bool) -> tuple[Callable[[F], F], ...]:
    """The options; hidden ones are listed in the group's help only."""
    return (
        _option("-n", "--namespace", hidden=False, help="Namespace. Default: the context's."),
        _option("--kubeconfig", hidden=hidden, help="Kubeconfig. Default: as kubectl finds it."),
        _option("--context", hidden=hidden, help="Context of the kubeconfig."),
        *_print_decorators(hidden=hidden),
    )


def _print_decorators(*, hidden: bool) -> tuple[Callable[[F], F], ...]:
    return (
        _option("-v", "--verbose", hidden=hidden, count=True, help="Show requests; -vv: all."),
        _option("-q", "--quiet", hidden=hidden, is_flag=True, help="Results and errors only."),
    )


def global_options(command: F) -> F:
    """Add the options to the group, with their help."""
    return reduce(lambda inner, add: add(inner), reversed(_decorators(hidden=False)), command)


def cluster_options(command: F) -> F:
    """Add the options to a command, for those who write them after its name."""
    return reduce(lambda inner, add: add(inner), reversed(_decorators(hidden=True)), command)


def print_options(command: F) -> F:
    """Add to a command that talks to no cluster what says how much is printed."""
    return reduce(lambda inner, add: add(inner), reversed(_print_decorators(hidden=True)), command)


def output_option(*formats: str) -> Callable[[F], F]:
    """Add ``-o``, with the formats that the command can write."""
    return click.option(
        "-o", "--output", type=click.Choice(formats), help="Write API objects, or their names."
    )
