"""The chart's alerts and its dashboard, as what asks Prometheus."""

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.chart.helm import NAMESPACE, RELEASE, objects

SERVICE = f"{RELEASE}-metrics"
"""The Service through which the operator's metrics are scraped."""

API_SERVICE = f"{RELEASE}-server-metrics"
"""That of the API server's."""

METRIC = re.compile(r"\b(?:actor_operator|process)_\w+")
"""The name of a metric in a query."""

SERIES = ("_bucket", "_count", "_sum")
"""Ends of the names of a histogram's series."""


@dataclass(frozen=True)
class Query:
    """One line of a panel of the dashboard."""

    panel: str
    expr: str

    def filled_in(self, *, rate_interval: str) -> str:
        """The query with a value for each of Grafana's variables."""
        values = {"$namespace": NAMESPACE, "$__rate_interval": rate_interval}
        expr = self.expr
        for name, value in values.items():
            expr = expr.replace(name, value)
        return expr


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana gets it."""
    (found,) = (
        one
        for one in objects("--set=dashboard.enabled=true")
        if one["kind"] == "ConfigMap" and "dashboard" in one["metadata"]["name"]
    )
    (text,) = found["data"].values()
    result: dict[str, Any] = json.loads(text)
    return result


def queries() -> list[Query]:
    """Every query of the dashboard."""
    return [
        Query(panel["title"], target["expr"])
        for panel in dashboard()["panels"]
        for target in panel.get("targets", ())
    ]


def rule_groups() -> list[dict[str, Any]]:
    """The groups of the PrometheusRule, as a rule file of Prometheus has them."""
    (rule,) = (
        one
        for one in objects("--set=prometheusRule.enabled=true")
        if one["kind"] == "PrometheusRule"
    )
    groups: list[dict[str, Any]] = rule["spec"]["groups"]
    return groups


def alerts() -> list[dict[str, Any]]:
    """Every alert."""
    return [alert for group in rule_groups() for alert in group["rules"]]


def metrics_in(expr: str) -> set[str]:
    """The metrics that a query asks for."""
    found = set(METRIC.findall(expr))
    return {re.sub(f"({'|'.join(SERIES)})$", "", name) for name in found}
