"""Alerts and dashboard: they ask for what there is, of this installation alone."""

import re

import pytest
from prometheus_client import CollectorRegistry, ProcessCollector
from tests.chart.helm import objects
from tests.chart.monitoring import API_SERVICE, SERVICE, alerts, dashboard, metrics_in, queries

from actor_operator.metrics import Metrics
from actor_operator.metrics_api import ApiMetrics

pytestmark = pytest.mark.chart

OURS = {one.name for one in Metrics().described}
"""The operator's own metrics."""

API = {one.name for one in ApiMetrics().described}
"""The API server's own."""

SELECTOR = re.compile(r"(\w+)\{([^{}]*)\}")
"""A metric in a query, and what is said of its labels."""


def of_every_process() -> set[str]:
    """The metrics that every process has."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return {
        f"{one.name}_total" if one.type == "counter" else one.name for one in registry.collect()
    }


def test_by_default_there_is_no_dashboard() -> None:
    assert not [one for one in objects() if "dashboard" in one["metadata"]["name"]]


def test_the_dashboard_has_the_label_and_the_folder_that_grafana_looks_for() -> None:
    (found,) = (
        one
        for one in objects(
            "--set=dashboard.enabled=true",
            "--set=dashboard.labels.team=a",
            "--set=dashboard.annotations.grafana_folder=Actors",
        )
        if "dashboard" in one["metadata"]["name"]
    )

    assert found["metadata"]["labels"].items() >= {"grafana_dashboard": "1", "team": "a"}.items()
    assert found["metadata"]["annotations"] == {"grafana_folder": "Actors"}


def test_the_dashboard_lets_the_user_choose_prometheus_and_installation() -> None:
    board = dashboard()

    assert [variable["name"] for variable in board["templating"]["list"]] == [
        "datasource",
        "namespace",
    ]
    for panel in board["panels"]:
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


def test_no_two_panels_are_the_same_or_lie_on_each_other() -> None:
    panels = dashboard()["panels"]
    fields = {
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    }

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(fields) == sum(p["gridPos"]["w"] * p["gridPos"]["h"] for p in panels)
    assert max(x for x, _ in fields) < 24


def test_each_query_asks_for_metrics_that_there_are_of_the_chosen_installation() -> None:
    for query in queries():
        named = metrics_in(query.expr)
        assert named
        assert named <= OURS | API | of_every_process(), query.panel
        for metric, labels in SELECTOR.findall(query.expr):
            assert 'namespace="$namespace"' in labels, (query.panel, metric)


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {metric for query in queries() for metric in metrics_in(query.expr)}

    assert (OURS | API) - shown == set()


def test_without_the_api_server_there_are_no_alerts_about_it() -> None:
    arguments = ("--set=prometheusRule.enabled=true", "--set=api.enabled=false")
    (rule,) = (one for one in objects(*arguments) if one["kind"] == "PrometheusRule")

    assert [group["name"] for group in rule["spec"]["groups"]] == ["actor-operator"]


def test_each_alert_is_about_metrics_of_this_installation_and_says_what_to_do() -> None:
    found = alerts()

    assert len(found) == len({alert["alert"] for alert in found}) >= 10
    for alert in found:
        named = metrics_in(alert["expr"])
        assert named
        assert named <= OURS or named <= API
        service = SERVICE if named <= OURS else API_SERVICE
        for metric, labels in SELECTOR.findall(alert["expr"]):
            assert 'namespace="actor-operator-system"' in labels, metric
            assert f'service="{service}"' in labels, metric
        assert alert["labels"]["severity"] in {"critical", "warning", "info"}
        assert alert["annotations"]["summary"].endswith(".")
        assert alert["annotations"]["description"].endswith(".")
