"""Long transfers: progress on a terminal, and files that are whole or not there."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from actor_operator.cli.api_session import ApiSession
from actor_operator.cli.output import console
from actor_operator.cli.problems import CommandError

Moved = Callable[[int], None]
"""Told how many bytes, or how many entries, have been moved since it was told last."""


@contextmanager
def transfer(
    session: ApiSession, what: str, total: int | None, *, shown: bool = True
) -> Iterator[Moved]:
    """Show how many bytes have been moved, on standard error, where that is a terminal.

    Parameters
    ----------
    session
        Knows whether to be quiet.
    what
        What is done, in a word.
    total
        How many bytes there are; None: that is not known.
    shown
        Whether anything is to be shown: not when the content itself goes to the terminal.
    """
    screen = console(err=True)
    if not shown or session.options.quiet or not screen.is_terminal:
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=screen, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda size: progress.advance(task, size)


@contextmanager
def file_written(path: Path) -> Iterator[BinaryIO]:
    """A file that is in its place once the context has ended well, and never in part.

    Raises
    ------
    CommandError
        When it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe, a device
            with path.open("wb") as file:
                yield file
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}-")
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise CommandError(f"The file {path} cannot be written: {error.strerror}.") from None


def _umask() -> int:
    """The mask for new files; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
