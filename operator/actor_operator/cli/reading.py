"""Files and pipes, read beside the event loop: Ctrl-C ends a command that waits for a pipe."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from typing import BinaryIO

CHUNK = 1 << 20
"""Bytes that are read at once."""


def name_of(file: BinaryIO) -> str:
    """What a file is called; "standard input" where it has no name."""
    name = str(getattr(file, "name", "<stdin>"))
    return "standard input" if name == "<stdin>" else name


def size_of(file: BinaryIO) -> int | None:
    """How large a file is; None: nobody knows that of a pipe."""
    try:
        found = os.fstat(file.fileno())
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


async def chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    """What is in a file, piece by piece."""
    pipe = _pipe(file)
    while True:
        if pipe is None:
            piece = await asyncio.to_thread(file.read, CHUNK)
        else:
            # A thread that waits in a read could not be ended.
            await _readable(pipe)
            piece = os.read(pipe, CHUNK)
        if not piece:
            return
        yield piece


async def lines(file: BinaryIO) -> AsyncIterator[bytes]:
    """The lines of a file, without what ends them."""
    rest: list[bytes] = []
    async for piece in chunks(file):
        *whole, last = piece.split(b"\n")
        for line in whole:
            yield b"".join((*rest, line))
            rest = []
        rest.append(last)
    if any(rest):
        yield b"".join(rest)


def _pipe(file: BinaryIO) -> int | None:
    """The descriptor of what can be waited for: a pipe, a terminal, a socket."""
    try:
        mode = os.fstat(file.fileno()).st_mode
    except OSError:
        return None
    waits = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(file.fileno())
    return file.fileno() if waits else None


async def _readable(descriptor: int) -> None:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
