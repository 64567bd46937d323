"""What CEL rules cost, estimated as the API server does it when a CRD is installed.

The API server refuses a CRD if one rule may cost more than 10,000,000 units, or all of them
together more than 100,000,000; a unit is about 50 ns. This follows its estimate (Kubernetes 1.36:
cel-go's checker/cost.go and the sizes that a schema allows) for the operators that our rules use.
A test compares it with numbers that the API server's own code gave.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from actor_operator.api.fields import RULES_KEY
from actor_operator.crdgen.cel import Call, CelError, Ident, Items, Literal, Node, Select, parse
from actor_operator.crdgen.schema import Schema

TOTAL_LIMIT = 100_000_000
"""Most that all rules of a CRD may cost (StaticEstimatedCRDCostLimit)."""

SHARE_OF_LIMIT = 0.1
"""The share of the limit that we allow ourselves."""

LARGEST_REQUEST = 3 * 1024 * 1024
"""Most bytes of a request: the length of a text that has no bound."""

BYTES_PER_CHARACTER = 4
"""Most bytes of a character."""

TRAVERSAL = 0.1
"""Units for each byte of a text that is looked at."""

DATE_TIME = 36
"""Most bytes of a moment."""

REGEX = 0.25
"""Units for each character of a regular expression."""

LIST = 10
"""Units for making a list."""

LOOPS = {"all": 3, "exists": 4}
"""Macros that loop, and the units of each turn beside the predicate's own."""

