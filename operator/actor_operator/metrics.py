"""Every Prometheus metric, declared once. No label is a run's name: their number stays bounded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from actor_operator import __version__

PREFIX = "actor_operator"
"""Prefix of every metric."""

SEAM_BUCKETS = (
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    30,
    60,
    120,
    300,
    600,
    1800,
    3600,
    10800,
    86400,
)
"""Upper bounds in seconds for the stretches of a run's life."""

CALL_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Upper bounds in seconds for calls of the API server."""

LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""Upper bounds in seconds for the lateness of the event loop."""

Census = Callable[[], Mapping[tuple[str, ...], float]]
"""Counts something by one or more labels, at the moment of the scrape."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a metric is, for those who read it."""

    name: str
    """As Prometheus has it."""

    type: str
    """counter, gauge or histogram."""

    text: str
    labels: tuple[str, ...] = ()


RUNS = Description(
    f"{PREFIX}_runs",
    "gauge",
    "Runs that exist, by phase and by why they are there. The leader alone says it.",
    ("phase", "reason"),
)
"""Census of runs."""

WATCH_AGE = Description(
    f"{PREFIX}_watch_age_seconds",
    "gauge",
    "Seconds since the API server last gave a sign of life, by kind.",
    ("kind",),
)
"""Census of informers."""

ACCOUNT_MEMORY_USED = Description(
    f"{PREFIX}_account_memory_used_bytes",
    "gauge",
    "Memory that the live runs of an account hold. The leader alone says it.",
    ("account",),
)
"""Census of accounts with live or waiting runs."""

ACCOUNT_MEMORY_LIMIT = Description(
    f"{PREFIX}_account_memory_limit_bytes",
    "gauge",
    "Memory that the live runs of an account may hold; absent without a limit.",
    ("account",),
)
"""As above."""

ACCOUNT_LIVE = Description(
    f"{PREFIX}_account_runs_live", "gauge", "Runs of an account that hold memory.", ("account",)
)
"""As above."""

ACCOUNT_WAITING = Description(
    f"{PREFIX}_account_runs_waiting", "gauge", "Runs of an account that wait for it.", ("account",)
)
"""As above."""

CENSUSES = (
    RUNS,
    WATCH_AGE,
    ACCOUNT_MEMORY_USED,
    ACCOUNT_MEMORY_LIMIT,
    ACCOUNT_LIVE,
    ACCOUNT_WAITING,
)
"""Gauges that are counted when they are scraped."""


class Seam(StrEnum):
    """The stretches of a run's life that are measured."""

    CREATED_TO_ADMITTED = "created_to_admitted"
    """From the creation (or the request for another attempt) until the account has room."""

    ADMITTED_TO_POD = "admitted_to_pod"
    """Until the API server has the pod."""

    POD_TO_SCHEDULED = "pod_to_scheduled"
    """Until the pod has a node."""

    SCHEDULED_TO_STARTED = "scheduled_to_started"
    """Until the container runs: the image is fetched."""

    STARTED_TO_READY = "started_to_ready"
    """Until the run's web server can be reached."""

    STARTED_TO_FINISHED = "started_to_finished"
    """Until the attempt has ended."""

    CREATED_TO_STARTED = "created_to_started"
    """All from the creation until the container runs: what a user waits for."""

    STARTED_TO_TOLD = "started_to_told"
    """From the start of the container until the status says so."""

    FINISHED_TO_TOLD = "finished_to_told"
    """From the end of the container until the status says so."""


class EventResult(StrEnum):
    """What became of a Kubernetes Event."""

    WRITTEN = "written"
    """The API server has it."""

    DROPPED = "dropped"
    """Too many were in line, or this replica does not lead any more."""

    FAILED = "failed"
    """The API server did not take it."""


