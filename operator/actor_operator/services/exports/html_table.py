"""A table in HTML."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from typing_extensions import override

from actor_operator.services.exports.export import TextExport
from actor_operator.services.exports.table import row
from actor_operator.services.json_values import Item, plain


class HtmlExport(TextExport):
    """A page with nothing but a table.

    Parameters
    ----------
    columns
        Names of all columns.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._positions = {name: position for position, name in enumerate(columns)}

    @override
    def begin(self) -> bytes:
        """The page up to the first row."""
        head = "".join(f"<th>{escape(name)}</th>" for name in self._columns)
        return (
            '<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head>\n'
            f'<body><table border="1">\n<tr>{head}</tr>\n'
        ).encode()

    def rows(self, items: Iterable[Item]) -> bytes:
        """Some more rows."""
        lines = []
        for item in items:
            values = row(item, self._positions)
            texts = ("" if value is None else escape(plain(value)) for value in values)
            lines.append("".join(f"<td>{text}</td>" for text in texts))
        return "".join(f"<tr>{line}</tr>\n" for line in lines).encode()

    @override
    def end(self) -> Iterator[bytes]:
        """The end of the page."""
        yield b"</table></body></html>\n"
