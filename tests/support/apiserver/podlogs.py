"""What containers print, as far as tests say."""

from tests.support.apiserver.errors import bad_request
from tests.support.apiserver.fields import Object
from tests.support.apiserver.store import Key

STAMP = "2026-03-01T12:00:00.{:09}Z "
"""The time before each line, if that is asked for: of one length, and later for each line."""

SECOND = len("2026-03-01T12:00:00")
"""Up to where a time is looked at: `sinceTime` is passed on without fractions."""


class PodLogs:
    """The log of each pod, by namespace and name."""

    def __init__(self) -> None:
        self._lines: dict[Key, list[str]] = {}

    def append(self, key: Key, text: str) -> None:
        """Let the container print something."""
        self._lines.setdefault(key, []).extend(text.splitlines(keepends=True))

    def read(
        self, key: Key, *, timestamps: bool = False, tail: int | None = None, since: str = ""
    ) -> str:
        """All that it printed, since a second or to the last lines of it."""
        lines = [
            (STAMP.format(number) if timestamps else "") + line
            for number, line in enumerate(self._lines.get(key, []), 1)
            if STAMP.format(number)[:SECOND] >= since[:SECOND]
        ]
        return "".join(lines if tail is None else lines[max(0, len(lines) - tail) :])

    def answer(self, pod: Object, query: dict[str, str]) -> str:
        """What a request for a log gets: all that there is now, also if it is to be followed.

        Raises
        ------
        ApiError
            The container has not started.
        """
        meta = pod["metadata"]
        statuses = pod["status"].get("containerStatuses") or [{}]
        state = statuses[0].get("state", {})
        if not state.keys() & {"running", "terminated"}:
            why = state.get("waiting", {}).get("reason", "ContainerCreating")
            container = pod["spec"]["containers"][0]["name"]
            raise bad_request(
                f'container "{container}" in pod "{meta["name"]}" is waiting to start: {why}'
            )
        tail = query.get("tailLines")
        return self.read(
            (meta["namespace"], meta["name"]),
            timestamps=query.get("timestamps") == "true",
            tail=int(tail) if tail else None,
            since=query.get("sinceTime", ""),
        )