Scope = Mapping[str, Schema | None]
"""The variables of an expression and their schemas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCost:
    """What a rule costs at most."""

    path: str
    """Where the rule is in the schema."""
    rule: str
    """The rule."""
    units: int
    """Units for all values that the schema allows."""


def rule_costs(root: Schema) -> Iterator[RuleCost]:
    """Estimate every rule of a schema.

    Raises
    ------
    CelError
        If a rule uses something that is not understood here.
    """
    # The API server puts its own schema of metadata here, in which the name has no bound.
    metadata = {"type": "object", "properties": {"name": {"type": "string"}}}
    seen = root | {"properties": root["properties"] | {"metadata": metadata}}
    yield from _walk(seen, path="", times=1)


def _walk(node: Schema, *, path: str, times: int) -> Iterator[RuleCost]:
    for item in node.get(RULES_KEY, []):
        cost = _cost(parse(item["rule"]), {"self": node, "oldSelf": node})
        yield RuleCost(path=path or ".", rule=item["rule"], units=cost * times)
    for name, child in node.get("properties", {}).items():
        yield from _walk(child, path=f"{path}.{name}", times=times)
    for key, bound in (("items", "maxItems"), ("additionalProperties", "maxProperties")):
        if isinstance(node.get(key), dict):
            yield from _walk(node[key], path=f"{path}[]", times=times * node[bound])


def _cost(node: Node, scope: Scope) -> int:  # noqa: PLR0911 -- one for each kind of node
    """Units of evaluating an expression once."""
    match node:
        case Literal():
            return 0
        case Ident():
            return 1
        case Select(operand, _, _):
            return _cost(operand, scope) + 1
        case Items(items):
            return LIST + sum(_cost(item, scope) for item in items)
        case Call("has", None, (Select(operand, _, _),)):
            return _cost(operand, scope)
        case Call(name, target, arguments) if name in LOOPS and target is not None:
            return _loop(name, target, arguments, scope)
        case Call(_, target, arguments):
            operands = arguments if target is None else (target, *arguments)
            return _call(node, scope) + sum(_cost(operand, scope) for operand in operands)


def _loop(name: str, target: Node, arguments: tuple[Node, ...], scope: Scope) -> int:
    variable, predicate = arguments
    if not isinstance(variable, Ident):
        raise CelError(f"{name} needs a variable")
    inner = {**scope, variable.name: _turn(target, scope)}
    turn = LOOPS[name] + _cost(predicate, inner)
    return _cost(target, scope) + 1 + _size(target, scope) * turn


def _call(call: Call, scope: Scope) -> int:  # noqa: PLR0911 -- one for each kind of call
    """Units of the call itself, without its operands."""
    sizes = [_size(argument, scope) for argument in call.arguments]
    match call.name:
        case "||" | "&&":
            return 0
        case "?:":
            # Only one of the two is evaluated; the caller counts both.
            return -min(_cost(argument, scope) for argument in call.arguments[1:])
        case "in":
            return 1 if _is_map(call.arguments[1], scope) else sizes[1]
        case "+" if not _is_number(call.arguments[0], scope):
            return math.ceil(sum(sizes) * TRAVERSAL)
        case "==" | "!=":
            return math.ceil(min(sizes) * TRAVERSAL)
        case "<" | "<=" | ">" | ">=" if not _is_number(call.arguments[1], scope):
            return math.ceil(min(sizes) * TRAVERSAL)
        case "startsWith":
            return math.ceil(sizes[0] * TRAVERSAL)
        case "matches" if call.target is not None:
            text = math.ceil((_size(call.target, scope) + 1) * TRAVERSAL)
            return text * math.ceil(sizes[0] * REGEX)
        case _:
            return 1


def _is_map(node: Node, scope: Scope) -> bool:
    return (_schema(node, scope) or {}).get("type") == "object"


def _is_number(node: Node, scope: Scope) -> bool:
    schema = _schema(node, scope)
    return (schema or {}).get("type") == "integer" or (
        isinstance(node, Literal) and isinstance(node.value, int)
    )


def _size(node: Node, scope: Scope) -> int:
    """Length of a text in bytes, or of a list or map in items."""
    match node:
        case Literal(str() as text):
            return len(text)
        case Literal() | Call("has", _, _):
            return 1
        case Items(items):
            return len(items)
        case Call("+", None, (left, right)) if not _is_number(left, scope):
            return _size(left, scope) + _size(right, scope)
        case Call("+" | "-" | "size" | "int" | "in" | "==" | "&&" | "||" | "!", _, _):
            return 1
        case _:
            return _schema_size(_schema(node, scope))


def _schema_size(schema: Schema | None) -> int:  # noqa: PLR0911 -- one for each type
    match schema:
        case None:
            return LARGEST_REQUEST
        case {"type": "array"}:
            return int(schema.get("maxItems", LARGEST_REQUEST))
        case {"type": "object", "additionalProperties": dict()}:
            return int(schema.get("maxProperties", LARGEST_REQUEST))
        case {"type": "string", "enum": [*words]}:
            return max(len(word) for word in words)
        case {"type": "string", "format": "date-time"}:
            return DATE_TIME
        case {"type": "string"}:
            return int(schema.get("maxLength", LARGEST_REQUEST / BYTES_PER_CHARACTER)) * (
                BYTES_PER_CHARACTER
            )
        case _:
            return 0  # numbers, truth values and objects with fields cost nothing to compare


def _schema(node: Node, scope: Scope) -> Schema | None:
    """The schema of a value, if it can be known."""
    match node:
        case Ident(name):
            return scope.get(name)
        case Select(operand, field, _):
            properties: dict[str, Any] = (_schema(operand, scope) or {}).get("properties", {})
            return properties.get(field)
        case Call("[]", None, (operand, _)):
            container = _schema(operand, scope) or {}
            return container.get("items") or container.get("additionalProperties")
        case Call("orValue", Select() as target, _):
            return _schema(target, scope)
        case _:
            return None


def _turn(container: Node, scope: Scope) -> Schema | None:
    """The schema of what a loop gives: the items of a list, the keys of a map."""
    if isinstance(container, Items):
        return {"type": "integer"}
    schema = _schema(container, scope) or {}
    items: Schema | None = schema.get("items")
    return items or {"type": "string", "maxLength": 0}
