"""What a process does to a disk, one entry after the other, and its death at one of them."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")

LENGTH_BYTES = 4
"""Size of the number before each entry."""


class Kind(StrEnum):
    """What is done."""

    MAKE = "make"
    MAKE_FOLDER = "make folder"
    WRITE = "write"
    CUT = "cut"
    SYNC = "sync"
    SYNC_FOLDER = "sync folder"
    RENAME = "rename"
    REMOVE = "remove"
    STATEMENT = "statement"
    """Something is sent to a database server, which does not die."""
    UPLOAD = "upload"
    """An object is about to be sent to a bucket, which does not die either."""
    UPLOADED = "uploaded"
    """The bucket has it, and the process does not know yet."""
    DELETION = "deletion"
    """An object is about to be removed from the bucket."""
    DELETED = "deleted"
    """It is, and the process does not know yet."""
    BEGUN = "begun"
    """The workload begins a step."""
    DONE = "done"
    """A step is acknowledged."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One thing that was done."""

    kind: Kind
    path: str = ""
    target: str = ""
    """New path of what is renamed."""
    offset: int = 0
    """Where is written, to what length is cut, or the number of the step."""
    data: bytes = b""


class Trace:
    """Keeps entries in a file, and kills the process at the last one that it may do of a kind.

    The file is not part of the disk that is looked at: what is written to it stays.
    """

    def __init__(self, path: Path, kind: Kind, last: int) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._kind, self._left = kind, last
        # Held while something is done: entries stand in the order in which things were done.
        self._lock = threading.RLock()

    def perform(self, entry: Entry, action: Callable[[bytes], T], *, is_point: bool = True) -> T:
        """Do something that a crash may come before, or, for a write, into the middle of.

        Parameters
        ----------
        entry
            What it is.
        action
            Does it with the entry's data.
        is_point
            Whether it is counted.
        """
        is_point = is_point and entry.kind is self._kind
        with self._lock:
            self._left -= is_point
            if is_point and self._left == 0:
                self._tear(entry, action)
                os.kill(os.getpid(), signal.SIGKILL)
            result = action(entry.data)
            self._add(entry)
            return result

    def say(self, kind: Kind, step: int) -> None:
        """Tell where the workload is."""
        with self._lock:
            self._add(Entry(kind, offset=step))

    def _tear(self, entry: Entry, action: Callable[[bytes], T]) -> None:
        half = entry.data[: len(entry.data) // 2]
        if half:
            action(half)
            self._add(msgspec.structs.replace(entry, data=half))

    def _add(self, entry: Entry) -> None:
        text = msgspec.msgpack.encode(entry)
        os.write(self._file, len(text).to_bytes(LENGTH_BYTES, "big") + text)


def read_trace(path: Path) -> Iterator[Entry]:
    """The entries of a file."""
    content = path.read_bytes()
    start, decoder = 0, msgspec.msgpack.Decoder(Entry)
    while start < len(content):
        begin = start + LENGTH_BYTES
        end = begin + int.from_bytes(content[start:begin], "big")
        yield decoder.decode(content[begin:end])
        start = end
