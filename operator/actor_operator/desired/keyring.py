"""The keys that make names and URLs unguessable."""

from dataclasses import dataclass

from actor_operator.constants import KEYS_SECRET
from actor_operator.errors import TerminalError

ACTIVE = "active"
"""Entry of the Secret that holds the id of the key in use."""

KEY_BYTES = 32
"""Length of a key."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of the installation: one is in use, older ones are still known."""

    active_id: str
    keys: dict[str, bytes]

    @property
    def active(self) -> bytes:
        """The key in use."""
        return self.keys[self.active_id]


def parse_keyring(data: dict[str, bytes]) -> Keyring:
    """Read the Secret's data: one entry per key, and ``active`` with the id of the one in use.

    Raises
    ------
    TerminalError
        When ``active`` is missing or names no key.
    """
    keys = {name: value for name, value in data.items() if name != ACTIVE}
    active = data.get(ACTIVE, b"").decode(errors="replace").strip()
    if len(keys.get(active, b"")) < KEY_BYTES:
        raise TerminalError(
            "InvalidKeys",
            f'The Secret "{KEYS_SECRET}" must have an entry "{ACTIVE}" that names another entry,'
            f' the key of at least {KEY_BYTES} bytes; it says "{active}". Correct it, or delete the'
            " Secret to get a new key.",
        )
    return Keyring(active, keys)
