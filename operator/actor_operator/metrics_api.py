"""Metrics of the API server. No label is the name of a run, a storage or an account."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

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
