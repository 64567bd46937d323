"""Content encodings, undone piece by piece: a small body may become a huge one."""

import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli

PIECE_BYTES = 262_144
"""About how many bytes come out at a time."""

ENCODINGS = frozenset({"gzip", "deflate", "br"})
"""What can be undone (RFC 9110, 8.4.1)."""

GZIP_WINDOW = zlib.MAX_WBITS | 16
"""Tells zlib to expect the head of gzip."""


class DecodingError(ValueError):
    """A body is not what its encoding says."""


class Decoder(Protocol):
    """Undoes an encoding."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Decode more of the body.

        Raises
        ------
        DecodingError
            When it is broken.
        """
        ...

    def finish(self) -> None:
        """Say that this was all.

        Raises
        ------
        DecodingError
            When more must follow.
        """
        ...


def decoder(encoding: str | None) -> Decoder:
    """A decoder for one of `ENCODINGS`, or for none.

    Raises
    ------
    ValueError
        When the encoding is another one.
    """
    match encoding:
        case None:
            return _Plain()
        case "gzip":
            return _Zlib(GZIP_WINDOW)
        case "deflate":
            return _Zlib(zlib.MAX_WBITS)
        case "br":
            return _Brotli()
        case _:
            raise ValueError(f"{encoding!r} is no encoding that can be undone")


class _Plain:
    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    def finish(self) -> None:
        """Whatever came is all."""


class _Zlib:
    def __init__(self, window: int) -> None:
        self._window = window
        self._decoder = zlib.decompressobj(window)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        try:
            while chunk:
                if self._decoder.eof:  # gzip may have several members
                    self._decoder = zlib.decompressobj(self._window)
                piece = self._decoder.decompress(chunk, PIECE_BYTES)
                chunk = self._decoder.unconsumed_tail or self._decoder.unused_data
                if piece:
                    yield piece
            # What zlib holds back although it has taken all.
            while piece := self._decoder.decompress(b"", PIECE_BYTES):
                yield piece
        except zlib.error as error:
            raise DecodingError(str(error)) from error

    def finish(self) -> None:
        if not self._decoder.eof:
            raise DecodingError("the body ends too early")


class _Brotli:
    def __init__(self) -> None:
        self._decoder = brotli.Decompressor()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        try:
            piece = self._decoder.process(chunk, output_buffer_limit=PIECE_BYTES)
            while piece:
                yield piece
                if self._decoder.is_finished():
                    return
                piece = self._decoder.process(b"", output_buffer_limit=PIECE_BYTES)
        except brotli.error as error:
            raise DecodingError(str(error)) from error

    def finish(self) -> None:
        if not self._decoder.is_finished():
            raise DecodingError("the body ends too early")
