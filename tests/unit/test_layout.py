"""The layout that everything else relies on."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The repository."""

PACKAGE = ROOT / "operator" / "actor_operator"
"""The package."""

MOST_LINES = 400
"""Lines of a file, at most."""

MOST_LINES_OF_A_FUNCTION = 50
"""Lines of a function, at most."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def migrations() -> set[Path]:
    """They are lists of tables, as long as these."""
    return set((PACKAGE / "storage" / "migrations").rglob("*.py"))


def functions(module: Path) -> Iterator[tuple[str, int]]:
    """Every function of a module with its length in lines."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_the_folder_operator_is_no_package() -> None:
    """It would take the place of the standard library's module ``operator``."""
    assert list((ROOT / "operator").glob("*.py")) == []


def test_operator_is_the_standard_librarys_also_from_the_root_of_the_repository() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", "import operator, json; print(operator.__file__)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert Path(answer.stdout.strip()).parent == Path(ast.__file__).parent


def test_no_file_is_longer_than_400_lines() -> None:
    lengths = {m.name: len(m.read_text(encoding="utf-8").splitlines()) for m in modules()}

    assert len(lengths) > 30
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    written = [module for module in modules() if module not in migrations()]
    lengths = {(m.name, name): lines for m in written for name, lines in functions(m)}

    assert {f: lines for f, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}


def test_each_module_says_what_it_is() -> None:
    silent = [
        str(module.relative_to(PACKAGE))
        for module in modules()
        if ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) is None
    ]

    assert silent == []


def test_nothing_pure_reads_a_clock_or_speaks_to_anyone() -> None:
    """Layers ``desired`` and ``lifecycle``: no time, no chance, no IO; import-linter cannot say."""
    forbidden = {"time", "random", "secrets", "os", "socket", "asyncio", "logging", "structlog"}
    for module in (*PACKAGE.glob("desired/*.py"), *PACKAGE.glob("lifecycle/*.py")):
        tree = ast.parse(module.read_text(encoding="utf-8"))
        imported = {name.split(".")[0] for node in ast.walk(tree) for name in _imports(node)}
        calls = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}

        assert imported & forbidden == set(), module.name
        assert calls & {"now", "utcnow", "today"} == set(), module.name


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []


def test_the_layers_hold() -> None:
    """As written in ``pyproject.toml``."""
    linter = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 0, answer.stdout
