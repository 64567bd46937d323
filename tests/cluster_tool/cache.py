"""Entries of the cache: each is made once, also when several processes want it at a time."""

import contextlib
import fcntl
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path


def made_once(path: Path, make: Callable[[Path], None]) -> Path:
    """The file or folder at `path`, made now if it is not there.

    Parameters
    ----------
    make
        Makes the entry under another name; it gets its own only when it is complete, so an
        interrupted start leaves no half of one.
    """
    if path.exists():
        return path
    with locked(path):
        if path.exists():
            return path
        partial = path.with_name(f"{path.name}.partial")
        _remove(partial)
        try:
            make(partial)
            partial.rename(path)
        finally:
            _remove(partial)
    return path


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for, then hold, the lock that belongs to a path of the cache."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
