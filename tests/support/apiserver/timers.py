"""Things to be done later, on the event loop, until the server closes."""

import asyncio
from collections.abc import Callable


class Timers:
    """Delayed calls that end with their owner."""

    def __init__(self) -> None:
        self._handles: set[asyncio.TimerHandle] = set()
        self._closed = False

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        """Call once, after so many seconds."""
        if self._closed:
            return

        def run() -> None:
            self._handles.discard(handle)
            call()

        handle = asyncio.get_running_loop().call_later(seconds, run)
        self._handles.add(handle)

    def close(self) -> None:
        """Call nothing any more."""
        self._closed = True
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()
