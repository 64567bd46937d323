"""Label and field selectors of list and watch."""

import re
from collections.abc import Callable

from tests.support.apiserver.errors import bad_request
from tests.support.apiserver.fields import Object, at
from tests.support.apiserver.kinds import Kind

Labels = dict[str, str]
Requirement = Callable[[Labels], bool]

_SET = re.compile(r"^(?P<key>\S+)\s+(?P<operator>in|notin)\s*\((?P<values>[^()]*)\)$")
_EQUALITY = re.compile(r"^(?P<key>[^=!\s]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^=!\s]*)$")
_EXISTENCE = re.compile(r"^(?P<negation>!?)\s*(?P<key>[^=!\s()]+)$")
_COMMA_OUTSIDE_BRACKETS = re.compile(r",(?![^(]*\))")


class Selector:
    """Which objects a list or a watch is about."""

    def __init__(self, kind: Kind, namespace: str, labels: str = "", fields: str = "") -> None:
        self._namespace = namespace
        self._labels = _label_requirements(labels)
        self._fields = _field_requirements(kind, fields)

    def matches(self, obj: Object) -> bool:
        """Whether the object is meant."""
        metadata = obj["metadata"]
        if self._namespace and metadata.get("namespace") != self._namespace:
            return False
        labels = metadata.get("labels") or {}
        return all(holds(labels) for holds in self._labels) and all(
            (_as_text(at(obj, path)) == value) is wanted for path, value, wanted in self._fields
        )


def _label_requirements(selector: str) -> list[Requirement]:
    parts = [part.strip() for part in _COMMA_OUTSIDE_BRACKETS.split(selector)]
    return [_label_requirement(part, selector) for part in parts if part]


def _label_requirement(part: str, selector: str) -> Requirement:
    """One of `a=b`, `a!=b`, `a in (b, c)`, `a notin (b)`, `a`, `!a`."""
    if match := _SET.match(part):
        key, wanted = match["key"], match["operator"] == "in"
        values = {value.strip() for value in match["values"].split(",")}
        return lambda labels: (key in labels and labels[key] in values) is wanted
    if match := _EQUALITY.match(part):
        key, value, wanted = match["key"], match["value"], match["operator"] != "!="
        return lambda labels: (labels.get(key) == value) is wanted
    if match := _EXISTENCE.match(part):
        key, wanted = match["key"], not match["negation"]
        return lambda labels: (key in labels) is wanted
    raise bad_request(f'unable to parse requirement: "{part}" of "{selector}"')


def _field_requirements(kind: Kind, selector: str) -> list[tuple[str, str, bool]]:
    """(path, value, whether it must be equal) of each part."""
    requirements = []
    for part in filter(None, (part.strip() for part in selector.split(","))):
        match = _EQUALITY.match(part)
        if match is None:
            raise bad_request(f"invalid selector: '{selector}'; can't understand '{part}'")
        path = kind.selectable_path(match["key"])
        if path is None:
            raise bad_request(f"field label not supported: {match['key']}")
        requirements.append((path, match["value"], match["operator"] != "!="))
    return requirements


def _as_text(value: object) -> str:
    """A field's value as selectors write it; an absent one is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
