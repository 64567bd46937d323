"""JSON and JSON Lines. Items that nothing has changed are written as they were sent."""

from collections.abc import Iterable, Iterator

import msgspec
from typing_extensions import override

from actor_operator.services.exports.export import TextExport
from actor_operator.services.json_values import Item

_ENCODER = msgspec.json.Encoder()


class JsonExport(TextExport):
    """One array."""

    def __init__(self) -> None:
        self._before = b""

    @override
    def begin(self) -> bytes:
        """The beginning of the array."""
        return b"["

    def rows(self, items: Iterable[Item]) -> bytes:
        """Some more items."""
        return self.lines(_encode(items))

    def lines(self, lines: Iterable[bytes]) -> bytes:
        """Some more items that are JSON already."""
        joined = b",\n".join(lines)
        if not joined:
            return b""
        before, self._before = self._before, b",\n"
        return before + joined

    @override
    def end(self) -> Iterator[bytes]:
        """The end of the array."""
        yield b"]"


class JsonLinesExport(TextExport):
    """An item on each line."""

    def rows(self, items: Iterable[Item]) -> bytes:
        """Some more items."""
        return self.lines(_encode(items))

    def lines(self, lines: Iterable[bytes]) -> bytes:
        """Some more items that are JSON already."""
        return b"".join(line + b"\n" for line in lines)


def _encode(items: Iterable[Item]) -> list[bytes]:
    return [_ENCODER.encode(item) for item in items]
