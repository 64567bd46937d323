"""One line for each step: what is done, and how long it took."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console

console = Console(stderr=True, highlight=False)
"""Progress goes to stderr, so that stdout holds only what a script may read."""


def say(text: str) -> None:
    """Print one line of progress."""
    console.print(text, markup=False, soft_wrap=True)


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a step, and say at its end how long it took.

    On a terminal a spinner shows that it lives; elsewhere only the finished line is printed, so
    that logs of parallel builds stay readable.
    """
    started = time.monotonic()
    try:
        with console.status(title):
            yield
    except BaseException:
        say(f"  ✗ {title} ({time.monotonic() - started:.1f} s)")
        raise
    say(f"  ✓ {title} ({time.monotonic() - started:.1f} s)")
