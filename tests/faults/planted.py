"""Defects that are put into the operator on purpose: a campaign that finds none proves nothing.

They change the operator's code in its process only, and only where a plan asks for one.
"""

from collections.abc import Callable


def plant(name: str) -> None:
    """Put a defect into this process.

    Raises
    ------
    ValueError
        There is none of this name.
    """
    if not name:
        return
    if name not in DEFECTS:
        raise ValueError(f"{name!r} is none of {', '.join(DEFECTS)}")
    DEFECTS[name]()


DEFECTS: dict[str, Callable[[], None]] = {}
"""What can be planted."""
