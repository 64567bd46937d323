"""What followers have read of logs but not stored yet, for readers in the same process."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

Key = tuple[int, str]
"""Account and id of a run."""


class Tail:
    """The end of the log of an attempt, which is not stored yet.

    Parameters
    ----------
    attempt
        Of the run.
    first
        How many characters are stored.
    """

    def __init__(self, attempt: int, first: int) -> None:
        self.attempt = attempt
        self._first = first
        self._text = ""

    @property
    def end(self) -> int:
        """How long the log is, with this."""
        return self._first + len(self._text)

    def add(self, text: str) -> None:
        """Append text."""
        self._text += text

    def drop(self, characters: int) -> None:
        """Forget text from the front: it is stored."""
        self._first += characters
        self._text = self._text[characters:]

    def after(self, offset: int) -> str | None:
        """The text after so many characters of the log; None: some of that is stored already."""
        return self._text[offset - self._first :] if offset >= self._first else None


class Tails:
    """The tails of all runs that are followed here, and who waits for more of them."""

    def __init__(self) -> None:
        self._tails: dict[Key, Tail] = {}
        self._waiting: dict[Key, set[asyncio.Event]] = {}

    @contextmanager
    def opened(self, key: Key, tail: Tail) -> Iterator[Tail]:
        """Show a tail to readers for the length of a ``with`` block."""
        self._tails[key] = tail
        try:
            yield tail
        finally:
            if self._tails.get(key) is tail:
                del self._tails[key]
            self.wake(key)

    def after(self, key: Key, attempt: int, offset: int) -> str | None:
        """Text of an attempt's log after so many characters; None: only the store knows."""
        tail = self._tails.get(key)
        return tail.after(offset) if tail is not None and tail.attempt == attempt else None

    def wake(self, key: Key) -> None:
        """Tell those who wait that there is more."""
        for event in self._waiting.get(key, ()):
            event.set()

    def wake_all(self) -> None:
        """Let everybody look again."""
        for key in list(self._waiting):
            self.wake(key)

    async def wait(self, key: Key, seconds: float) -> None:
        """Wait until there is more, at most for so long: another replica may be the follower."""
        event = asyncio.Event()
        events = self._waiting.setdefault(key, set())
        events.add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            events.discard(event)
            if not events and self._waiting.get(key) is events:
                del self._waiting[key]
