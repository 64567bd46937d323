"""What is done with items on their way out: Apify's options, in a fixed order.

Failed pages are left out, then come ``unwind``, ``flatten``, ``fields``, ``omit``, hidden fields
and empty items. A name with dots is a field of that name, or else a path into nested objects.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from actor_operator.services.errors import invalid
from actor_operator.services.items import HIDDEN
from actor_operator.services.json_values import Item, Value, as_array, as_object, read_item

SIMPLIFIED_FIELDS = ("url", "pageFunctionResult", "errorInfo")
SIMPLIFIED_UNWIND = ("pageFunctionResult",)
ERROR_FIELD = "errorInfo"
"""Of a product of Apify from before actors, which ``simplified`` and ``skipFailedPages`` serve."""


@dataclass(frozen=True, slots=True)
class Transformation:
    """Options of a request for items.

    Parameters
    ----------
    fields
        The only fields to keep, in this order; empty: all.
    output_fields
        Their names in the output, one for each; empty: as they are.
    omit
        Fields to leave out.
    unwind
        Fields whose elements become items of their own, one after the other.
    flatten
        Fields whose nested fields become fields with dots in their names.
    skip_hidden
        Whether fields that begin with ``#`` are left out.
    skip_empty
        Whether items without any field are left out.
    skip_failed
        Whether items with a field ``errorInfo`` are left out.
    """

    fields: tuple[str, ...] = ()
    output_fields: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    unwind: tuple[str, ...] = ()
    flatten: tuple[str, ...] = ()
    skip_hidden: bool = False
    skip_empty: bool = False
    skip_failed: bool = False

    @property
    def changes_nothing(self) -> bool:
        """Whether every item comes out as it is."""
        return self == UNCHANGED

    def check(self) -> None:
        """Look whether the options fit each other.

        Raises
        ------
        ApiError
            400 when ``outputFields`` does not name as many fields as ``fields``.
        """
        if self.output_fields and len(self.output_fields) != len(self.fields):
            raise invalid("outputFields must have one name for each of fields.", "invalid-value")

    def over(self, other: "Transformation") -> "Transformation":
        """These options, and those of another one where nothing is said here."""
        return Transformation(
            fields=self.fields or other.fields,
            output_fields=self.output_fields or other.output_fields,
            omit=self.omit or other.omit,
            unwind=self.unwind or other.unwind,
            flatten=self.flatten or other.flatten,
            skip_hidden=self.skip_hidden or other.skip_hidden,
            skip_empty=self.skip_empty or other.skip_empty,
            skip_failed=self.skip_failed or other.skip_failed,
        )

    def simplified(self) -> "Transformation":
        """The same with the two options that ``simplified`` stands for."""
        return replace(self, fields=SIMPLIFIED_FIELDS, unwind=SIMPLIFIED_UNWIND)

    def apply(self, lines: Iterable[bytes]) -> Iterator[Item]:
        """What becomes of items."""
        for line in lines:
            item = read_item(line)
            if self.skip_failed and ERROR_FIELD in item:
                continue
            for unwound, origins in _unwind_all(item, self.unwind):
                changed = self._change(unwound, origins)
                if changed or not self.skip_empty:
                    yield changed

    def _change(self, item: Item, origins: dict[str, tuple[str, ...]]) -> Item:
        for name in self.flatten:
            item = _flatten(item, name)
        if self.fields:
            item = _pick(item, self.fields, self.output_fields, origins)
        for name in self.omit:
            item = _without(item, name)
        if self.skip_hidden:
            item = {name: value for name, value in item.items() if not name.startswith(HIDDEN)}
        return item


UNCHANGED = Transformation()


def _unwind_all(
    item: Item, names: tuple[str, ...]
) -> Iterator[tuple[Item, dict[str, tuple[str, ...]]]]:
    """Items that come of one, each with the names that came out of each unwound field."""
    if not names:
        yield item, {}
        return
    for part, came in _unwind(item, names[0]):
        for whole, origins in _unwind_all(part, names[1:]):
            yield whole, {names[0]: came, **origins}


def _unwind(item: Item, name: str) -> Iterator[tuple[Item, tuple[str, ...]]]:
    value = _find(item, name)
    if value is None:
        yield item, ()
        return
    elements = as_array(value)
    if elements is None:
        fields = as_object(value)
        yield (item, ()) if fields is None else (_without(item, name) | fields, tuple(fields))
        return
    if not elements:
        yield item, ()
    for element in elements:
        fields = as_object(element)
        if fields is None:  # nothing that could be merged: it takes the array's place
            yield _set(item, name, element), ()
        else:
            yield _without(item, name) | fields, tuple(fields)


def _flatten(item: Item, name: str) -> Item:
    value = _find(item, name)
    if value is None or as_object(value) is None:
        return item
    flat = dict(_leaves(name, value))
    if name not in item:  # a path: what is flat stands at the top
        return _without(item, name) | flat
    result: Item = {}
    for field, present in item.items():
        result.update(flat if field == name else {field: present})
    return result


def _leaves(name: str, value: Value) -> Iterator[tuple[str, Value]]:
    waiting = [(name, value)]
    while waiting:
        path, one = waiting.pop()
        fields = as_object(one)
        if not fields:
            yield path, one
            continue
        waiting.extend((f"{path}.{field}", inner) for field, inner in reversed(fields.items()))


def _pick(
    item: Item,
    names: tuple[str, ...],
    output_names: tuple[str, ...],
    origins: dict[str, tuple[str, ...]],
) -> Item:
    """The fields of these names. One that was unwound stands for all that came out of it."""
    picked: Item = {}
    for position, name in enumerate(names):
        value = _find(item, name)
        if value is not None:
            if output_names:
                picked[output_names[position]] = value
            else:
                picked = _set(picked, name, value, flat=name in item)
        else:
            came = origins.get(name, ())
            picked.update({field: item[field] for field in came if field in item})
    return picked


def _find(item: Item, name: str) -> Value | None:
    """The value of a field, or at a path; None: there is none."""
    if name in item:
        return item[name]
    first, dot, rest = name.partition(".")
    if not dot or first not in item:
        return None
    inner = as_object(item[first])
    return None if inner is None else _find(inner, rest)


def _set(item: Item, name: str, value: Value, *, flat: bool = False) -> Item:
    """The item with a field, or with a value at a path."""
    first, dot, rest = name.partition(".")
    if flat or not dot or name in item:
        return {**item, name: value}
    inner = as_object(item[first]) if first in item else {}
    return {**item, first: _set(inner or {}, rest, value)}


def _without(item: Item, name: str) -> Item:
    if name in item:
        return {field: value for field, value in item.items() if field != name}
    first, dot, rest = name.partition(".")
    if not dot or first not in item:
        return item
    inner = as_object(item[first])
    return item if inner is None else {**item, first: _without(inner, rest)}
