"""A program that runs as a child of this process and never outlives it."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.cluster_tool.commands import DIE_WITH_PARENT
from tests.cluster_tool.errors import ClusterToolError

_TERMINATE_SECONDS = 70
"""Longer than the API server's grace for open requests (60 s)."""

_TAIL_BYTES = 3000


class Child:
    """One running program; what it writes is appended to its log file."""

    def __init__(self, name: str, argv: Sequence[str], log: Path) -> None:
        self._name = name
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*DIE_WITH_PARENT, *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A Ctrl-C in the terminal is for the test run, which then stops us in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def check(self) -> bool:
        """True while it runs.

        Raises
        ------
        ClusterToolError
            It has ended; the message holds the end of its log.
        """
        code = self._process.poll()
        if code is not None:
            raise ClusterToolError(f"{self._name} ended with code {code}. {self.log_tail()}")
        return True

    def terminate(self) -> None:
        """Ask it to end (SIGTERM) and wait; kill it if it takes too long."""
        self._process.terminate()
        try:
            self._process.wait(_TERMINATE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def wait(self) -> int:
        """Wait for its end and return its exit code."""
        return self._process.wait()

    def kill(self) -> None:
        """End it at once (SIGKILL) and wait."""
        self._process.kill()
        self._process.wait()

    def log_tail(self) -> str:
        """End of its log, for error messages."""
        return log_tail(self._log)


def log_tail(log: Path) -> str:
    """End of a log file, for error messages."""
    text = log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace") if log.is_file() else ""
    return f"The end of {log}:\n{text or '(empty)'}"
