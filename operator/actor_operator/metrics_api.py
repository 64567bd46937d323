"""Metrics of the API server. No label is the name of a run, a storage or an account."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from actor_operator.metrics import Description

PREFIX = "actor_operator_api"

WRITES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Buckets for how many writes share a commit."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets for the times of requests; what is held on purpose takes up to a minute."""


class ApiMetrics:
    """The metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.described: list[Description] = []
        """What each metric is, for those who read it."""
        self._add_requests()
        self._add_waiting()
        self._add_storage()
        self._add_process()

    def note_commit(self, writes: int, seconds: float) -> None:
        """Count a commit of the database."""
        self.commit_writes.observe(writes)
        self.commit_seconds.observe(seconds)

    def note_object_failure(self, operation: str) -> None:
        """Count a failure of the store of large bodies."""
        self.object_failures.labels(operation).inc()

    def _add_requests(self) -> None:
        self.requests = self._counter(
            "requests",
            "Requests by method, route and HTTP status.",
            "method",
            "route",
            "status",
        )
        self.seconds = self._histogram(
            "request_seconds",
            "Seconds from the request to the end of its answer, by method and route.",
            SECONDS,
            "method",
            "route",
        )
        self.open = self._gauge(
            "open_requests",
            "Requests that are being answered, held ones and streams among them.",
        )

    def _add_waiting(self) -> None:
        self.held = self._gauge("held_requests", "Requests that wait for the end of a run.")
        self.log_streams = self._gauge("log_streams", "Logs that are streamed to clients.")
        self.log_followers = self._gauge("log_followers", "Runs whose logs are read of their pods.")
        self.sockets = self._gauge("event_sockets", "Sockets on which runs hear of events.")

    def _add_storage(self) -> None:
        self.commit_writes = self._histogram(
            "commit_writes", "Writes that one commit of the database made durable.", WRITES
        )
        self.commit_seconds = self._histogram(
            "commit_seconds",
            "Seconds that a transaction of the database took, with its commit.",
            SECONDS,
        )
        self.object_failures = self._counter(
            "object_failures", "Failures of the store of large bodies, by operation.", "operation"
        )
        self.mirror_lag = self._gauge(
            "mirror_lag_seconds",
            "Seconds since when the oldest change of a run waits to be written.",
        )
        self.halted = self._gauge(
            "vanished_runs_halted",
            "Runs that vanished all at once, whose rows stay until somebody has looked.",
        )

    def _add_process(self) -> None:
        self.task_deaths = self._counter(
            "task_deaths", "Tasks of the process that died and were started again.", "task"
        )
        self.kube_calls = self._counter(
            "kube_calls",
            "Calls of the Kubernetes API by verb, kind and HTTP status (0: no answer).",
            "verb",
            "kind",
            "status",
        )
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
