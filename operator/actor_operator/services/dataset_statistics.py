"""Statistics of the fields of a dataset, by Apify's rules.

Numbers count as they are, texts and arrays by their length, objects by how many fields they have.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from actor_operator.services.json_values import (
    Value,
    as_array,
    as_object,
    as_text,
    json_of,
    read_item,
)


@dataclass(slots=True)
class _Field:
    count: int = 0
    nulls: int = 0
    least: float = math.inf
    most: float = -math.inf

    def add(self, value: Value) -> None:
        self.count += 1
        measure = _measure(value)
        if measure is not None:
            self.least = min(self.least, measure)
            self.most = max(self.most, measure)
        elif json_of(value) == "null":
            self.nulls += 1


class FieldStatistics:
    """Gathers statistics of items."""

    def __init__(self) -> None:
        self._items = 0
        self._fields: dict[str, _Field] = {}

    def add(self, lines: Iterable[bytes]) -> None:
        """Some more items."""
        for line in lines:
            self._items += 1
            for name, value in read_item(line).items():
                self._fields.setdefault(name, _Field()).add(value)

    def describe(self) -> dict[str, Any]:
        """The statistics of each field as clients see them."""
        return {
            name: {
                "min": field.least if field.least <= field.most else None,
                "max": field.most if field.least <= field.most else None,
                "nullCount": field.nulls,
                "emptyCount": self._items - field.count,
            }
            for name, field in self._fields.items()
        }


def _measure(value: Value) -> float | None:
    """What the smallest and the largest are chosen by; None: the value has no size."""
    for read in (as_text, as_array, as_object):
        content = read(value)
        if content is not None:
            return len(content)
    text = json_of(value)
    if text in {"null", "true", "false"}:
        return None
    number = float(text)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and "." not in text else number
