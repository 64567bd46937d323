"""Every dependency is pinned to a version and to the hashes of its files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

LOCKED = sorted(
    file
    for folder in ("requirements", "manifests/samples/actors")
    for file in (ROOT / folder).rglob("*.txt")
)

PINNED = re.compile(
    r"[A-Za-z0-9][-A-Za-z0-9._]*(\[[a-z0-9,-]+\])?==[^\s;]+( ; [^\\]+)?"
    r"( --hash=sha256:[0-9a-f]{64})+"
)
"""A whole requirement: name, version, perhaps a condition, and hashes."""


def requirements(text: str) -> list[str]:
    """The requirements of a file, each in one line."""
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    return [line for line in joined.splitlines() if line and not line.lstrip().startswith("#")]


def test_there_are_locked_files() -> None:
    assert {"runtime.txt", "dev.txt", "uv.txt", "checks.txt"} <= {file.name for file in LOCKED}


@pytest.mark.parametrize("file", LOCKED, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_requirement_has_a_version_and_hashes(file: Path) -> None:
    found = requirements(file.read_text())

    assert found
    assert [line for line in found if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize(
    "wanted", sorted((ROOT / "requirements").glob("*.in")), ids=lambda f: f.name
)
def test_every_wish_is_locked(wanted: Path) -> None:
    locked = requirements(wanted.with_suffix(".txt").read_text())

    for line in requirements(wanted.read_text()):
        name = re.split(r"[=<>\[\s]", line)[0]
        assert any(re.match(rf"{name}[\[=]", other) for other in locked), name


def test_a_requirement_without_a_hash_is_found() -> None:
    assert not PINNED.fullmatch("click==8.2.1")
    assert not PINNED.fullmatch(f"click>=8.2.1 --hash=sha256:{'0' * 64}")
    assert PINNED.fullmatch(f"click==8.2.1 --hash=sha256:{'0' * 64}")
