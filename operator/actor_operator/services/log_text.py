"""What stands in a log beside the actor's own words, and what is kept out of it."""

import re
from datetime import datetime

MAX_CHARACTERS = 10_485_760
"""Longest log of an attempt (Apify); a mark follows, and the rest is left out."""

MARK = "ACTOR: The log has reached its limit of 10485760 characters; the rest is left out."

GAP = "ACTOR: A part of the log is missing here: it was gone before it could be read."

PULLING = "ACTOR: Pulling the image of {build}."
CREATING = "ACTOR: Creating the container."
STARTING = "ACTOR: Starting the container."

SECRETS = re.compile(
    r"(apify_(?:run|api)_)[A-Za-z0-9_.-]+"  # tokens
    r"|(/events/[0-9a-f-]{36}\.[0-9]+\.)[A-Za-z0-9_-]+"  # sockets of runs
)
"""Secrets that we give to actors."""

SECRET_SYMBOLS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./")
"""Of what those consist: between two other symbols there is a whole one or none."""

MASK = "***"

STAMP_SYMBOLS = frozenset("0123456789-:.TZ ")
"""Of what stamps consist."""

ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # colours and movements (CSI)
    r"|\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles and links (OSC)
    r"|[ -/]*[0-Z\\^-~])"  # all others
)
"""Control sequences of terminals (ECMA-48)."""

LONGEST_ANSI = 4096
"""What begins like a control sequence and goes on for longer is none."""


def mask(text: str) -> str:
    """The text without secrets of ours."""
    if "apify_" not in text and "/events/" not in text:
        return text
    return SECRETS.sub(lambda found: (found[1] or found[2]) + MASK, text)


def line(moment: datetime, text: str) -> str:
    """A line of ours, with the stamp that every line has: 24 characters and a space."""
    stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{stamp} {text}\n"


class Cap:
    """Cuts a log at its longest.

    Parameters
    ----------
    characters
        How many there are already.
    """

    def __init__(self, characters: int = 0) -> None:
        self.characters = characters

    @property
    def is_full(self) -> bool:
        """Whether the mark is written, after which nothing comes."""
        return self.characters > MAX_CHARACTERS

    def take(self, text: str, moment: datetime) -> str:
        """As much of a text as there is room for, and the mark where it ends."""
        if self.is_full:
            return ""
        room = MAX_CHARACTERS - self.characters
        if len(text) > room:
            cut = _without_half_a_stamp(text[:room])
            # What was taken before may end within a line too; an empty line does no harm.
            text = f"{cut}{'' if cut.endswith(chr(10)) else chr(10)}{line(moment, MARK)}"
        self.characters += len(text)
        return text


def _without_half_a_stamp(text: str) -> str:
    """The text without a last line of which only the stamp, or a part of it, is left."""
    begin = text.rfind("\n") + 1
    return text[:begin] if STAMP_SYMBOLS.issuperset(text[begin:]) else text


class AnsiStripper:
    """Takes control sequences of terminals out of a text that comes in parts."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> str:
        """What is known to be no part of a control sequence."""
        text, self._rest = self._rest + text, ""
        plain: list[str] = []
        done = 0
        for found in ANSI.finditer(text):
            plain.append(text[done : found.start()])
            done = found.end()
        tail = text[done:]
        begin = tail.rfind("\x1b")
        if begin >= 0 and len(tail) - begin < LONGEST_ANSI:
            # It may be the beginning of a sequence.
            tail, self._rest = tail[:begin], tail[begin:]
        return "".join((*plain, tail))

    def end(self) -> str:
        """What is left at the end."""
        rest, self._rest = self._rest, ""
        return rest
