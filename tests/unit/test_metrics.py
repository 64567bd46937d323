"""Metrics: what is exposed, and that no label can grow without bound."""

from prometheus_client import CollectorRegistry, generate_latest

from actor_operator.metrics import Metrics


def exposed(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def test_every_metric_has_our_prefix_and_a_help_text() -> None:
    metrics = Metrics()
    metrics.census("runs", "Runs that exist, by phase.", "phase", lambda: {"READY": 2})

    for family in metrics.registry.collect():
        assert family.name.startswith("actor_operator_")
        assert family.documentation.endswith(".")


def test_labels_are_few_and_none_is_the_name_of_a_run() -> None:
    metrics = Metrics()
    metrics.observe_call("create", "Pod", 201, 0.1)
    metrics.finished.labels("FAILED", "OOMKilled").inc()
    metrics.seams.labels("created_to_pod").observe(1)

    labels = {
        label
        for family in metrics.registry.collect()
        for sample in family.samples
        for label in sample.labels
    }
    assert labels <= {"phase", "reason", "seam", "verb", "kind", "code", "le"}


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
    metrics, counts = Metrics(), {"READY": 1}
    metrics.census("runs", "Runs that exist, by phase.", "phase", lambda: counts)

    assert 'actor_operator_runs{phase="READY"} 1.0' in exposed(metrics)
    counts["RUNNING"] = 5
    assert 'actor_operator_runs{phase="RUNNING"} 5.0' in exposed(metrics)


def test_two_processes_in_one_interpreter_keep_their_own_metrics() -> None:
    one, other = Metrics(), Metrics(CollectorRegistry())
    one.retries.inc()

    assert "actor_operator_retries_total 1.0" in exposed(one)
    assert "actor_operator_retries_total 0.0" in exposed(other)
