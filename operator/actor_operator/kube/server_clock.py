"""The API server's time, from the ``Date`` of its answers.

Deadlines are compared with moments that others have written. An operator whose own clock is wrong
would tell TIMING-OUT too early or too late; it goes by the API server's clock instead, as soon as
that differs by more than the accuracy of the header.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from actor_operator.clock import Clock, SystemClock
from actor_operator.log import logger

log = logger(__name__)

TOLERANCE = timedelta(seconds=2)
"""A difference up to this is none: the header has whole seconds, and answers take their time."""

HALF_A_SECOND = timedelta(seconds=0.5)
"""What the header lacks on average."""

AGREEING = 3
"""So many answers in a row must agree: one that was read late looks like a clock that is behind."""


class ServerClock:
    """A clock that follows the API server's.

    Parameters
    ----------
    own
        The machine's clock.
    tell
        Told of the difference in seconds whenever it changes.
    """

    def __init__(
        self, own: Clock | None = None, tell: Callable[[float], None] = lambda _: None
    ) -> None:
        self._own = own or SystemClock()
        self._tell = tell
        self._offset = timedelta(0)
        self._others: list[timedelta] = []
        self._heard = ("", datetime.min.replace(tzinfo=UTC))

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return self._own.now() + self._offset

    def hear(self, date: str) -> None:
        """Take in the ``Date`` header of an answer; what is no date says nothing.

        It is empty where there was no answer.
        """
        if not date:
            return
        if date != self._heard[0]:  # answers of the same second say the same
            try:
                self._heard = (date, parsedate_to_datetime(date).astimezone(UTC))
            except (ValueError, OverflowError):
                return
        moment = self._heard[1]
        offset = moment + HALF_A_SECOND - self._own.now()
        if abs(offset - self._offset) <= TOLERANCE:
            self._others.clear()
            return
        if self._others and abs(offset - self._others[-1]) > TOLERANCE:
            self._others.clear()
        self._others.append(offset)
        if len(self._others) >= AGREEING:
            self._move(max(self._others))

    def _move(self, offset: timedelta) -> None:
        self._offset = timedelta(0) if abs(offset) <= TOLERANCE else offset
        self._others.clear()
        self._tell(self._offset.total_seconds())
        log.warning(
            "The clocks of the API server and of this machine differ; the server's is used.",
            seconds=round(self._offset.total_seconds(), 1),
        )
