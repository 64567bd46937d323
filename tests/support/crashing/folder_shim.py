"""Traces what Python code of the program writes: files made by ``Path.open`` and calls of `os`."""

import io
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.crashing.entries import Entry, Kind, Trace
from typing_extensions import Buffer, override


def trace_python(trace: Trace, *, syncs: bool = True) -> None:
    """Replace the functions by which the program changes files, until the process ends.

    Parameters
    ----------
    trace
        Where entries go.
    syncs
        False: fsync does nothing any more, to see that this is noticed.
    """
    _trace_opening(trace)
    _trace_sync(trace, syncs=syncs)
    os.rename = _tracing_two(trace, Kind.RENAME, os.rename)
    os.mkdir = _tracing_one(trace, Kind.MAKE_FOLDER, os.mkdir)
    os.unlink = _tracing_one(trace, Kind.REMOVE, os.unlink)


class _TracedFile(io.FileIO):
    """A file whose writes are traced."""

    def __init__(self, trace: Trace, path: Path, mode: str) -> None:
        super().__init__(path, mode)
        self._trace, self._path = trace, str(path)

    @override
    def write(self, data: Buffer, /) -> int:
        entry = Entry(Kind.WRITE, self._path, offset=self.tell(), data=bytes(data))
        return self._trace.perform(entry, super().write)


def _trace_opening(trace: Trace) -> None:
    original = Path.open

    def opening(path: Path, mode: str = "r", *arguments: Any, **more: Any) -> Any:
        if mode != "xb":
            return original(path, mode, *arguments, **more)
        entry = Entry(Kind.MAKE, str(path))
        raw = trace.perform(entry, lambda _: _TracedFile(trace, path, mode))
        return io.BufferedWriter(raw)

    setattr(Path, "open", opening)  # noqa: B010 -- mypy knows that it is no variable


def _trace_sync(trace: Trace, *, syncs: bool) -> None:
    original = os.fsync

    def sync(file: Any) -> None:
        if not syncs:
            return
        number = file if isinstance(file, int) else file.fileno()
        is_folder = stat.S_ISDIR(os.fstat(number).st_mode)
        path = str(Path(f"/proc/self/fd/{number}").readlink())
        entry = Entry(Kind.SYNC_FOLDER if is_folder else Kind.SYNC, path)
        trace.perform(entry, lambda _: original(number))

    setattr(os, "fsync", sync)  # noqa: B010 -- as above


def _tracing_one(trace: Trace, kind: Kind, original: Callable[..., Any]) -> Callable[..., Any]:
    def call(path: Any, *arguments: Any, **more: Any) -> Any:
        return trace.perform(Entry(kind, str(path)), lambda _: original(path, *arguments, **more))

    return call


def _tracing_two(trace: Trace, kind: Kind, original: Callable[..., Any]) -> Callable[..., Any]:
    def call(path: Any, target: Any, **more: Any) -> Any:
        entry = Entry(kind, str(path), target=str(target))
        return trace.perform(entry, lambda _: original(path, target, **more))

    return call
