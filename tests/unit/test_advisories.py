"""Each named test of an advisory exists, and would run."""

import ast
from functools import cache
from pathlib import Path

import pytest
from tests.support.advisories import MISSING, NOT_HERE, TESTS

ROOT = Path(__file__).resolve().parents[2]


@cache
def names(file: Path) -> set[str]:
    """Functions at the top of a file."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.parse(file.read_text()).body if isinstance(node, functions)}


@pytest.mark.parametrize("test", sorted({test for tests in TESTS.values() for test in tests}))
def test_a_named_test_exists(test: str) -> None:
    file, _, name = test.partition("::")

    assert name.startswith("test_")
    assert name in names(ROOT / file)


def test_every_class_is_said_once() -> None:
    said = [*TESTS, *NOT_HERE, *MISSING]

    assert len(said) == len(set(said)) == 28
