"""The table of faults: every row of its page has a test, and what is told of their outcomes."""

import subprocess
from pathlib import Path

import pytest
from tests.fault_table import LEVELS, command, read
from tests.support import fault_table
from tests.support.fault_table import NOT_INJECTED, PAGE, Outcome, lines, rows


def test_the_page_has_every_row_once() -> None:
    wanted = [f"A{n}" for n in range(1, 20)]
    wanted += [f"B{n}" for n in range(1, 31)]
    wanted += [f"C{n}" for n in range(1, 13)]

    found = [row for row, _, _ in fault_table.ROW.findall(PAGE.read_text(encoding="utf-8"))]

    assert found == wanted


def test_every_row_has_a_test_and_no_test_names_another(tmp_path: Path) -> None:
    file = tmp_path / "collected.jsonl"
    collecting = command(LEVELS, file, (), "--collect-only", "-q")
    done = subprocess.run(collecting, cwd=PAGE.parents[1], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode()

    named = {row for outcome in read(file) for row in outcome.rows}

    assert named | NOT_INJECTED.keys() == rows().keys()
    assert not named & NOT_INJECTED.keys()


def outcome(outcome: str, *rows: str, why: str = "") -> Outcome:
    """A test of rows went so."""
    return Outcome(f"test-of-{'-'.join(rows)}", rows, outcome, why)


def test_a_row_holds_when_all_its_tests_have_passed() -> None:
    found = [outcome("passed", "B1", "B2"), outcome("passed", "B1")]

    assert lines(["B1", "B2"], found) == ["fault table: 2 of 2 rows hold"]


@pytest.mark.parametrize("bad", ["failed", "skipped"])
def test_a_row_with_a_test_that_has_not_passed_is_named_with_its_reason(bad: str) -> None:
    found = [outcome("passed", "B1", "B2"), outcome(bad, "B1", why="no node")]

    row, count = lines(["B1", "B2"], found)

    assert row.startswith("B1 The container exits")
    assert row.endswith(f"test-of-B1 {bad} (no node)")
    assert count == "fault table: 1 of 2 rows hold"


def test_a_row_without_a_test_does_not_hold() -> None:
    row, count = lines(["B1"], [outcome("passed", "B2")])

    assert row.endswith("No test of it ran.")
    assert count == "fault table: 0 of 1 rows hold"


def test_a_row_whose_fault_cannot_be_made_here_does_not_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fault_table, "NOT_INJECTED", {"B1": "there is one machine."})

    row, count = lines(["B1"], [])

    assert row.endswith("Not made here: there is one machine.")
    assert count == "fault table: 0 of 1 rows hold"
