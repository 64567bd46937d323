"""One change of a cluster at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tests.cluster_tool.errors import ClusterToolError


@contextlib.contextmanager
def exclusive(state: Path) -> Iterator[None]:
    """Hold the cluster's lock; the kernel frees it when this process ends, however it ends.

    Raises
    ------
    ClusterToolError
        Another process holds it; the message names it.
    """
    path = state.with_name(f"{state.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path) as file:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            # Removed while held: whoever opened it meanwhile sees that and opens it anew.
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                path.parent.rmdir()


def _locked(path: Path) -> TextIO:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
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
                return file
        file.close()
