"""CSV (RFC 4180, lines end with LF as Apify's do).

Values are written as they are. One that begins with ``=`` is a formula to some spreadsheets: who
opens what strangers have written should import it as text.
"""

import re
from collections.abc import Iterable, Sequence

from typing_extensions import override

from actor_operator.services.errors import invalid
from actor_operator.services.exports.export import TextExport
from actor_operator.services.exports.table import row
from actor_operator.services.json_values import Item, plain

EMPTY = '""'
"""A line for a row of one value that is empty."""


class CsvExport(TextExport):
    """A table of values with commas between them.

    Parameters
    ----------
    columns
        Names of all columns.
    delimiter
        What stands between values.
    header
        Whether the first line has the names of the columns.

    Raises
    ------
    ApiError
        400 when the delimiter is none.
    """

    def __init__(
        self, columns: Sequence[str], delimiter: str = ",", *, header: bool = True
    ) -> None:
        visible = delimiter.isprintable() or delimiter == "\t"
        if len(delimiter) != 1 or delimiter == '"' or not visible:
            raise invalid(
                "delimiter must be one visible symbol or a tab, and no quote.", "invalid-value"
            )
        self._columns = columns
        self._positions = {name: position for position, name in enumerate(columns)}
        self._delimiter = delimiter
        self._header = header
        self._special = re.compile(f'["\r\n{re.escape(delimiter)}]')

    @override
    def begin(self) -> bytes:
        """The names of the columns."""
        return self._write([self._columns]) if self._header and self._columns else b""

    def rows(self, items: Iterable[Item]) -> bytes:
        """Some more lines."""
        return self._write(
            ["" if value is None else plain(value) for value in row(item, self._positions)]
            for item in items
        )

    def _write(self, rows: Iterable[Sequence[str]]) -> bytes:
        lines = (self._delimiter.join(map(self._quoted, row)) for row in rows)
        # An empty line would be no row to many readers.
        return "".join(f"{line or EMPTY}\n" for line in lines).encode()

    def _quoted(self, value: str) -> str:
        # Not by the module csv, which leaves a CR alone where lines end with LF.
        if self._special.search(value):
            return '"' + value.replace('"', '""') + '"'
        return value
