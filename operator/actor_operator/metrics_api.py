"""Metrics of the API server. No label is the name of a run, a storage or an account."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

WRITES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Buckets for how many writes share a commit."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets for the times of requests; what is held on purpose takes up to a minute."""


class ApiMetrics:
    """The metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "actor_operator_api_requests",
            "Requests by method, route and HTTP status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "actor_operator_api_request_seconds",
            "Time from the request to the end of its answer, by method and route.",
            ("method", "route"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.open = Gauge(
            "actor_operator_api_open_requests",
            "Requests that are being answered, held ones and streams among them.",
            registry=self.registry,
        )
        self.task_deaths = Counter(
            "actor_operator_api_task_deaths",
            "Tasks of the process that died and were started again.",
            ("task",),
            registry=self.registry,
        )
        self.kube_calls = Counter(
            "actor_operator_api_kube_calls",
            "Calls of the Kubernetes API by verb, kind and HTTP status.",
            ("verb", "kind", "status"),
            registry=self.registry,
        )
        self.held = self._gauge("held_requests", "Requests that wait for the end of a run.")
        self.log_streams = self._gauge("log_streams", "Logs that are streamed to clients.")
        self.log_followers = self._gauge("log_followers", "Runs whose logs are read of their pods.")
        self.sockets = self._gauge("event_sockets", "Sockets on which runs hear of events.")
        self.mirror_lag = self._gauge(
            "mirror_lag_seconds", "How long the oldest change of a run waits to be written."
        )
        self.halted = self._gauge(
            "vanished_runs_halted",
            "Runs that vanished all at once, whose rows stay until somebody has looked.",
        )
        self.commit_writes = Histogram(
            "actor_operator_api_commit_writes",
            "Writes that one commit of the database made durable.",
            buckets=WRITES,
            registry=self.registry,
        )
        self.commit_seconds = Histogram(
            "actor_operator_api_commit_seconds",
            "Seconds that a transaction of the database took, with its commit.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.object_failures = Counter(
            "actor_operator_api_object_failures",
            "Failures of the store of large bodies, by operation.",
            ("operation",),
            registry=self.registry,
        )

    def note_commit(self, writes: int, seconds: float) -> None:
        """Count a commit of the database."""
        self.commit_writes.observe(writes)
        self.commit_seconds.observe(seconds)

    def note_object_failure(self, operation: str) -> None:
        """Count a failure of the store of large bodies."""
        self.object_failures.labels(operation).inc()

    def _gauge(self, name: str, what: str) -> Gauge:
        return Gauge(f"actor_operator_api_{name}", what, registry=self.registry)
