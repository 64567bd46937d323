"""What commands print: tables, JSON, YAML, names. Plain text where nobody looks at a terminal."""

import json
import sys
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import click

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.cli.format import printable

if TYPE_CHECKING:
    from rich.console import Console

UNLIMITED = 10_000
"""Columns of a console that never cuts: a cell that is cut cannot be copied."""

PHASE_STYLES = {
    Phase.READY: "yellow",
    Phase.RUNNING: "cyan",
    Phase.TIMING_OUT: "yellow",
    Phase.ABORTING: "yellow",
    Phase.SUCCEEDED: "green",
    Phase.FAILED: "red",
    Phase.TIMED_OUT: "red",
    Phase.ABORTED: "magenta",
}
"""Colour of each phase on a terminal."""


@cache
def _styles() -> dict[str, str]:
    return {str(phase): style for phase, style in PHASE_STYLES.items()}


def console(*, err: bool = False, width: int | None = None) -> "Console":
    """Standard output or standard error; rich looks at ``NO_COLOR`` and ``TERM`` itself.

    Parameters
    ----------
    err
        Standard error.
    width
        Columns, instead of the terminal's.
    """
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


class Table:
    """A table that may grow: further rows keep the widths of the first ones.

    Parameters
    ----------
    columns
        Headings.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._widths = [len(name) for name in columns]
        self._begun = False
        self._console = console(width=UNLIMITED)

    def print(self, rows: Sequence[Sequence[str]]) -> None:
        """Print rows, the first time below the headings."""
        from rich.table import Table as RichTable
        from rich.text import Text

        cut = [self._fit(row) for row in rows]
        self._widths = [
            max(width, *map(len, cells))
            for width, cells in zip(self._widths, zip(*cut, strict=True), strict=True)
        ]
        table = RichTable(
            box=None, pad_edge=False, show_header=not self._begun, header_style="bold"
        )
        for name, width in zip(self._columns, self._widths, strict=True):
            table.add_column(name, min_width=width, no_wrap=True)
        for row in cut:
            table.add_row(*(Text(cell, style=_styles().get(cell, "")) for cell in row))
        self._begun = True
        self._write(table)

    def _fit(self, row: Sequence[str]) -> tuple[str, ...]:
        """As many cells as there are columns."""
        missing = len(self._columns) - len(row)
        return (*map(printable, row[: len(self._columns)]), *[""] * missing)

    def _write(self, table: Any) -> None:
        with self._console.capture() as captured:
            self._console.print(table)
        for line in captured.get().splitlines():
            click.echo(line.rstrip())


def print_objects(objects: Sequence[dict[str, Any]], form: str, *, alone: bool) -> None:
    """Print API objects.

    Parameters
    ----------
    objects
        As the API server sent them.
    form
        ``json``, ``yaml`` or ``name``.
    alone
        One object as itself; else a ``List``.
    """
    if form == "name":
        for item in objects:
            click.echo(f"{item['kind'].lower()}.{_group(item)}/{item['metadata']['name']}")
        return
    several = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    print_data(objects[0] if alone else several, form)


def print_data(data: dict[str, Any] | list[dict[str, Any]], form: str) -> None:
    """Print a mapping, or several, as ``json`` or ``yaml``."""
    if form == "json":
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    import yaml

    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=False)
    click.echo(text, nl=False)


def write_log(data: bytes) -> None:
    """Write bytes to standard output at once, just as the actor wrote them."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _group(item: dict[str, Any]) -> str:
    return str(item["apiVersion"]).partition("/")[0]
