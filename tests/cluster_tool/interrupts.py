"""SIGTERM ends the tool like Ctrl-C does; a teardown is not interrupted by either."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived."""

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(self.signal.name)


@contextlib.contextmanager
def as_exit_codes() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP into an exception, so that clean-up code runs, and end with the
    exit code that shells give to a program that a signal ended.
    """

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Terminated(number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)
    try:
        yield
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)
    except Terminated as error:
        print(f"Ended by {error.signal.name}.", file=sys.stderr)
        sys.exit(128 + error.signal)


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Put signals off until the end of the block."""
    arrived: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)

    before = {number: signal.signal(number, remember) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if arrived:
            signal.raise_signal(arrived[0])
