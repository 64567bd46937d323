"""A table for Excel (Office Open XML), written to a temporary file row by row."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from xlsxwriter import Workbook

from actor_operator.services.errors import invalid
from actor_operator.services.exports.table import row
from actor_operator.services.json_values import Item, Value, as_text, json_of

MAX_ROWS = 1_048_576
"""Rows of a sheet (Excel's specification)."""

MAX_CELL = 32_767
"""UTF-16 units of a cell (Excel's specification); longer texts are cut."""

MAX_EXACT = 2**53
"""A number beyond it would be rounded by Excel: it is written as text."""

_CHUNK = 262_144
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


class XlsxExport:
    """A workbook of one sheet.

    Parameters
    ----------
    columns
        Names of all columns.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._positions = {name: position for position, name in enumerate(columns)}
        self._folder = tempfile.TemporaryDirectory(prefix="xlsx-")
        self._file = f"{self._folder.name}/items.xlsx"
        self._book: Any = Workbook(self._file, {**_OPTIONS, "tmpdir": self._folder.name})
        self._sheet = self._book.add_worksheet("Items")
        for position, name in enumerate(columns):
            self._sheet.write_string(0, position, name)
        self._next = 1

    def begin(self) -> bytes:
        """Nothing: the file is complete at its end only."""
        return b""

    def rows(self, items: Iterable[Item]) -> bytes:
        """Write some more rows to the temporary file.

        Raises
        ------
        ApiError
            400 for more rows than a sheet has.
        """
        for item in items:
            if self._next == MAX_ROWS:
                raise invalid(
                    f"A sheet of Excel has at most {MAX_ROWS} rows. Ask for a part by offset and "
                    "limit, or take another format."
                )
            for position, value in enumerate(row(item, self._positions)):
                if value is not None:
                    self._write(position, value)
            self._next += 1
        return b""

    def end(self) -> Iterator[bytes]:
        """The file."""
        self._book.close()
        with open(self._file, "rb") as file:  # noqa: PTH123 -- a name made here
            while chunk := file.read(_CHUNK):
                yield chunk

    def close(self) -> None:
        """Remove the temporary file."""
        self._folder.cleanup()

    def _write(self, position: int, value: Value) -> None:
        text = as_text(value)
        if text is None:
            text = json_of(value)
            if text == "null":
                return
            if text in {"true", "false"}:
                self._sheet.write_boolean(self._next, position, text == "true")
                return
            number = _number(text)
            if number is not None:
                self._sheet.write_number(self._next, position, number)
                return
        self._sheet.write_string(self._next, position, _fitting(text))


def _number(text: str) -> int | float | None:
    """A number as Excel can have it; None: it cannot, or this is none."""
    try:
        number = msgspec.json.decode(text, type=int | float, strict=True)
    except msgspec.MsgspecError:
        return None
    return number if abs(number) <= MAX_EXACT else None


def _fitting(text: str) -> str:
    if len(text) * 2 <= MAX_CELL:
        return text
    units = text.encode("utf-16-le")[: 2 * MAX_CELL]
    return units.decode("utf-16-le", errors="ignore")
