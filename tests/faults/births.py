"""Processes of the operator, made by a nursery, that can be killed at any moment."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from tests.cluster_tool.commands import DIE_WITH_PARENT
from tests.faults.nursery import Birth, News

BIRTH_SECONDS = 60.0
"""How long a nursery may take for one process, its own start included."""


@dataclass(eq=False)
class Born:
    """One process of the operator."""

    pid: int
    code: int | None = None
    """Its exit code, negative for a signal; None: it has not ended."""

    over: threading.Event = field(default_factory=threading.Event)
    """Set at its end."""

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; nothing happens when it has ended."""
        if not self.over.is_set():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self.send(signal.SIGKILL)
        self.over.wait(BIRTH_SECONDS)


class Nursery:
    """Starts processes of the operator; as a context manager ends all of them with itself.

    Parameters
    ----------
    log
        Where the nursery itself writes.
    """

    def __init__(self, log: Path) -> None:
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [*DIE_WITH_PARENT, sys.executable, "-m", "tests.faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
        )
        self._news = threading.Condition()
        self._born: list[Born] = []
        self._alive: dict[int, Born] = {}
        self._one = threading.Lock()
        self._listener = threading.Thread(target=self._listen, name="nursery")
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Its processes end with it: the kernel kills them.
        self._process.kill()
        self._process.wait()
        self._listener.join(timeout=10)
        for pipe in (self._process.stdin, self._process.stdout, self._log):
            if pipe is not None:
                pipe.close()

    def start(self, birth: Birth) -> Born:
        """Start a process.

        Raises
        ------
        TimeoutError
            The nursery does not answer.
        """
        with self._one, self._news:
            assert self._process.stdin is not None
            self._process.stdin.write(msgspec.json.encode(birth) + b"\n")
            self._process.stdin.flush()
            if not self._news.wait_for(lambda: self._born, timeout=BIRTH_SECONDS):
                raise TimeoutError("no process was born")
            return self._born.pop()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            news = msgspec.json.decode(line, type=News)
            with self._news:
                if news.born:
                    self._alive[news.born] = born = Born(news.born)
                    self._born.append(born)
                elif (ended := self._alive.pop(news.ended, None)) is not None:
                    ended.code = news.code
                    ended.over.set()
                self._news.notify_all()
        for born in self._alive.values():
            born.over.set()
