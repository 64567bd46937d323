"""From the log of a container, as Kubernetes sends it, to the lines of a run's log.

The API server sends lines with the time at which the container runtime took them, its own or of
another zone, to the nanosecond; the kubelet joins the parts in which the runtime keeps long lines.
A stream may be cut anywhere and opened again since a whole second. It then begins with lines that
are known: how many of them is counted, because times alone do not order what a program writes to
its two outputs.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from actor_operator.services.log_text import GAP, SECRET_SYMBOLS, mask

LONG_LINE_BYTES = 65_536
"""A line that is longer is passed on in parts, so that one cannot fill the memory."""

LONGEST_SECRET = 4096
"""How far back the end of such a part looks for a place where no secret is cut in two."""

SECONDS = 2
"""Of how many seconds lines are counted: times of neighbours may be the wrong way round."""

STAMP = re.compile(
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d) (.*)", re.DOTALL
)
"""A line as Kubernetes sends it."""


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where the log of a container was taken."""

    last: str = ""
    """Time of the line that was begun last; empty: nothing was taken."""

    since: int = 0
    """A moment, in whole seconds since 1970, from which a stream goes on."""

    known: tuple[int, int] = (0, 0)
    """How many lines of that second, and of the seconds after it, were begun."""

    part: int = 0
    """Bytes that were taken of the last line, if that is not whole."""

    def since_time(self) -> str:
        """What to ask Kubernetes for; empty: everything."""
        if not self.last:
            return ""
        return datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def text(self) -> str:
        """As it is stored: at most 80 characters."""
        return f"{self.since} {self.known[0]} {self.known[1]} {self.part} {self.last}"

    @classmethod
    def read(cls, text: str | None) -> "Position":
        """What :meth:`text` has written."""
        if not text:
            return cls()
        since, before, after, part, last = text.split(" ")
        return cls(last, int(since), (int(before), int(after)), int(part))


