"""Items as rows of a table: nested values become columns like ``address/city`` and ``tags/0``."""

from collections.abc import Iterable, Iterator

from actor_operator.services.errors import invalid
from actor_operator.services.json_values import Item, Value, as_array, as_object, is_nested

MAX_COLUMNS = 2000
"""Most columns of a table (Apify)."""

MAX_NAME = 200
"""Longest name of a column (Apify)."""

MAX_DEPTH = 64
"""Deeper values are one cell, with JSON in it."""


class Columns:
    """The columns that some items need.

    Parameters
    ----------
    fields
        Fields that have a column in any case, in this order; those that come of the same field
        stand together.
    """

    def __init__(self, fields: Iterable[str] = ()) -> None:
        self._asked = tuple(fields)
        self._of_field: dict[str, dict[str, None]] = {}
        for field in self._asked:
            self._of_field[field] = {}
            self._of_field.setdefault(_top(field), {})
        self._count = 0

    def add(self, items: Iterable[Item]) -> None:
        """Make room for items.

        Raises
        ------
        ApiError
            When they need more columns, or longer names of them, than a table may have.
        """
        for item in items:
            for field, value in item.items():
                known = self._of_field.setdefault(field, {})
                if field in known and not is_nested(value):
                    continue
                for name, _ in cells(field, value):
                    if name not in known:
                        self._add_name(known, name)

    def names(self) -> list[str]:
        """Their names, in order."""
        found: dict[str, None] = {}
        for field, names in self._of_field.items():
            if names:
                found.update(names)
            elif field in self._asked and not self._of_field[_top(field)]:
                found[field] = None
        return list(found)

    def _add_name(self, known: dict[str, None], name: str) -> None:
        if len(name) > MAX_NAME:
            raise invalid(
                f"The column {name[:40]}… would have a name of {len(name)} symbols, and at most "
                f"{MAX_NAME} are possible. Choose fields by the parameter fields or omit, or take "
                "another format."
            )
        if self._count == MAX_COLUMNS:
            raise invalid(
                f"The table would have more than {MAX_COLUMNS} columns. Choose fields by the "
                "parameter fields or omit, or take another format."
            )
        known[name] = None
        self._count += 1


def cells(name: str, value: Value, depth: int = 0) -> Iterator[tuple[str, Value]]:
    """The cells of a value: columns and what stands in them."""
    if depth == MAX_DEPTH or not is_nested(value):
        yield name, value
        return
    fields = as_object(value)
    inner: Iterable[tuple[object, Value]] = (
        fields.items() if fields is not None else enumerate(as_array(value) or ())
    )
    for part, one in inner:
        yield from cells(f"{name}/{part}", one, depth + 1)


def row(item: Item, positions: dict[str, int]) -> list[Value | None]:
    """An item as a row.

    Parameters
    ----------
    item
        The item.
    positions
        Where each column stands.
    """
    found: list[Value | None] = [None] * len(positions)
    for field, value in item.items():
        if is_nested(value):
            for name, content in cells(field, value):
                found[positions[name]] = content
        else:
            found[positions[field]] = value
    return found


def _top(field: str) -> str:
    """The field of an item that a path begins with."""
    return field.partition(".")[0]
