"""Every Prometheus metric, declared once. No label is a run's name: their number stays bounded."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

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

Census = Callable[[], Mapping[str, int]]
"""Counts something by one label, at the moment of the scrape."""


class Metrics:
    """The metrics of one process.

    Parameters
    ----------
    registry
        Where they are kept; tests pass their own.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.finished = Counter(
            f"{PREFIX}_runs_finished",
            "Attempts of runs that have ended, by phase and reason.",
            ["phase", "reason"],
            registry=self.registry,
        )
        self.seams = Histogram(
            f"{PREFIX}_run_seam_seconds",
            "Seconds between two events in the life of a run.",
            ["seam"],
            buckets=SEAM_BUCKETS,
            registry=self.registry,
        )
        self.calls = Counter(
            f"{PREFIX}_api_calls",
            "Calls of the API server, by verb, kind and HTTP status (0: no answer).",
            ["verb", "kind", "code"],
            registry=self.registry,
        )
        self.call_seconds = Histogram(
            f"{PREFIX}_api_call_seconds",
            "Seconds that calls of the API server took, without watches.",
            ["verb"],
            buckets=CALL_BUCKETS,
            registry=self.registry,
        )
        self.reconcile_seconds = Histogram(
            f"{PREFIX}_reconcile_seconds",
            "Seconds that one look at a run took.",
            buckets=CALL_BUCKETS,
            registry=self.registry,
        )
        self.retries = Counter(
            f"{PREFIX}_retries",
            "Looks at a run that failed and are tried again.",
            registry=self.registry,
        )
        self.leader = self._gauge("leader", "1 in the replica that writes, 0 in the others.")
        self.queue_depth = self._gauge("queue_depth", "Runs that wait to be looked at.")
        self.queue_age = self._gauge(
            "queue_age_seconds", "Seconds since when the oldest run waits to be looked at."
        )
        self.loop_lag = self._gauge(
            "loop_lag_seconds", "Seconds by which the event loop was late, at worst of late."
        )

    def census(self, name: str, text: str, label: str, count: Census) -> None:
        """Add a gauge that is counted when it is scraped."""
        self.registry.register(_Census(f"{PREFIX}_{name}", text, label, count))

    def observe_call(self, verb: str, kind: str, code: int, seconds: float) -> None:
        """One call of the API server has ended."""
        self.calls.labels(verb, kind, str(code)).inc()
        if verb != "watch":
            self.call_seconds.labels(verb).observe(seconds)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", text, registry=self.registry)


class _Census(Collector):
    def __init__(self, name: str, text: str, label: str, count: Census) -> None:
        self._name, self._text, self._label, self._count = name, text, label, count

    @override
    def collect(self) -> list[GaugeMetricFamily]:
        family = GaugeMetricFamily(self._name, self._text, labels=[self._label])
        for value, number in sorted(self._count().items()):
            family.add_metric([value], number)
        return [family]

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is counted before the first scrape."""
        return []
