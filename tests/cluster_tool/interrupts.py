"""SIGTERM ends the tool like Ctrl-C does; a teardown is not interrupted by either."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived."""


def install() -> None:
    """Turn SIGTERM and SIGHUP into an exception, so that clean-up code runs."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise Terminated(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, stop)


@contextlib.contextmanager
def masked() -> Iterator[None]:
    """Put signals off until the end of the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
