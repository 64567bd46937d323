"""The API server's audit log: who asked for what, told apart by the token that was used."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {{level: Metadata, users: {users}}}
- {{level: None}}
"""
"""One line for each answered request of some users."""

CREDENTIAL = "authentication.kubernetes.io/credential-id"
"""Under which the API server notes which token was used."""

OWN_NAMESPACES = frozenset({"actor-operator-system", "other-operator-system"})
"""Namespaces of operators, with their Leases and keys."""

WRITES = frozenset({"create", "update", "patch", "delete"})
"""Verbs that change something."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One answered request."""

    verb: str
    resource: str
    """Plural, with the subresource if there is one."""
    namespace: str
    name: str
    code: int
    user: str
    """Who asked."""
    credential: str
    """Id of the token."""
    received: float
    """When the server received it, in seconds since the epoch."""
    answered: float
    """When the server answered it."""

    @property
    def is_write(self) -> bool:
        """Whether it would change something."""
        return self.verb in WRITES

    @property
    def is_work(self) -> bool:
        """Whether it is a write about runs: neither the Lease nor the keys."""
        return self.is_write and self.namespace not in OWN_NAMESPACES


class AuditLog:
    """An audit log that is being written."""

    def __init__(self, folder: Path, *users: str) -> None:
        self._file = folder / "audit.log"
        self._policy = folder / "audit-policy.yaml"
        self._policy.write_text(POLICY.format(users=msgspec.json.encode(users).decode()))

    @property
    def flags(self) -> list[str]:
        """Flags of the API server that make it write this log."""
        return [f"--audit-log-path={self._file}", f"--audit-policy-file={self._policy}"]

    def entries(self, *, since: float = 0.0) -> list[Entry]:
        """What was answered after a moment, in the order of the answers."""
        lines = self._file.read_bytes().splitlines() if self._file.exists() else []
        # The last line may still be in the writing.
        found = (_entry(msgspec.json.decode(line)) for line in lines if line.endswith(b"}"))
        return [entry for entry in found if entry.answered >= since]

    def writes(self, namespace: str) -> list[Entry]:
        """Every write in a namespace."""
        return [e for e in self.entries() if e.is_write and e.namespace == namespace]


def _entry(line: Any) -> Entry:
    about = line.get("objectRef") or {}
    resource = "/".join(filter(None, (about.get("resource", ""), about.get("subresource"))))
    extra = line["user"].get("extra") or {}
    return Entry(
        verb=line["verb"],
        resource=resource,
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        code=(line.get("responseStatus") or {}).get("code", 0),
        user=line["user"]["username"],
        credential="".join(extra.get(CREDENTIAL, ())),
        received=_seconds(line["requestReceivedTimestamp"]),
        answered=_seconds(line["stageTimestamp"]),
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
