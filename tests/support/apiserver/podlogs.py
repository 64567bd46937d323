"""What containers print, as far as tests say."""

from tests.support.apiserver.store import Key


class PodLogs:
    """The log of each pod, by namespace and name."""

    def __init__(self) -> None:
        self._texts: dict[Key, str] = {}

    def append(self, key: Key, text: str) -> None:
        """Let the container print something."""
        self._texts[key] = self.read(key) + text

    def read(self, key: Key) -> str:
        """All that it printed."""
        return self._texts.get(key, "")
