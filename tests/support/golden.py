"""Golden files: whole expected values, readable in review, refreshed by one option.

``pytest --update-golden`` rewrites them; look at the difference before committing it. What varies
is written as ``<ANY>`` in the file by hand, and survives a rewrite.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ANY = "<ANY>"
"""In a golden file: any value may stand here."""


class GoldenError(AssertionError):
    """A value is not what its golden file says."""


@dataclass(frozen=True, slots=True)
class Golden:
    """Compares values with files of one folder."""

    folder: Path
    update: bool = False

    def check(self, name: str, actual: Any) -> None:
        """Compare plain data (as of JSON) with ``<name>.yaml``.

        Raises
        ------
        GoldenError
            With the path of the first difference and both values, or when there is no file.
        """
        path = self.folder / f"{name}.yaml"
        if not path.exists() and not self.update:
            raise GoldenError(f"{path} does not exist; make it with --update-golden")
        expected = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None
        if self.update:
            self._write(path, _keep_wildcards(expected, actual))
            return
        difference = first_difference(expected, actual)
        if difference:
            raise GoldenError(f"{path.name}: {difference}; if that is right: --update-golden")

    def _write(self, path: Path, value: Any) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(value, sort_keys=True, allow_unicode=True, width=100)
        path.write_text(text, encoding="utf-8", newline="\n")


def first_difference(expected: Any, actual: Any, path: str = "$") -> str | None:
    """Where two values differ first, in words; None when they do not."""
    if expected == ANY:
        return None
    if isinstance(expected, dict) and isinstance(actual, dict):
        return _first_of_mappings(expected, actual, path)
    if isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return f"{path} has {len(actual)} items, expected {len(expected)}"
        pairs = zip(expected, actual, strict=True)
        found = (first_difference(e, a, f"{path}[{i}]") for i, (e, a) in enumerate(pairs))
        return next(filter(None, found), None)
    if expected != actual or type(expected) is not type(actual):
        return f"{path} is {actual!r}, expected {expected!r}"
    return None


def _first_of_mappings(expected: dict[Any, Any], actual: dict[Any, Any], path: str) -> str | None:
    missing = sorted(expected.keys() - actual.keys())
    if missing:
        return f"{path}.{missing[0]} is missing"
    unexpected = sorted(actual.keys() - expected.keys())
    if unexpected:
        return f"{path}.{unexpected[0]} is there, and should not be"
    found = (first_difference(expected[k], actual[k], f"{path}.{k}") for k in sorted(expected))
    return next(filter(None, found), None)


def _keep_wildcards(old: Any, new: Any) -> Any:
    """The new value with the old one's wildcards, where their places still exist."""
    if old == ANY:
        return ANY
    if isinstance(old, dict) and isinstance(new, dict):
        return {key: _keep_wildcards(old.get(key), value) for key, value in new.items()}
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [_keep_wildcards(o, n) for o, n in zip(old, new, strict=True)]
    return new
