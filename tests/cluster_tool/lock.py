"""One change of a cluster at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.interrupts import deferred


@contextlib.contextmanager
def exclusive(state: Path) -> Iterator[None]:
    """Hold the cluster's lock; the kernel frees it when this process ends, however it ends.

    Raises
    ------
    ClusterToolError
        Another process holds it; the message names it.
    """
    path = state.with_name(f"{state.name}.lock")
    file: TextIO | None = None
    try:
        # A signal between the lock and the `try` would leave the file behind.
        with deferred():
            file = _locked(path)
        yield
    finally:
        if file is not None:
            with deferred():
                _release(path, file)


def _release(path: Path, file: TextIO) -> None:
    """Remove the file while it is held: whoever opened it meanwhile sees that, and opens anew."""
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        path.parent.rmdir()
    file.close()


def _locked(path: Path) -> TextIO:
    """The lock's file, locked, with our process id in it."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = path.open("a+")
        except FileNotFoundError:
            # The last cluster's holder has just removed the folder.
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise ClusterToolError(
                f"Process {holder} is changing this cluster right now. Wait for it to end, or end "
                f"it (`kill {holder}`) and run the command again; it is cleaned up after."
            ) from None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), os.fstat(file.fileno())):
                file.truncate(0)
                file.write(str(os.getpid()))
                file.flush()
                return file
        file.close()
