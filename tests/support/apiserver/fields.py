"""A field that breaks a rule: the unit of validation."""

from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
"""An object as its JSON says."""

CAUSES = {
    "Invalid value": "FieldValueInvalid",
    "Required value": "FieldValueRequired",
    "Unsupported value": "FieldValueNotSupported",
    "Forbidden": "FieldValueForbidden",
    "Duplicate value": "FieldValueDuplicate",
    "Too long": "FieldValueTooLong",
    "Too many": "FieldValueTooMany",
}
"""Machine reason of each kind of field error, as it stands in `details.causes`."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that breaks a rule."""

    field: str
    """Path such as `spec.builds[0].image`."""
    problem: str
    """A key of `CAUSES`."""
    detail: str = ""
    """The value and what is allowed: how the sentence goes on."""
    reason: str | None = None
    """Machine reason where a CEL rule names its own."""

    @property
    def text(self) -> str:
        """The sentence without the field."""
        return f"{self.problem}: {self.detail}" if self.detail else self.problem

    def cause(self) -> dict[str, str]:
        """The entry of `details.causes`."""
        reason = self.reason or CAUSES[self.problem]
        return {"reason": reason, "message": self.text, "field": self.field}


def at(obj: Object, path: str) -> Any:
    """The value at a dotted path, None where there is none."""
    value: Any = obj
    for part in path.strip(".").split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value
