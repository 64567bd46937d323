"""Walks the fields of a kind, and finds what becomes of each in what the operator builds.

A field is named by its path in the generated schema: ``a.b``, with ``[]`` behind a list and ``{}``
behind a map: ``builds[].env[].name``, ``taggedBuilds{}``.
"""

import base64
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from actor_operator.desired.pod import RunObjects

Json = dict[str, Any]

SUFFIX = "<suffix>"
"""Stands for the end of the Secret's name, which is a digest of its content."""


def leaves(node: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Every field of a schema that has no fields of its own."""
    match node:
        case {"properties": children}:
            for name, child in children.items():
                yield from leaves(child, f"{path}.{name}" if path else name)
        case {"items": child}:
            yield from leaves(child, f"{path}[]")
        case {"additionalProperties": dict() as child}:
            yield from leaves(child, f"{path}{{}}")
        case _:
            yield path, node


def marker(path: str, node: Json, markers: Json) -> Any:
    """A value that the schema allows and that differs from every default."""
    if path in markers:
        return markers[path]
    match node:
        case {"enum": [*values]}:
            return values[-1]
        case {"type": "integer" | "number"}:
            return 7
        case {"type": "boolean"}:
            return True
        case _:
            pass
    raise AssertionError(f"say which value {path} is given")


def changed(value: Json, path: str, new: Any) -> Json:
    """The value with one field changed, in the first list element or map entry that has it.

    Raises
    ------
    KeyError
        No element has it.
    """
    copied = deepcopy(value)
    if not _change(copied, _steps(path), new):
        raise KeyError(path)
    return copied


def _steps(path: str) -> list[str]:
    return path.replace("[]", ".[]").replace("{}", ".[]").split(".")


def _change(value: Any, steps: list[str], new: Any) -> bool:
    step, *rest = steps
    keys: list[Any] = [step] if isinstance(value, dict) and step in value else []
    if step == "[]":
        keys = list(value if isinstance(value, dict) else range(len(value)))
    for key in keys:
        if not rest:
            value[key] = new
            return True
        if _change(value[key], rest, new):
            return True
    return False


def flatten(value: Any, path: str = "") -> Json:
    """Every scalar by its path."""
    match value:
        case dict():
            items = value.items()
        case list():
            items = {str(number): item for number, item in enumerate(value)}.items()
        case _:
            return {path: value}
    return {
        key: leaf
        for name, item in items
        for key, leaf in flatten(item, f"{path}.{name}" if path else name).items()
    }


def values_of(objects: RunObjects) -> Json:
    """Every value of a pod and its Secret by its path; variables are decoded."""
    pod, secret = (
        item.model_dump(by_alias=True, exclude_none=True, mode="json")
        for item in (objects.pod, objects.secret)
    )
    data = secret.pop("data")
    variables = {name: base64.b64decode(value).decode() for name, value in data.items()}
    suffix = objects.secret_name.rpartition("-")[2]
    flat = flatten({"pod": pod, "secret": secret, "variables": variables})
    return {
        path: value.replace(suffix, SUFFIX) if isinstance(value, str) else value
        for path, value in flat.items()
    }


def differing(before: Json, after: Json) -> set[str]:
    """The paths whose values differ."""
    return {p for p in before.keys() | after.keys() if before.get(p) != after.get(p)}
