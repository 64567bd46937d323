"""pytest plugin: writes down how the tests went that are marked with rows of the table of faults.

With `-p tests.support.fault_outcomes --fault-outcomes=FILE` each such test becomes a line of JSON,
also from the workers of pytest-xdist; with `--collect-only` its outcome is empty.
"""

from pathlib import Path

import msgspec
import pytest
from tests.support.fault_table import MARKER, PASSED, Outcome

PROPERTY = "fault-row"
"""Name under which a report carries a row, from a worker too."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add where to write, and which rows to look at."""
    parser.addoption("--fault-outcomes", type=Path, help="append a line of JSON for each test")
    parser.addoption("--fault-rows", default="", help="only these rows, with commas between")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave only the tests of the wanted rows, and let their reports say which rows these are."""
    wanted = set(filter(None, config.getoption("--fault-rows").split(",")))
    left: list[pytest.Item] = []
    out: list[pytest.Item] = []
    for item in items:
        rows = rows_of(item)
        mine = bool(set(rows) & wanted) if wanted else bool(rows)
        (left if mine else out).append(item)
        item.user_properties += [(PROPERTY, row) for row in rows]
    items[:] = left
    config.hook.pytest_deselected(items=out)


def pytest_configure(config: pytest.Config) -> None:
    """Write where reports of all workers arrive."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Writer(config))


class _Writer:
    def __init__(self, config: pytest.Config) -> None:
        self._file: Path = config.getoption("--fault-outcomes")
        self._collects = config.getoption("--collect-only")

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Of tests that are only collected: which rows they have."""
        for item in session.items if self._collects else ():
            self._write(Outcome(item.nodeid, rows_of(item), ""))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has passed when its call has; before and after it only failures count."""
        rows = tuple(str(row) for name, row in report.user_properties if name == PROPERTY)
        if rows and (report.when == "call" or report.outcome != PASSED):
            self._write(Outcome(report.nodeid, rows, report.outcome, _why(report)))

    def _write(self, outcome: Outcome) -> None:
        with self._file.open("ab") as file:
            file.write(msgspec.json.encode(outcome) + b"\n")


def rows_of(item: pytest.Item) -> tuple[str, ...]:
    """The rows that a test is marked with."""
    return tuple(row for marker in item.iter_markers(MARKER) for row in marker.args)


def _why(report: pytest.TestReport) -> str:
    if report.outcome == PASSED:
        return ""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    said = [line for line in report.longreprtext.splitlines() if line.startswith("E ")]
    return said[0].removeprefix("E").strip() if said else ""
