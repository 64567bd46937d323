"""What the fields of our kinds may be changed to: at, inside and beyond what their schema allows.

Made from the CRDs, so that a new field is changed, too. Nothing here knows what is right: the API
server says so.
"""

import copy
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path as File
from typing import Any

import yaml

CRDS = File(__file__).parents[2] / "crds"

Path = tuple[str | int, ...]
"""Where a field is in a spec; numbers are places in lists."""

ABSENT: Any = None
"""Stands for a field that is taken away, as in a merge patch."""

TEXTS = (
    *("", "a", "latest", "1.0.1", "1.0.2", "9.9.9", "1.0", "UPPER", "with space", "-x", "x-"),
    *("x.y", "team/name", "../x", "$(HOME)", "{{.}}", "\u00fcml\u00e4ut", "\U0001f600", "\x00"),
    *("line\nbreak", "8080", "80", "true", "PATH", "ACTOR_TOKEN", "ACTOR_WEB_SERVER_PORT"),
)
"""Texts that are right for some fields and wrong for most."""

WRONG_TYPES: tuple[Any, ...] = ("text", 7, 1.5, True, [], {}, ["text"], {"key": "value"})
"""One of each JSON type."""

HUGE = 70_000
"""More characters than any input may have."""

BASES: dict[str, dict[str, Any]] = {
    "actors": {
        "builds": [
            {
                "number": "1.0.1",
                "image": "registry.example/actor:simulate-0.3s",
                "env": [{"name": "OF_BUILD", "value": "1"}],
            },
            {"number": "1.0.2", "image": "registry.example/actor:simulate-0.3s-exit-1"},
        ],
        "taggedBuilds": {"latest": "1.0.1", "beta": "1.0.2"},
        "env": [{"name": "OF_ACTOR", "value": "1"}],
        "imagePullSecrets": ["registry"],
    },
    "actorruns": {"actor": "quick", "timeoutSecs": 300, "input": {"message": "Hi"}},
    "actoraccounts": {"memoryLimitMbytes": 65536, "retention": {"keepLast": 3}},
}
"""Specs that are right, over which changes are laid."""


def fields(plural: str) -> list[tuple[Path, dict[str, Any]]]:
    """Every field of a kind's spec with its schema, those in lists and maps too."""
    return list(_walk(_schema(plural), ()))


@cache
def _schema(plural: str) -> dict[str, Any]:
    text = (CRDS / f"{plural}.actor-operator.dev.yaml").read_text()
    (version,) = yaml.safe_load(text)["spec"]["versions"]
    found: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return found


def _walk(schema: dict[str, Any], path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    inner = {**schema.get("properties", {})}
    if isinstance(schema.get("additionalProperties"), dict):
        inner["latest"] = schema["additionalProperties"]
    for name, field in inner.items():
        yield (*path, name), field
        yield from _walk(field, (*path, name))
    if "items" in schema:
        yield (*path, 0), schema["items"]
        yield from _walk(schema["items"], (*path, 0))


def values(schema: dict[str, Any]) -> list[Any]:
    """What a field may be changed to."""
    found: list[Any] = [ABSENT, *WRONG_TYPES, *schema.get("enum", ())]
    match str(schema.get("type")):
        case "integer" | "number":
            low, high = schema.get("minimum", 0), schema.get("maximum", 2**31 - 1)
            found += [low, low + 1, low - 1, high, high + 1, 0, 1, 5, -1, 2**63, 1e400]
        case "string":
            most = schema.get("maxLength", 100)
            found += [*TEXTS, "x" * most, "x" * (most + 1)]
        case "array":
            found += [[entry] for entry in values(schema["items"])[:12]]
            found += [[{}] * (schema.get("maxItems", 100) + 1)]
        case "object":
            found += [{"unknown": 1}, {"latest": "1.0.1"}, {"latest": "9.9.9", "": "1.0.1"}]
        case _:
            pass  # a boolean, or anything
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        found += [{"text": "x" * HUGE}, {"a": {"b": [None, {"c": 2**60}]}}, {"": ""}]
    return [value for value in found if value != float("inf")]


def changed(spec: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A spec with another value in one place; what is missing on the way is made."""
    result = copy.deepcopy(spec)
    place: Any = result
    for step, following in pairwise(path):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(step, int):
            if not place:
                place.append(empty)
            place = place[step]
        else:
            place = place.setdefault(step, empty)
    last = path[-1]
    if isinstance(last, int):
        place[last : last + 1] = [] if value is ABSENT else [value]
    elif value is ABSENT:
        place.pop(last, None)
    else:
        place[last] = value
    return result


def patch(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The merge patch that turns one spec into another; lists are replaced whole."""
    found: dict[str, Any] = {name: ABSENT for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(before, dict) and isinstance(value, dict):
            if inner := patch(before, value):
                found[name] = inner
        elif name not in old or (type(before), before) != (type(value), value):
            found[name] = value
    return found
