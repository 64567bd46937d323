"""Traces what SQLite writes, below the driver that the program uses.

SQLite reaches files by a table of functions (https://www.sqlite.org/vfs.html). Those that change
something are replaced in the library that the driver has loaded, by ctypes.
"""

import _sqlite3
import ctypes
from collections.abc import Callable
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any

from tests.support.crashing.entries import Entry, Kind, Trace

MAIN_DATABASE, JOURNAL, LOG = 0x100, 0x800, 0x80000
"""Flags of files whose loss would be one; others are temporary."""

FRAME_HEAD = 24
"""Size of what stands before each page in the log (https://www.sqlite.org/walformat.html): the two
count as one write, and a crash tears the page."""

# Names are no plain strings of C: SQLite reads behind their end.
Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
Delete = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
Sync = CFUNCTYPE(c_int, c_void_p, c_int)

_KEPT: list[Any] = []
"""What C points to: it must never be collected."""


class _Methods(ctypes.Structure):
    """``sqlite3_io_methods``, as far as it is replaced, and the rest."""

    _fields_ = (
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", c_void_p),
        ("truncate", c_void_p),
        ("sync", c_void_p),
        ("rest", c_void_p * 13),
    )


class _System(ctypes.Structure):
    """``sqlite3_vfs``, up to what is replaced."""

    _fields_ = (
        ("version", c_int),
        ("file_size", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", c_void_p),
        ("delete", c_void_p),
    )


class _File(ctypes.Structure):
    _fields_ = (("methods", POINTER(_Methods)),)


class SqliteShim:
    """Replaces SQLite's functions that change files, until the process ends."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._paths: dict[int, str] = {}
        self._tables: dict[int, _Methods] = {}
        # Symbols of the library that the driver itself is bound to.
        library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
        library.sqlite3_vfs_find.restype = POINTER(_System)
        system = library.sqlite3_vfs_find(None).contents
        self._open, self._delete = Open(system.open), Delete(system.delete)
        system.open = self._address(Open(self._on_open))
        system.delete = self._address(Delete(self._on_delete))

    def _address(self, function: Any) -> int | None:
        _KEPT.append(function)
        return ctypes.cast(function, c_void_p).value

    def _on_open(self, system: int, name: int | None, file: int, flags: int, out: int) -> int:
        if name is None or not flags & (MAIN_DATABASE | JOURNAL | LOG):
            return int(self._open(system, name, file, flags, out))
        path = ctypes.string_at(name).decode()
        was_there = Path(path).exists()

        def act(_: bytes = b"") -> int:
            return int(self._open(system, name, file, flags, out))

        code = act() if was_there else self._trace.perform(Entry(Kind.MAKE, path), act)
        opened = ctypes.cast(file, POINTER(_File)).contents
        if code == 0 and opened.methods:
            self._paths[file] = path
            opened.methods = ctypes.pointer(self._table_for(opened.methods))
        return code

    def _table_for(self, methods: Any) -> _Methods:
        address = ctypes.addressof(methods.contents)
        if address not in self._tables:
            table = _Methods()
            ctypes.memmove(ctypes.byref(table), methods, ctypes.sizeof(_Methods))
            table.write = self._address(Write(self._writing(Write(table.write))))
            table.truncate = self._address(Truncate(self._cutting(Truncate(table.truncate))))
            table.sync = self._address(Sync(self._syncing(Sync(table.sync))))
            self._tables[address] = table
        return self._tables[address]

    def _writing(self, original: Any) -> Callable[[int, int, int, int], int]:
        def write(file: int, data: int, size: int, offset: int) -> int:
            entry = Entry(
                Kind.WRITE, self._paths[file], offset=offset, data=ctypes.string_at(data, size)
            )
            return self._trace.perform(
                entry,
                lambda part: int(original(file, data, len(part), offset)),
                is_point=size != FRAME_HEAD,
            )

        return write

    def _cutting(self, original: Any) -> Callable[[int, int], int]:
        def cut(file: int, size: int) -> int:
            entry = Entry(Kind.CUT, self._paths[file], offset=size)
            return self._trace.perform(entry, lambda _: int(original(file, size)))

        return cut

    def _syncing(self, original: Any) -> Callable[[int, int], int]:
        def sync(file: int, flags: int) -> int:
            entry = Entry(Kind.SYNC, self._paths[file])
            return self._trace.perform(entry, lambda _: int(original(file, flags)))

        return sync

    def _on_delete(self, system: int, name: int, sync_folder: int) -> int:
        entry = Entry(Kind.REMOVE, ctypes.string_at(name).decode())
        return self._trace.perform(entry, lambda _: int(self._delete(system, name, sync_folder)))
