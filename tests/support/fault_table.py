"""The table of faults, docs/fault-table.md: its rows, and which of them hold by what tests say."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/fault-table.md"
"""The page that users read; it is where the rows are."""

MARKER = "fault"
"""Marker of a test that proves rows: `@pytest.mark.fault("A8", "A9")`."""

ROW = re.compile(r"^\| ([ABC]\d+) \| (.+) \| (.+) \|$", re.MULTILINE)
"""A row in the page: its id, what happens, what is seen."""

NOT_INJECTED: Mapping[str, str] = {}
"""Rows whose fault cannot be made here, and why; they count as rows that do not hold."""

PASSED = "passed"
"""Outcome of a test that proves its rows."""


@dataclass(frozen=True)
class Outcome:
    """How a marked test went."""

    test: str
    rows: tuple[str, ...]
    outcome: str
    """`passed`, `failed` or `skipped`."""

    why: str = ""
    """Why it was skipped, or the last line of its failure."""


def rows() -> dict[str, str]:
    """What happens in each row of the page, by the row's id."""
    return {row: what for row, what, _ in ROW.findall(PAGE.read_text(encoding="utf-8"))}


def lines(wanted: Iterable[str], outcomes: Iterable[Outcome]) -> list[str]:
    """One line for each row that does not hold, then how many do.

    Parameters
    ----------
    wanted
        The rows that were put to the test.
    outcomes
        Of the tests that ran. A row holds if it has a test, and all its tests have passed.
    """
    table, found = rows(), list(outcomes)
    told = []
    for row in wanted:
        mine = [outcome for outcome in found if row in outcome.rows]
        bad = [outcome for outcome in mine if outcome.outcome != PASSED]
        if row in NOT_INJECTED:
            told.append(f"{row} {table[row]} Not made here: {NOT_INJECTED[row]}")
        elif not mine:
            told.append(f"{row} {table[row]} No test of it ran.")
        elif bad:
            told.append(f"{row} {table[row]} {'; '.join(map(_say, bad))}")
    count = len(list(wanted))
    return [*told, f"fault table: {count - len(told)} of {count} rows hold"]


def _say(outcome: Outcome) -> str:
    why = f" ({outcome.why})" if outcome.why else ""
    return f"{outcome.test} {outcome.outcome}{why}"
