"""One process in a folder, and a folder that SQLite can be trusted with."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from actor_operator.errors import ConfigurationError

LOCK_FILE = "lock"
"""The file in the folder whose lock says that a process uses it."""

MOUNTS = Path("/proc/self/mountinfo")
"""Where Linux tells what is mounted where."""

NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs"})
"""File systems whose locks and shared memory SQLite must not rely on
(https://www.sqlite.org/wal.html, "Overview")."""


class FolderLock:
    """The lock of a folder, held until it is released or the process ends.

    Parameters
    ----------
    folder
        The folder; it is made when it is missing.

    Raises
    ------
    ConfigurationError
        When the folder cannot be used: another process has it, it is on a network file system, or
        it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _refuse_network(folder)
            self._file = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(f"The folder {folder} cannot be used: {error}.") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise ConfigurationError(
                f"Another process uses the folder {folder}. The embedded database serves one "
                "process: run one replica, or set storage.databaseUrlFile for PostgreSQL."
            ) from error

    def release(self) -> None:
        """Let others have the folder."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


def file_system(path: Path, mounts: str) -> str:
    """Type of the file system that a path is on.

    Parameters
    ----------
    path
        An absolute path without links.
    mounts
        Content of ``/proc/self/mountinfo`` (proc_pid_mountinfo(5)).

    Returns
    -------
    str
        ``ext4``, ``nfs4`` …; empty when nothing of it is said.
    """
    found, depth = "", -1
    for line in mounts.splitlines():
        fields = line.split(" ")
        point = Path(fields[4].encode().decode("unicode_escape"))  # a space is \040
        # Of two at the same place the later one covers the other.
        if path.is_relative_to(point) and len(point.parts) >= depth:
            found, depth = fields[fields.index("-", 6) + 1], len(point.parts)
    return found


def _refuse_network(folder: Path) -> None:
    if not MOUNTS.exists():  # not Linux: a developer's machine
        return
    kind = file_system(folder.resolve(), MOUNTS.read_text(encoding="utf-8", errors="replace"))
    if kind in NETWORK_FILE_SYSTEMS:
        raise ConfigurationError(
            f"The folder {folder} is on {kind}: the embedded database would be damaged there. "
            "Use a volume of block storage, or set storage.databaseUrlFile for PostgreSQL."
        )