class LineReader:
    """Reads the log of one container, over any number of streams.

    Parameters
    ----------
    position
        Up to where it was taken before.
    moment
        Stands on lines without a time, which the kubelet writes about its own troubles, until
        there is a line with one.
    """

    def __init__(self, position: Position, moment: datetime) -> None:
        self._taken = position
        self._fallback = moment
        self._rest = b""
        self._inside = False  # of a line of which a part was passed on, or is being left out
        self._leaving_out = False
        self._skip_bytes = 0
        self._skip_lines = 0
        self._early: list[tuple[str, bytes]] = []

    @property
    def position(self) -> Position:
        """Up to where the log was taken: a new stream begins there."""
        return self._taken

    @property
    def moment(self) -> datetime:
        """When the last line was written."""
        last = self._taken.last
        return datetime.fromisoformat(f"{last[:26]}+00:00") if last else self._fallback

    def begin(self) -> None:
        """A stream is opened from the position; what was read of a line before is forgotten."""
        self._rest, self._inside, self._leaving_out, self._skip_bytes = b"", False, False, 0
        self._skip_lines = sum(self._taken.known)
        self._early = []

    def feed(self, chunk: bytes) -> str:
        """The new text that a chunk of the stream brings, which may end anywhere."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        text = "".join([self._line(found, whole=True) for found in lines])
        if len(self._rest) > LONG_LINE_BYTES:
            cut = safe_cut(self._rest)
            part, self._rest = self._rest[:cut], self._rest[cut:]
            text += self._line(part, whole=False)
        return text

    def end(self) -> str:
        """The rest, when the container has ended and the stream was read to its end."""
        rest, self._rest = self._rest, b""
        text = self._line(rest, whole=True) if rest or self._inside else ""
        return text + self._gap() if self._skip_lines else text

    def _line(self, data: bytes, *, whole: bool) -> str:
        """Text of a line, or of the next part of one."""
        if self._inside:
            self._inside = not whole
            return "" if self._leaving_out else self._continue(data, whole=whole)
        self._inside, self._leaving_out = not whole, False
        time, body = split_stamp(data)
        if not time:
            return self._unstamped(data, whole=whole)
        if self._skip_lines:
            return self._known(time, body, whole=whole)
        return self._start(time, body, whole=whole)

    def _start(self, time: str, body: bytes, *, whole: bool) -> str:
        """A line that is new."""
        since, known = _counted(self._taken, _epoch(time))
        self._taken = Position(time, since, known, 0 if whole else len(body))
        return f"{time[:23]}Z {_decoded(body)}{chr(10) if whole else ''}"

    def _continue(self, data: bytes, *, whole: bool) -> str:
        """The next part of a line whose beginning was passed on, perhaps in an earlier stream."""
        skipped = min(self._skip_bytes, len(data))
        self._skip_bytes -= skipped
        self._count_part(len(data) - skipped, whole=whole)
        return _decoded(data[skipped:]) + ("\n" if whole else "")

    def _count_part(self, size: int, *, whole: bool) -> None:
        taken = self._taken
        part = 0 if whole else taken.part + size
        self._taken = Position(taken.last, taken.since, taken.known, part)

    def _known(self, time: str, body: bytes, *, whole: bool) -> str:
        """A line that should be known: it is left out."""
        taken = self._taken
        self._skip_lines -= 1
        if self._skip_lines == 0 and time == taken.last:
            self._early = []
            self._skip_bytes, self._leaving_out = taken.part, not taken.part
            return self._continue(body, whole=whole) if taken.part else ""
        self._leaving_out = True
        if time > taken.last:
            # Written before the last one in spite of its time, or the stream has lost lines.
            self._early.append((time, body))
        lost = self._skip_lines == 0 or _epoch(time) >= taken.since + SECONDS
        return self._gap() if lost else ""

    def _gap(self) -> str:
        """Say that lines are missing; those that were taken for known ones are new after all."""
        self._skip_lines = 0
        new, self._early = self._early, []
        ending = "\n" if self._taken.part else ""
        self._count_part(0, whole=True)
        stamp = f"{(new[0][0] if new else self._taken.last)[:23]}Z"
        lines = [self._start(time, body, whole=True) for time, body in new]
        return f"{ending}{stamp} {GAP}\n{''.join(lines)}"

    def _unstamped(self, data: bytes, *, whole: bool) -> str:
        stamp = self.moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._leaving_out = True  # of what is that long only the beginning is told
        return f"{stamp} {_decoded(data)}\n" if data or not whole else ""


def split_stamp(data: bytes) -> tuple[str, bytes]:
    """Split a line into its time in UTC, of one length so that times compare, and the rest.

    The time is empty when there is none.
    """
    match = STAMP.fullmatch(data)
    if match is None:
        return "", data
    seconds, fraction, zone, body = match.groups()
    text = seconds.decode()
    if zone != b"Z":
        try:
            text = _in_utc(text, zone.decode())
        except (ValueError, OverflowError):
            return "", data
    return f"{text}.{(fraction or b'').decode():0<9}Z", body


def safe_cut(data: bytes) -> int:
    """Where to cut a long line: not within a secret, nor within a character.

    A run of symbols of secrets that is longer than any secret may be cut anywhere.
    """
    earliest = max(1, len(data) - LONGEST_SECRET)
    for end in range(len(data), earliest, -1):
        if data[end - 1] not in SECRET_SYMBOLS:
            return _before_character(data, end)
    return len(data)


def _before_character(data: bytes, end: int) -> int:
    """The end, or before the character of several bytes that stands there and may go on."""
    begin = end - 1
    while begin > max(0, end - 4) and data[begin] & 0xC0 == 0x80:
        begin -= 1
    return begin if data[begin] >= 0xC0 and begin > 0 else end


def _counted(taken: Position, second: int) -> tuple[int, tuple[int, int]]:
    """From when on lines are counted and how many there are, after one more of that second."""
    newest = taken.since + SECONDS - 1
    before, after = taken.known
    match second - newest:
        case _ if not taken.last:
            return second - 1, (0, 1)
        case 0:
            return taken.since, (before, after + 1)
        case -1:
            return taken.since, (before + 1, after)
        case 1:
            return taken.since + 1, (after, 1)
        case _:
            # Later, or the clock was set back: lines come twice then, but none is lost.
            return second - 1, (0, 1)


_EPOCHS: dict[str, int] = {}


def _epoch(time: str) -> int:
    text = time[:19]
    if text not in _EPOCHS:
        _EPOCHS.clear()  # the next lines are of the same second, hardly ever of an earlier one
        _EPOCHS[text] = int(datetime.fromisoformat(f"{text}+00:00").timestamp())
    return _EPOCHS[text]


def _in_utc(seconds: str, zone: str) -> str:
    return datetime.fromisoformat(seconds + zone).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _decoded(data: bytes) -> str:
    return mask(data.decode(errors="replace"))
