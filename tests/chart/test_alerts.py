"""Each alert fires when it should and not before, as Prometheus' own tool judges."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.chart.helm import NAMESPACE
from tests.chart.monitoring import API_SERVICE, SERVICE, alerts, rule_groups
from tests.cluster_tool.commands import run
from tests.cluster_tool.debian_programs import ensure_prometheus
from tests.cluster_tool.errors import ClusterToolError

pytestmark = pytest.mark.chart

SERIES = {
    "ActorOperatorHasNoLeader": ("leader", "", "0x60", "1x60"),
    "ActorOperatorHasTwoLeaders": ("leader", "", "2x60", "1x60"),
    "ActorOperatorIsBehind": ("queue_age_seconds", "", "61x60", "60x60"),
    "ActorOperatorRetriesMuch": ("retries_total", "", "0+70x60", "0+50x60"),
    "ActorOperatorHearsNothing": ("watch_age_seconds", 'kind="Pod"', "121x60", "20x60"),
    "ActorOperatorClockIsOff": ("clock_offset_seconds", 'instance="a"', "-3x60", "1x60"),
    "ActorOperatorTaskDies": ("task_deaths_total", 'task="timers"', "0+1x60", "0+0x60"),
    "ActorOperatorLosesEvents": ("events_total", 'result="dropped"', "0+1x60", "0+0x60"),
    "ActorRunsFailThroughThePlatform": (
        "runs_finished_total",
        'phase="FAILED", reason="NodeLost", platform="true"',
        "0+1x60",
        "0+0x60",
    ),
    "ActorRunsAreDisturbed": ("run_migrations_total", 'reason="NodeLost"', "0+1x60", "0+0.1x60"),
    "ActorRunsDoNotStart": (
        "runs",
        'phase="READY", reason="Unschedulable"',
        "1x60",
        "1x5 0x5 1x5 0x45",
    ),
    "ActorApiTurnsAway": (
        "api_requests_total",
        'method="GET", route="/v2/datasets", status="429"',
        "0+70x60",
        "0+50x60",
    ),
    "ActorApiIsBehind": ("api_mirror_lag_seconds", "", "61x60", "60x60"),
    "ActorApiMissesRuns": ("api_vanished_runs_halted", "", "1x60", "0x60"),
    "ActorApiCannotKeepBodies": (
        "api_object_failures_total",
        'operation="put"',
        "0+1x60",
        "0+0.5x60",
    ),
    "ActorApiTaskDies": ("api_task_deaths_total", 'task="mirror"', "0+1x60", "0+0x60"),
}
"""Metric, its labels, values of each minute at which the alert fires, and at which it does not."""

SEVERAL = {
    "ActorOperatorCallsFail": (
        {
            "api_calls_total": {
                'verb="get", kind="Pod", code="500"': "0+6x60",
                'verb="get", kind="Pod", code="200"': "0+60x60",
            }
        },
        {
            "api_calls_total": {
                'verb="get", kind="Pod", code="500"': "0+1x60",
                'verb="get", kind="Pod", code="200"': "0+60x60",
            }
        },
    ),
    "ActorOperatorIsSlow": (
        {
            "loop_lag_seconds_bucket": {
                'le="0.5"': "0+0x60",
                'le="1"': "0+60x60",
                'le="+Inf"': "0+60x60",
            }
        },
        {"loop_lag_seconds_bucket": {'le="0.1"': "0+60x60", 'le="+Inf"': "0+60x60"}},
    ),
    "ActorApiFails": (
        {
            "api_requests_total": {
                'method="GET", route="r", status="503"': "0+2x60",
                'method="GET", route="r", status="200"': "0+100x60",
            }
        },
        {
            "api_requests_total": {
                'method="GET", route="r", status="503"': "0+1x60",
                'method="GET", route="r", status="200"': "0+100x60",
            }
        },
    ),
    "ActorApiWritesSlowly": (
        {
            "api_commit_seconds_bucket": {
                'le="1.0"': "0+0x60",
                'le="2.5"': "0+60x60",
                'le="+Inf"': "0+60x60",
            }
        },
        {"api_commit_seconds_bucket": {'le="0.1"': "0+60x60", 'le="+Inf"': "0+60x60"}},
    ),
}
"""Alerts that look at more than one series: when they fire, and when they do not."""

Input = dict[str, dict[str, str]]
"""Values of each minute by labels, by metric."""


@pytest.fixture(scope="module")
def promtool() -> Path:
    """The program."""
    try:
        return ensure_prometheus() / "promtool"
    except ClusterToolError as error:
        pytest.skip(f"promtool is missing: {error}")


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The alerts as a rule file."""
    path = tmp_path_factory.mktemp("alerts") / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": rule_groups()}))
    return path


def inputs(alert: str) -> tuple[Input, Input]:
    """What makes an alert fire, and what does not."""
    if alert in SEVERAL:
        return SEVERAL[alert]
    metric, labels, bad, good = SERIES[alert]
    return {metric: {labels: bad}}, {metric: {labels: good}}


def service_of(alert: str) -> str:
    """The Service through which the metrics of an alert are scraped."""
    return API_SERVICE if alert.startswith("ActorApi") else SERVICE


def test_promtool_finds_nothing_wrong_with_the_alerts(promtool: Path, rules: Path) -> None:
    said = run([promtool, "check", "rules", rules])

    assert f"{len(alerts())} rules found" in said


def test_each_alert_has_a_case() -> None:
    assert {alert["alert"] for alert in alerts()} == {*SERIES, *SEVERAL}


@pytest.mark.parametrize("fires", [True, False], ids=["fires", "is silent"])
@pytest.mark.parametrize("alert", [*SERIES, *SEVERAL])
def test_an_alert(promtool: Path, rules: Path, tmp_path: Path, alert: str, fires: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    service = service_of(alert)
    series = [
        {
            "series": f'actor_operator_{metric}{{namespace="{NAMESPACE}", service="{service}"'
            + (f", {labels}}}" if labels else "}"),
            "values": values,
        }
        for metric, by_labels in inputs(alert)[0 if fires else 1].items()
        for labels, values in by_labels.items()
    ]
    expression = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) or vector(0)'
    firing: dict[str, Any] = {
        "expr": expression,
        "eval_time": "40m",
        "exp_samples": [{"labels": "{}", "value": int(fires)}],
    }
    case = {"interval": "1m", "input_series": series, "promql_expr_test": [firing]}
    path = tmp_path / "case.yaml"
    path.write_text(yaml.safe_dump({"rule_files": [str(rules)], "tests": [case]}))

    assert "SUCCESS" in run([promtool, "test", "rules", path])
