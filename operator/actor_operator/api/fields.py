"""Annotations of fields that tell the CRD what Python types cannot."""

import re
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

RULES_KEY = "x-kubernetes-validations"
"""Where a structural schema holds its CEL rules."""

NO_DEFAULT_KEY = "x-no-default"
"""Marks a field whose default the API server does not write into objects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CelRule:
    """A rule that the API server evaluates, in the Common Expression Language.

    As an annotation of a field it is a rule on that field.
    """

    rule: str
    """The expression; ``self`` is the value, ``oldSelf`` the value before an update."""
    message: str
    """What the user reads when it is false: a sentence that says what is allowed."""
    field_path: str | None = None
    """Where the fault is, below the value that the rule is on."""
    forbidden: bool = False
    """Whether the answer says ``Forbidden`` (no value would do) instead of ``Invalid value``."""
    on_create: bool = False
    """Whether a rule with ``oldSelf`` holds at creation too; ``oldSelf`` is then an optional."""

    def as_schema(self) -> dict[str, Any]:
        """The rule as an item of ``x-kubernetes-validations``."""
        return {
            "rule": self.rule,
            "message": self.message,
            **({"fieldPath": self.field_path} if self.field_path else {}),
            **({"reason": "FieldValueForbidden"} if self.forbidden else {}),
            **({"optionalOldSelf": True} if self.on_create else {}),
        }

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the rule to the field's schema."""
        schema = handler(core)
        schema.setdefault(RULES_KEY, []).append(self.as_schema())
        return schema


def unchanged(*names: str) -> str:
    """CEL for: these fields are as they were, also in whether they are there.

    Written out because the API server cannot bound the cost of comparing optional values.
    """
    return " && ".join(
        f"has(self.{name}) == has(oldSelf.{name})"
        f" && (!has(self.{name}) || self.{name} == oldSelf.{name})"
        for name in names
    )


def stays(*names: str) -> str:
    """CEL for: these fields, once they are there, are as they were."""
    return " && ".join(
        f"(!has(oldSelf.{name}) || (has(self.{name}) && self.{name} == oldSelf.{name}))"
        for name in names
    )


@dataclass(frozen=True, slots=True)
class Matches:
    """A pattern with a sentence for people.

    A schema's own ``pattern`` would show the regular expression to the user, so this is a CEL
    rule for the API server and a validator for us.
    """

    pattern: str
    """Regular expression that the whole text must match; RE2's syntax, no backslashes or quotes."""
    message: str
    """Says what is allowed."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check the text in Python too."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the rule to the field's schema."""
        rule = CelRule(rule=f"self.matches('^{self.pattern}$')", message=self.message)
        return rule.__get_pydantic_json_schema__(core, handler)

    def _check(self, text: str) -> str:
        if re.fullmatch(self.pattern, text) is None:
            raise ValueError(self.message)
        return text


@dataclass(frozen=True, slots=True)
class Marker:
    """Keywords that are added to a field's schema as they are."""

    keywords: tuple[tuple[str, Any], ...]
    """Names and values."""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the keywords to the field's schema."""
        return handler(core) | dict(self.keywords)


NO_DEFAULT = Marker(((NO_DEFAULT_KEY, True),))
"""Marks a field that is left out of objects while it has its default."""

ATOMIC_LIST = Marker((("x-kubernetes-list-type", "atomic"),))
"""A list that is replaced as a whole by server-side apply."""

SET = Marker((("x-kubernetes-list-type", "set"),))
"""A list without duplicates; each of its items may have another owner."""


def list_map(key: str) -> Marker:
    """Mark a list of objects that server-side apply merges by a key, which must be required."""
    return Marker((("x-kubernetes-list-type", "map"), ("x-kubernetes-list-map-keys", [key])))
