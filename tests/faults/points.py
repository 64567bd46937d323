"""Points of a plan: requests of the operator, named so that they are the same in every run.

A point is `VERB KIND NAME #N`: the N-th such request since the operator was first started. What
differs from one run to the next (uids, hashes, namespaces) is not part of the name:

    create pods subject-1 #1
    update actorruns/status subject #2
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import msgspec
from typing_extensions import override

WRITES = frozenset({"create", "update", "patch", "delete"})
"""Verbs that change something."""

ANY = "*"
"""Stands for every name, or kind."""

_POD = re.compile(r"^(.+)-[a-z2-7]{4}-(\d+)(-[a-z2-7]{16})?$")
"""Names of pods, and of their Secrets."""

_WEB = re.compile(r"^(.+)-[a-z2-7]{4}$")
"""Names of Services and routes."""

_EVENT = re.compile(r"^(.+)\.[0-9a-z.-]+$")
"""Names of Events."""

_NAMED_BY_NAMESPACE = {"actoraccounts", "actoraccounts/status", "namespaces"}
"""Kinds whose objects have the name of the namespace, which differs."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request asks for."""

    verb: str
    """Kubernetes' verb."""

    kind: str
    """Plural with the subresource, empty for what is no object."""

    name: str
    """Without what differs from one run to the next."""

    path: str = ""
    """Of the object or list, as the API server has it."""

    @property
    def is_write(self) -> bool:
        """Whether it changes something."""
        return self.verb in WRITES

    @property
    def is_work(self) -> bool:
        """Whether it is a write that runs depend on: neither a Lease nor an Event."""
        return self.is_write and self.kind not in {"leases", "events"}

    @override
    def __str__(self) -> str:
        return f"{self.verb} {self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which requests a fault is for."""

    verb: str
    """A verb, or `write`, `read`, `work` (see `Asked.is_work`) or `*`."""

    kind: str
    name: str
    nth: int
    """The first that is hit, counted from 1."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `VERB KIND NAME #N`; what is left out at the end is `*` and `#1`.

        Raises
        ------
        ValueError
            It is none.
        """
        found = re.fullmatch(r"(\S+)(?: ([^\s#]+))?(?: ([^\s#]+))?(?: #(\d+))?", text)
        if found is None:
            raise ValueError(f"{text!r} is no point: VERB KIND NAME #N")
        verb, kind, name, nth = found.groups()
        return cls(verb, kind or ANY, name or ANY, int(nth or 1))

    def matches(self, asked: Asked) -> bool:
        """Whether a request is one of those meant, whatever its number."""
        return (
            self._is_verb(asked)
            and self.kind in {ANY, asked.kind}
            and self.name in {ANY, asked.name}
        )

    def _is_verb(self, asked: Asked) -> bool:
        match self.verb:
            case "*":
                return True
            case "write":
                return asked.is_write
            case "work":
                return asked.is_work
            case "read":
                return not asked.is_write
            case verb:
                return verb == asked.verb


def asked_of(method: str, path: str, query: Mapping[str, str], body: bytes) -> Asked:
    """What a request asks for."""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if parts[0] not in {"api", "apis"} or not rest:
        return Asked("get", "", path, path)
    if len(rest) > 2 and rest[0] == "namespaces":
        rest = rest[2:]
    plural, name, sub = (*rest, "", "")[:3]
    kind = f"{plural}/{sub}" if sub else plural
    verb = _verb(method, name, watch=query.get("watch") in {"1", "true"})
    if verb == "create":
        name = _name_in(body)
    return Asked(verb, kind, normal_name(kind, name), path)


def _verb(method: str, name: str, *, watch: bool) -> str:
    if method == "GET":
        return "watch" if watch else "get" if name else "list"
    return {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}[method]


class _Metadata(msgspec.Struct):
    name: str = ""


class _Named(msgspec.Struct):
    metadata: _Metadata


def _name_in(body: bytes) -> str:
    return msgspec.json.decode(body, type=_Named).metadata.name


def normal_name(kind: str, name: str) -> str:
    """A name without what differs from one run to the next."""
    if kind in _NAMED_BY_NAMESPACE:
        return "namespace" if name else ""
    if kind == "events":
        return _EVENT.sub(r"\1", name)
    if found := _POD.fullmatch(name):
        return f"{found[1]}-{found[2]}" + ("-env" if found[3] else "")
    if kind in {"services", "ingresses", "httproutes"}:
        return _WEB.sub(r"\1", name)
    return name
