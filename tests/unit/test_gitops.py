"""What we give to GitOps tools: health checks, examples, and the page about them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.argocd import health

ROOT = Path(__file__).parents[2]
"""The repository."""

PAGE = ROOT / "docs" / "gitops.md"

RUNS = ROOT / "tests" / "data" / "gitops"
"""Runs in every phase, as a real API server gave them."""

HEALTH = {
    "new": ("Progressing", "The operator has not seen the run yet."),
    "ready": ("Progressing", "READY: 0/3 nodes are available"),
    "running": ("Progressing", "RUNNING"),
    "timing-out": ("Progressing", "TIMING-OUT"),
    "aborting": ("Progressing", "ABORTING"),
    "succeeded": ("Healthy", "The actor ended with exit code 0."),
    "failed": ("Degraded", "FAILED: The actor ended with exit code 3."),
    "timed-out": ("Degraded", "TIMED-OUT: The run was stopped after its timeout of 2 s."),
    "aborted": ("Degraded", "ABORTED: The run was aborted."),
}
"""What Argo CD is to say; a message may go on."""


def _run(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((RUNS / f"{name}.yaml").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", sorted(HEALTH))
def test_argo_cd_takes_a_run_for(name: str) -> None:
    status, message = health(_run(name))

    assert (status, message[: len(HEALTH[name][1])]) == HEALTH[name]


def test_there_is_a_run_of_each_phase() -> None:
    phases = {_run(name)["status"]["phase"].lower() for name in HEALTH}

    assert phases == set(HEALTH) - {"new"}
    assert {path.stem for path in RUNS.glob("*.yaml")} == set(HEALTH)


@pytest.mark.parametrize("name", ["succeeded", "failed"])
def test_argo_cd_waits_for_what_the_operator_has_not_seen_yet(name: str) -> None:
    run = _run(name)
    run["metadata"]["generation"] += 1

    assert health(run)[0] == "Progressing"


@pytest.mark.parametrize(
    ("status", "expected"), [("True", "Healthy"), ("False", "Degraded"), (None, "Progressing")]
)
def test_argo_cd_takes_an_actor_for(status: str | None, expected: str) -> None:
    conditions = [{"type": "Ready", "status": status, "message": "So it is."}] if status else []
    actor = {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "Actor",
        "metadata": {"generation": 2},
        "status": {"observedGeneration": 2, "conditions": conditions},
    }

    assert health(actor)[0] == expected


@pytest.mark.parametrize("name", sorted(HEALTH))
def test_a_condition_without_a_message_is_no_fault(name: str) -> None:
    run = _run(name)
    for condition in run["status"].get("conditions", ()):
        condition.pop("message", None)

    assert health(run)[0] == HEALTH[name][0]


@pytest.mark.parametrize("kind", ["Actor", "ActorRun"])
def test_an_object_without_a_status_is_in_progress(kind: str) -> None:
    found: dict[str, Any] = {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": kind,
        "metadata": {"generation": 1},
    }

    assert health(found)[0] == "Progressing"


def test_the_page_shows_the_files_as_they_are() -> None:
    shown = re.findall(
        r"<!-- file: (\S+) -->\n```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )

    assert len(shown) == 3
    for path, text in shown:
        assert text == (ROOT / path).read_text(encoding="utf-8"), path
