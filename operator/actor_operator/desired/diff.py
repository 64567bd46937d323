"""What makes a stored object as it is wanted: a JSON merge patch (RFC 7386)."""

from typing import Any


def merge_patch(stored: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """The merge patch that makes one mapping of another; empty when they are equal.

    Lists are replaced whole, as the RFC has it; what is not wanted becomes null.
    """
    patch: dict[str, Any] = {name: None for name in stored if name not in wanted}
    for name, value in wanted.items():
        old = stored.get(name)
        if isinstance(value, dict) and isinstance(old, dict):
            if inner := merge_patch(old, value):
                patch[name] = inner
        elif old != value:
            patch[name] = value
    return patch


def differ_elsewhere(before: dict[str, Any], after: dict[str, Any], patch: dict[str, Any]) -> bool:
    """Whether two mappings differ in more than a merge patch changes."""
    for name in before.keys() | after.keys():
        old, new, change = before.get(name), after.get(name), patch.get(name)
        if name in patch and not isinstance(change, dict):
            continue
        if isinstance(change, dict) and isinstance(old, dict) and isinstance(new, dict):
            other = differ_elsewhere(old, new, change)
        else:
            other = old != new and name not in patch
        if other:
            return True
    return False


def missing_entries(stored: dict[str, str], wanted: dict[str, str]) -> dict[str, str]:
    """The entries that a mapping lacks, or has otherwise; what it has beside them may stay."""
    return {name: value for name, value in wanted.items() if stored.get(name) != value}
