"""Options that say how an attempt of a run is made."""

from collections.abc import Callable
from functools import reduce
from typing import Any, TypeVar

import click

from actor_operator.api.scalars import MAX_INT32
from actor_operator.quantities import MEMORY_STEPS

F = TypeVar("F", bound=Callable[..., Any])


def attempt_options(default: str) -> Callable[[F], F]:
    """Add the options that say how an attempt runs.

    Parameters
    ----------
    default
        Whose value holds for what is not given, in words.
    """
    decorators = (
        click.option("--build", help=f"Tag or number of the build. Default: {default}."),
        click.option(
            "--memory",
            type=click.Choice([str(step) for step in MEMORY_STEPS]),
            metavar="MB",
            help=f"Memory in MB, a power of two from 128 to 32768. Default: {default}.",
        ),
        click.option(
            "--timeout",
            type=click.IntRange(0, MAX_INT32),
            metavar="SECONDS",
            help=f"Time limit; 0 for none. Default: {default}.",
        ),
    )
    return lambda command: reduce(lambda inner, add: add(inner), reversed(decorators), command)
