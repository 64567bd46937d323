"""Metrics: what is exposed, and that no label can grow without bound."""

import re
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from actor_operator.metrics import CENSUSES, RUNS, EventResult, Metrics, Seam

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
"""The page that lists the metrics."""

LABELS = {
    *("phase", "reason", "platform", "seam", "verb", "kind", "code", "result", "task"),
    *("account", "version", "le"),
}
"""Every label; the number of values of each is small."""


def exposed(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def counting() -> Metrics:
    """Metrics of which each has a value, as far as one is needed to see its labels."""
    metrics = Metrics()
    for census in CENSUSES:
        metrics.census(census, partial(dict, {("x",) * len(census.labels): 2.0}))
    metrics.observe_call("create", "Pod", 201, 0.1)
    metrics.finished.labels("FAILED", "OOMKilled", "false").inc()
    metrics.migrations.labels("NodeLost").inc()
    metrics.task_deaths.labels("timers").inc()
    return metrics


def test_every_metric_has_our_prefix_or_is_one_that_every_process_has() -> None:
    for family in counting().registry.collect():
        assert family.name.startswith(("actor_operator_", "process_"))
        assert family.documentation.endswith(".")


def test_every_metric_is_described_as_it_is() -> None:
    metrics = counting()
    exposed_now = {
        (f"{family.name}_total" if family.type == "counter" else family.name)
        + ("_info" if family.type == "info" else ""): {
            label for sample in family.samples for label in sample.labels
        }
        - {"le"}
        for family in metrics.registry.collect()
        if not family.name.startswith("process_")
    }

    assert {one.name: set(one.labels) for one in metrics.described} == exposed_now
    assert all(one.text.endswith(".") for one in metrics.described)


def test_every_metric_is_on_the_page_about_operations() -> None:
    page = OPERATIONS.read_text(encoding="utf-8")

    assert [one.name for one in Metrics().described if f"| `{one.name}` |" not in page] == []
    assert [seam for seam in Seam if f"`{seam}`" not in page] == []


def test_labels_are_few_and_none_is_the_name_of_a_run() -> None:
    labels = {
        label
        for family in counting().registry.collect()
        for sample in family.samples
        for label in sample.labels
    }

    assert labels == LABELS


def test_what_has_not_happened_yet_counts_as_zero() -> None:
    """A rate sees nothing of the first time if there was no zero before it."""
    text = exposed(Metrics())

    for seam in Seam:
        assert f'actor_operator_run_seam_seconds_count{{seam="{seam}"}} 0.0' in text
    for result in EventResult:
        assert f'actor_operator_events_total{{result="{result}"}} 0.0' in text
    assert "actor_operator_run_restarts_total 0.0" in text


def test_the_version_is_told() -> None:
    assert re.search(r'actor_operator_build_info\{version="[0-9.]+"\} 1.0', exposed(Metrics()))


def test_calls_are_counted_by_verb_kind_and_status() -> None:
    metrics = Metrics()
    metrics.observe_call("create", "Pod", 201, 0.2)
    metrics.observe_call("create", "Pod", 409, 0.2)

    text = exposed(metrics)
    assert 'actor_operator_api_calls_total{code="201",kind="Pod",verb="create"} 1.0' in text
    assert 'actor_operator_api_calls_total{code="409",kind="Pod",verb="create"} 1.0' in text
    assert 'actor_operator_api_call_seconds_count{verb="create"} 2.0' in text


def test_watches_are_counted_but_their_length_says_nothing() -> None:
    metrics = Metrics()
    metrics.observe_call("watch", "Pod", 200, 300)

    text = exposed(metrics)
    assert 'actor_operator_api_calls_total{code="200",kind="Pod",verb="watch"} 1.0' in text
    assert 'api_call_seconds_count{verb="watch"}' not in text


def test_a_census_counts_at_the_moment_of_the_scrape() -> None:
    metrics = Metrics()
    counts: dict[tuple[str, ...], float] = {("READY", "Pending"): 1}
    metrics.census(RUNS, lambda: counts)

    assert 'actor_operator_runs{phase="READY",reason="Pending"} 1.0' in exposed(metrics)
    counts["RUNNING", "Started"] = 5
    assert 'actor_operator_runs{phase="RUNNING",reason="Started"} 5.0' in exposed(metrics)


def test_two_processes_in_one_interpreter_keep_their_own_metrics() -> None:
    one, other = Metrics(), Metrics(CollectorRegistry())
    one.retries.inc()

    assert "actor_operator_retries_total 1.0" in exposed(one)
    assert "actor_operator_retries_total 0.0" in exposed(other)
