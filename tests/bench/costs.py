"""What something costs: processor time of each program, calls, memory, what etcd keeps."""

import re
import time
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from prometheus_client.parser import text_string_to_metric_families
from tests.bench.arena import Arena
from tests.bench.etcd import stored_bytes
from tests.cluster_tool import http_probe
from tests.support.operators import OperatorProcess, cpu_seconds

from actor_operator.metrics import PREFIX

SETTLE_SECONDS = 3.0
"""Before what is measured, so that preparations are not counted; after it, so that its ends are."""

READS = frozenset({"get", "list"})
"""Verbs that change nothing."""

SERVER_WRITES = re.compile(
    r'^apiserver_request_total\{code="(?P<code>\d+)".*?,resource="(?P<resource>[^"]*)".*?'
    r',subresource="(?P<sub>[^"]*)",verb="(?P<verb>POST|PUT|PATCH|APPLY|DELETE)".*?\}'
    r" (?P<count>\S+)$",
    re.MULTILINE,
)
"""The API server's count of writes; its metrics are too many to parse them all."""


@dataclass(frozen=True)
class Costs:
    """Counters of programs at one moment, or what came to them between two."""

    seconds: float
    """Time that has passed."""
    cpu: dict[str, float]
    """Processor time in seconds, by program."""
    calls: Counter[str]
    """Calls of the operator but watches and those of its Lease, by verb and kind."""
    looks: float
    """How often the operator looked at a run."""

    def since(self, before: "Costs") -> "Costs":
        """What was added since an earlier moment."""
        return Costs(
            seconds=self.seconds - before.seconds,
            cpu={program: spent - before.cpu[program] for program, spent in self.cpu.items()},
            calls=self.calls - before.calls,
            looks=self.looks - before.looks,
        )

    @property
    def writes(self) -> int:
        """How many calls of the operator were to change something."""
        return sum(number for call, number in self.calls.items() if call.split()[0] not in READS)

    @property
    def refused(self) -> int:
        """How many of its writes failed."""
        failed = (call for call in self.calls if "HTTP" in call and call.split()[0] not in READS)
        return sum(self.calls[call] for call in failed)


@dataclass(frozen=True)
class Server:
    """What the API server and etcd say at one moment, or what came to it between two."""

    writes: Counter[str]
    """Writes of all programs, by verb and resource."""
    stored: int
    """Bytes of what is measured."""

    def since(self, before: "Server") -> "Server":
        """What was added since an earlier moment."""
        return Server(self.writes - before.writes, self.stored - before.stored)


class Meter:
    """A context manager that measures what happens in its body, and for 3 s after it.

    Parameters
    ----------
    arena
        Where; its replicas stay the same.
    """

    def __init__(self, arena: Arena) -> None:
        self._arena = arena
        self.operator_mbytes = 0.0
        """Resident memory of the leader at the end; 0 without one."""

    def __enter__(self) -> Self:
        time.sleep(SETTLE_SECONDS)
        # What asking the API server costs is left out.
        self._server = server_so_far(self._arena)
        self._costs = costs_so_far(self._arena)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            return
        time.sleep(SETTLE_SECONDS)
        self.costs = costs_so_far(self._arena).since(self._costs)
        """Of programs."""
        self.server = server_so_far(self._arena).since(self._server)
        """Of the API server."""
        if any(replica.running for replica in self._arena.replicas):
            self.operator_mbytes = self._arena.leader.memory_mbytes


def costs_so_far(arena: Arena) -> Costs:
    """The counters of programs now."""
    running = [replica for replica in arena.replicas if replica.running]
    return Costs(
        seconds=time.monotonic(),
        cpu={p: sum(cpu_seconds(pid) for pid in pids) for p, pids in arena.pids().items()},
        calls=sum((_calls(replica) for replica in running), Counter()),
        looks=sum(replica.metric(f"{PREFIX}_reconcile_seconds_count") for replica in running),
    )


def server_so_far(arena: Arena) -> Server:
    """What the API server and etcd say now."""
    context = http_probe.tls_context(arena.plane.ca, arena.plane.admin)
    _, text = http_probe.get(f"{arena.plane.url}/metrics", context)
    writes: Counter[str] = Counter()
    for found in SERVER_WRITES.finditer(text):
        resource = "/".join(filter(None, (found["resource"], found["sub"])))
        refused = "" if found["code"].startswith("2") else f", HTTP {found['code']}"
        writes[f"{found['verb']} {resource}{refused}"] += int(float(found["count"]))
    return Server(writes, stored_bytes(arena.plane.etcd_url))


def _calls(replica: OperatorProcess) -> Counter[str]:
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(replica.metrics):
        for sample in family.samples:
            label = sample.labels
            if sample.name != f"{PREFIX}_api_calls_total" or label["kind"] == "Lease":
                continue
            if label["verb"] != "watch":
                refused = "" if label["code"].startswith("2") else f", HTTP {label['code']}"
                found[f"{label['verb']} {label['kind']}{refused}"] += int(sample.value)
    return found