class Metrics:
    """The metrics of one process.

    Parameters
    ----------
    registry
        Where they are kept; tests pass their own.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.described: list[Description] = [*CENSUSES]
        """Every metric of our own."""
        self._add_runs()
        self._add_calls()
        self._add_work()
        self._add_process()

    def census(self, of: Description, count: Census) -> None:
        """Count one of the censuses when it is scraped."""
        self.registry.register(_Census(of, count))

    def observe_call(self, verb: str, kind: str, code: int, seconds: float) -> None:
        """One call of the API server has ended."""
        self.calls.labels(verb, kind, str(code)).inc()
        if verb != "watch":
            self.call_seconds.labels(verb).observe(seconds)

    def _add_runs(self) -> None:
        self.finished = self._counter(
            "runs_finished",
            "Attempts of runs that have ended, by phase, reason, and whether it was the platform's"
            " fault.",
            "phase",
            "reason",
            "platform",
        )
        self.seams = self._histogram(
            "run_seam_seconds",
            "Seconds between two events in the life of a run.",
            SEAM_BUCKETS,
            "seam",
        )
        for seam in Seam:
            self.seams.labels(seam)
        self.migrations = self._counter(
            "run_migrations", "New pods of runs whose pod was lost, by what took it.", "reason"
        )
        self.restarts = self._counter(
            "run_restarts", "New pods of runs whose container failed (restartOnError)."
        )
        self.reboots = self._counter("run_reboots", "New pods of runs that a user rebooted.")
        self.resurrections = self._counter("run_resurrections", "Attempts after the first.")

    def _add_calls(self) -> None:
        self.calls = self._counter(
            "api_calls",
            "Calls of the API server, by verb, kind and HTTP status (0: no answer).",
            "verb",
            "kind",
            "code",
        )
        self.call_seconds = self._histogram(
            "api_call_seconds",
            "Seconds that calls of the API server took, without watches.",
            CALL_BUCKETS,
            "verb",
        )
        self.events = self._counter(
            "events", "Kubernetes Events about runs, by what became of them.", "result"
        )
        for result in EventResult:
            self.events.labels(result)

    def _add_work(self) -> None:
        self.reconcile_seconds = self._histogram(
            "reconcile_seconds", "Seconds that one look at a run took.", CALL_BUCKETS
        )
        self.retries = self._counter("retries", "Looks at a run that failed and are tried again.")
        self.leader = self._gauge("leader", "1 in the replica that writes, 0 in the others.")
        self.queue_depth = self._gauge("queue_depth", "Runs that wait to be looked at.")
        self.queue_age = self._gauge(
            "queue_age_seconds", "Seconds since when the oldest run waits to be looked at."
        )

    def _add_process(self) -> None:
        self.loop_lag = self._histogram(
            "loop_lag_seconds",
            "Seconds by which the event loop was late, measured each second.",
            LAG_BUCKETS,
        )
        self.clock_offset = self._gauge(
            "clock_offset_seconds",
            "Seconds that are added to this machine's clock to follow the API server's.",
        )
        self.task_deaths = self._counter(
            "task_deaths", "Tasks of the operator that died and were started again.", "task"
        )
        version = "Always 1; the label says which version runs."
        self._describe("build_info", "gauge", version, ("version",))
        Info(f"{PREFIX}_build", version, registry=self.registry).info({"version": __version__})
        ProcessCollector(registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        self._describe(f"{name}_total", "counter", text, labels)
        return Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        self._describe(name, "gauge", text)
        return Gauge(f"{PREFIX}_{name}", text, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
        self._describe(name, "histogram", text, labels)
        return Histogram(f"{PREFIX}_{name}", text, labels, buckets=buckets, registry=self.registry)

    def _describe(self, name: str, kind: str, text: str, labels: tuple[str, ...] = ()) -> None:
        self.described.append(Description(f"{PREFIX}_{name}", kind, text, labels))


class _Census(Collector):
    def __init__(self, of: Description, count: Census) -> None:
        self._of, self._count = of, count

    @override
    def collect(self) -> list[GaugeMetricFamily]:
        family = GaugeMetricFamily(self._of.name, self._of.text, labels=self._of.labels)
        for values, number in sorted(self._count().items()):
            family.add_metric(values, number)
        return [family]

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is counted before the first scrape."""
        return []
