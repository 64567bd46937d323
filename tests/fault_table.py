"""Put rows of the table of faults to the test: `python -m tests.fault_table [ROW …]`.

Without rows all of them. Ends with a line for each row that does not hold, and their number.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from tests.support.fault_table import NOT_INJECTED, Outcome, lines, rows

LEVELS = ("tests/cluster", "tests/node")
"""Folders with marked tests; one after the other, because each level fills the machine."""

PLUGIN = "tests.support.fault_outcomes"

WORKERS = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
"""As in `make cluster` and `make node`."""


def main(wanted: Sequence[str]) -> int:
    """Run the tests of rows; returns 1 when one of them fails, or a row that could hold does not.

    Raises
    ------
    SystemExit
        There is no such row.
    """
    unknown = set(wanted) - rows().keys()
    if unknown:
        sys.exit(f"No such rows: {', '.join(sorted(unknown))}. They are in docs/fault-table.md.")
    wanted = wanted or list(rows())
    with tempfile.TemporaryDirectory(prefix="actor-operator-faults-") as folder:
        file = Path(folder) / "outcomes.jsonl"
        file.touch()
        for level in LEVELS:
            subprocess.run(command([level], file, wanted), check=False)
        outcomes = read(file)
    for line in (told := lines(wanted, outcomes)):
        sys.stdout.write(f"{line}\n")
    possible = [row for row in wanted if row not in NOT_INJECTED]
    return int(len(told) - 1 > len(wanted) - len(possible))


def command(levels: Sequence[str], file: Path, wanted: Sequence[str], *options: str) -> list[str]:
    """The command that runs the tests of rows in folders and writes down how they went."""
    which = f"--fault-rows={','.join(wanted)}"
    pytest = [sys.executable, "-m", "pytest", *levels, "-p", PLUGIN, which]
    return [*pytest, f"--fault-outcomes={file}", *(options or WORKERS)]


def read(file: Path) -> list[Outcome]:
    """What the plugin has written."""
    return [msgspec.json.decode(line, type=Outcome) for line in file.read_bytes().splitlines()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
