"""What every format of items can do."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from actor_operator.services.json_values import Item

BOM = b"\xef\xbb\xbf"
"""Mark at the beginning of a text by which Excel knows that it is UTF-8."""


class Export(Protocol):
    """Writes items as a file, part by part, in one thread at a time."""

    def begin(self) -> bytes:
        """What stands before the items."""
        ...

    def rows(self, items: Iterable[Item]) -> bytes:
        """Some more items."""
        ...

    def end(self) -> Iterator[bytes]:
        """What stands after the items."""
        ...

    def close(self) -> None:
        """Give back what was used; also when not all was written."""
        ...


class TextExport:
    """Formats that need nothing but memory for a few items."""

    def begin(self) -> bytes:
        """What stands before the items."""
        return b""

    def end(self) -> Iterator[bytes]:
        """What stands after the items."""
        return iter(())

    def close(self) -> None:
        """There is nothing to give back."""
