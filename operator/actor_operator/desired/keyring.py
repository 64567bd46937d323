"""The keys that make names and URLs unguessable."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of the installation: one is in use, older ones are still known."""

    active_id: str
    keys: dict[str, bytes]

    @property
    def active(self) -> bytes:
        """The key in use."""
        return self.keys[self.active_id]
