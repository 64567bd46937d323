"""The CEL rules of a CRD, evaluated by the reference implementation of the language.

What kube-apiserver adds to the language is here as far as the project's rules need it: rules are
evaluated at each place of the schema, `oldSelf` is the same place before, items of map lists are
matched by their keys, and a rule without `oldSelf` is left out where nothing changed. Not here:
cost limits, type checks against the schema, Kubernetes' own functions.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import msgspec
from cel_expr_python import cel  # type: ignore[import-untyped]  # has stubs, no py.typed
from tests.support.apiserver.fields import FieldError, Object

_ENVIRONMENT = """
name: kubernetes
variables:
- {name: self, type_name: dyn}
- {name: oldSelf, type_name: dyn}
extensions:
- {name: optional}
- {name: strings}
- {name: lists}
- {name: sets}
- {name: math}
"""
"""Extensions of the language that kube-apiserver loads too."""

_environment = cel.NewEnv(config=cel.NewEnvConfigFromYaml(_ENVIRONMENT))

_OLD_SELF = re.compile(r"\boldSelf\b")

ABSENT = object()
"""No value at this place."""

_PROBLEMS = {
    "FieldValueInvalid": "Invalid value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueRequired": "Required value",
    "FieldValueDuplicate": "Duplicate value",
}
"""`reason` of a rule -> words of the refusal."""


class Rule:
    """One rule of `x-kubernetes-validations`."""

    def __init__(self, definition: Object) -> None:
        rule = definition["rule"]
        self._definition = definition
        self._names_old = _OLD_SELF.search(rule) is not None
        self._takes_optional = bool(definition.get("optionalOldSelf"))
        expression = definition.get("messageExpression")
        self._message = _environment.compile(expression) if expression else None
        if self._takes_optional:
            self._first = _environment.compile(_OLD_SELF.sub("optional.none()", rule))
            rule = _OLD_SELF.sub("optional.of(oldSelf)", rule)
        self._program = _environment.compile(rule)

    def check(self, value: Any, old: Any, path: str) -> list[FieldError]:
        """The refusal, if the rule does not hold; `old` is ABSENT where there is none."""
        if not self._names_old and old is not ABSENT and old == value:
            return []
        program, data = self._program, {"self": value}
        if self._names_old and old is not ABSENT:
            data["oldSelf"] = old
        elif self._names_old and not self._takes_optional:
            return []
        elif self._names_old:
            program = self._first
        result = program.eval(data=data)
        return [] if result.value() is True else [self._refusal(result, data, path)]

    def _refusal(self, result: Any, data: dict[str, Any], path: str) -> FieldError:
        sentence = self._definition.get("message") or f"failed rule: {self._definition['rule']}"
        if self._message is not None:
            sentence = str(self._message.eval(data=data).value())
        if result.value() is not False:
            sentence = f"rule evaluation error: {result.value()}"
        reason = self._definition.get("reason", "FieldValueInvalid")
        problem = _PROBLEMS[reason]
        value = data["self"]
        if problem == "Invalid value" and not isinstance(value, list | dict):
            sentence = f"{msgspec.json.encode(value).decode()}: {sentence}"
        where = path + self._definition.get("fieldPath", "")
        return FieldError(where.lstrip(".") or "<nil>", problem, sentence, reason)


@dataclass(slots=True)
class Place:
    """A place of the schema at or below which there are rules."""

    rules: list[Rule]
    properties: dict[str, "Place"] = field(default_factory=dict)
    others: "Place | None" = None
    items: "Place | None" = None
    keys: list[str] | None = None
    """Fields that tell the items of a list apart, None if its items cannot be matched."""

    def check(self, value: Any, old: Any, path: str) -> list[FieldError]:
        """All refusals here and below; `old` is ABSENT where there is nothing to compare."""
        errors: list[FieldError] = []
        for rule in self.rules:
            errors += rule.check(value, old, path)
        if isinstance(value, dict):
            errors += self._check_fields(value, old, path)
        elif isinstance(value, list) and self.items:
            errors += self._check_items(value, old, path, self.items)
        return errors

    def _check_fields(self, value: Object, old: Any, path: str) -> list[FieldError]:
        before = old if isinstance(old, dict) else {}
        errors: list[FieldError] = []
        for name, child in value.items():
            previous = before.get(name, ABSENT)
            if place := self.properties.get(name):
                errors += place.check(child, previous, f"{path}.{name}")
            elif self.others:
                errors += self.others.check(child, previous, f"{path}[{name}]")
        return errors

    def _check_items(
        self, value: list[Any], old: Any, path: str, place: "Place"
    ) -> list[FieldError]:
        before = {}
        if self.keys and isinstance(old, list):
            before = {self._identity(item): item for item in old}
        errors: list[FieldError] = []
        for index, item in enumerate(value):
            previous = before.get(self._identity(item), ABSENT) if before else ABSENT
            errors += place.check(item, previous, f"{path}[{index}]")
        return errors

    def _identity(self, item: Object) -> bytes:
        return msgspec.json.encode([item.get(key) for key in self.keys or []])


def compile_rules(schema: Object) -> Place | None:
    """The rules of a schema and of all below it, None if there are none."""
    definitions = schema.get("x-kubernetes-validations") or []
    rules = [Rule(definition) for definition in definitions]
    properties = {
        name: place
        for name, child in (schema.get("properties") or {}).items()
        if (place := compile_rules(child))
    }
    others, items = schema.get("additionalProperties"), schema.get("items")
    place = Place(
        rules,
        properties,
        compile_rules(others) if isinstance(others, dict) else None,
        compile_rules(items) if isinstance(items, dict) else None,
        schema.get("x-kubernetes-list-map-keys"),
    )
    return place if rules or properties or place.others or place.items else None


def check_rules(place: Place, obj: Object, old: Object | None) -> list[FieldError]:
    """All rules of a kind that an object, or a change of it, breaks."""
    before = ABSENT if old is None else _visible(old)
    return place.check(_visible(obj), before, "")


def _visible(obj: Object) -> Object:
    """The object as rules see it: of the metadata only the name."""
    metadata = obj["metadata"]
    names = {name: metadata[name] for name in ("name", "generateName") if name in metadata}
    return obj | {"metadata": names}
