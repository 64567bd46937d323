"""What clients asked for, in order: tests count writes with it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from tests.support.apiserver.fields import Object
from typing_extensions import override

WRITES = frozenset({"create", "update", "patch", "delete"})
"""Verbs that change something."""

READS = frozenset({"get", "list", "watch"})
"""Verbs that do not."""


@dataclass(slots=True, eq=False)
class Request:
    """One request of a client."""

    number: int
    """Counts from 1, over all requests."""
    verb: str
    kind: str
    """Plural, with the subresource if there is one: `actorruns/status`."""
    namespace: str
    name: str
    """Name in the path, for a create the one in the body, empty if it was generated."""
    raw: bytes
    """The body as it came."""
    query: dict[str, str]
    started: float
    """Seconds, time of the event loop."""
    code: int | None = None
    """Status code of the answer, None as long as, or if, there was none."""
    applied: bool = False
    """Whether a write was committed."""

    @property
    def body(self) -> Object | list[Any] | None:
        """The decoded body, None if there is none or if it is no JSON."""
        try:
            value = msgspec.json.decode(self.raw) if self.raw else None
        except msgspec.DecodeError:
            return None
        return value if isinstance(value, dict | list) else None

    @property
    def is_write(self) -> bool:
        """Whether it would change something."""
        return self.verb in WRITES

    @override
    def __str__(self) -> str:
        place = "/".join(part for part in (self.namespace, self.name) if part)
        return f"{self.number} {self.verb} {self.kind} {place} -> {self.code}"


@dataclass(slots=True)
class RequestLog:
    """All requests since the start, or since `clear`."""

    entries: list[Request] = field(default_factory=list)
    _count: int = 0

    def add(self, **fields: Any) -> Request:
        """Note a request that has just come."""
        self._count += 1
        request = Request(number=self._count, **fields)
        self.entries.append(request)
        return request

    def of(self, verb: str = "*", kind: str = "*", name: str = "*") -> list[Request]:
        """The requests of a verb (or `write`, `read`, `*`), a kind and a name."""
        return [
            request
            for request in self.entries
            if verb_matches(verb, request.verb)
            and kind in {"*", request.kind}
            and name in {"*", request.name}
        ]

    @property
    def writes(self) -> list[Request]:
        """All writes, refused ones too; Leases are left out."""
        return [request for request in self.of("write") if request.kind != "leases"]

    def clear(self) -> None:
        """Forget what was."""
        self.entries.clear()

    def __iter__(self) -> Iterator[Request]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)


def verb_matches(pattern: str, verb: str) -> bool:
    """Whether a verb is the one meant: a verb, `write`, `read` or `*`."""
    match pattern:
        case "*":
            return True
        case "write":
            return verb in WRITES
        case "read":
            return verb in READS
        case _:
            return verb == pattern
