"""Metrics of the API server: what is exposed, and that no label can grow without bound."""

from actor_operator.metrics_api import ApiMetrics

LABELS = {"method", "route", "status", "task", "verb", "kind", "operation", "le"}
"""Every label; the number of values of each is small."""


def counting() -> ApiMetrics:
    """Metrics of which each has a value, as far as one is needed to see its labels."""
    metrics = ApiMetrics()
    metrics.requests.labels("GET", "/v2/datasets", "200").inc()
    metrics.seconds.labels("GET", "/v2/datasets").observe(0.1)
    metrics.task_deaths.labels("mirror").inc()
    metrics.kube_calls.labels("get", "ActorRun", "200").inc()
    metrics.note_commit(3, 0.1)
    metrics.note_object_failure("put")
    return metrics


def test_every_metric_is_described_as_it_is() -> None:
    metrics = counting()
    exposed = {
        (f"{family.name}_total" if family.type == "counter" else family.name): {
            label for sample in family.samples for label in sample.labels
        }
        - {"le"}
        for family in metrics.registry.collect()
        if not family.name.startswith("process_")
    }

    assert {one.name: set(one.labels) for one in metrics.described} == exposed
    assert all(one.name.startswith("actor_operator_api_") for one in metrics.described)
    assert all(one.text.endswith(".") for one in metrics.described)


def test_labels_are_few_and_none_is_the_name_of_a_run_or_an_account() -> None:
    labels = {
        label
        for family in counting().registry.collect()
        for sample in family.samples
        for label in sample.labels
    }

    assert labels == LABELS


def test_a_commit_counts_its_writes_and_its_time() -> None:
    registry = counting().registry

    assert registry.get_sample_value("actor_operator_api_commit_writes_sum") == 3
    assert registry.get_sample_value("actor_operator_api_commit_seconds_count") == 1
