"""Check a recording again, or tell what it holds of one object.

python -m tests.support.recheck FILE [--namespace NAMESPACE] [--name NAME]
"""

import json
import sys
import time
from pathlib import Path

import click
from tests.support.history import RUN, History, Revision, status_of
from tests.support.invariants import violations

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--namespace", help="Only this one; without it, all of them.")
@click.option("--name", help="Tell the revisions of objects whose name begins so, too.")
def recheck(file: Path, namespace: str | None, name: str | None) -> None:
    """Check the invariants on a recorded FILE; ends with code 1 when one is broken."""
    whole = History.read(file)
    found = []
    for each in [namespace] if namespace else whole.namespaces():
        history = whole.of(each)
        if name:
            for revision in history.revisions:
                if revision.name.startswith(name):
                    click.echo(line(revision))
        found += [f"{each}: {text}" for text in violations(history)]
    for text in found:
        click.echo(text)
    click.echo(f"{len(whole)} revisions, {len(found)} violations")
    sys.exit(bool(found))


def line(revision: Revision) -> str:
    """One revision in a line."""
    clock = time.strftime("%H:%M:%S", time.localtime(revision.at))
    words = f"{revision.number:>8} {clock} {revision.change:<8} {revision.kind} {revision.name}"
    if revision.kind == RUN and revision.object["spec"]:
        asked = {k: v for k, v in revision.object["spec"].items() if k in {"abort", "resurrect"}}
        words += f" {json.dumps(asked)}" if asked else ""
    status = status_of(revision.object)
    return f"{words} {json.dumps(status)}" if status else words


if __name__ == "__main__":
    recheck()
