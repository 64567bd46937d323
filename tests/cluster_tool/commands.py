"""Run other programs: argv lists, output kept for the error message, nothing left behind."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster_tool.errors import CommandError

DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")
"""Prefix that makes the kernel kill a program when the thread that started it ends.

So a `kill -9` of the tool ends the programs that it waits for. (Not in the first milliseconds,
before setpriv has asked for it.)
"""

_TAIL_LINES = 30


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
    advice: str = "",
    must_finish: bool = False,
) -> str:
    """Run a program to its end and return what it wrote to stdout.

    Parameters
    ----------
    env
        Variables added to this process's own.
    stdin
        Text that the program reads.
    advice
        What the user can do when it fails; ends the error's message.
    must_finish
        Let neither a Ctrl-C nor the end of this process end the program.

    Raises
    ------
    CommandError
        The program is missing or ended with another code than 0.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words if must_finish else [*DIE_WITH_PARENT, *words],
            start_new_session=must_finish,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandError(f"`{error.filename}` is not on PATH. {advice}".strip()) from error
    if done.returncode != 0:
        raise CommandError(describe_failure(words, done.returncode, done.stderr, advice))
    return done.stdout


def describe_failure(argv: Sequence[str], code: int, output: str, advice: str) -> str:
    """Text of the error for a program that failed: command, code, end of its output, advice."""
    tail = "\n".join(f"    {line}" for line in output.strip().splitlines()[-_TAIL_LINES:])
    text = f"`{' '.join(argv)}` ended with code {code}:\n{tail or '    (no output)'}"
    return f"{text}\n{advice}" if advice else text
