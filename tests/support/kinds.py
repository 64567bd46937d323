"""Objects of our kinds on a real API server, brought to where a test wants them."""

import itertools
from typing import Any

from tests.support.rest import RestClient

BASES: dict[str, dict[str, Any]] = {
    "actors": {
        "kind": "Actor",
        "spec": {
            "builds": [{"number": "1.0.1", "image": "ghcr.io/acme/hello:1"}],
            "taggedBuilds": {"latest": "1.0.1"},
        },
    },
    "actorruns": {"kind": "ActorRun", "spec": {"actor": "hello-world"}},
    "actoraccounts": {"kind": "ActorAccount", "spec": {}},
    "actortokens": {
        "kind": "ActorToken",
        "spec": {"account": "default", "sha256": "0" * 64, "scopes": ["read"]},
    },
}
"""The manifest of each kind over which cases are laid."""

PATHS: dict[str, list[str]] = {
    "READY": [],
    "RUNNING": ["RUNNING"],
    "TIMING-OUT": ["TIMING-OUT"],
    "ABORTING": ["ABORTING"],
    "SUCCEEDED": ["RUNNING", "SUCCEEDED"],
    "FAILED": ["FAILED"],
    "TIMED-OUT": ["TIMING-OUT", "TIMED-OUT"],
    "ABORTED": ["ABORTING", "ABORTED"],
}
"""How a new run gets to each phase."""

FINISHED = frozenset({"SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED"})
"""The phases of a run that has ended."""

_numbers = itertools.count(1)


def manifest(
    plural: str, spec: dict[str, Any] | None = None, *, name: str | None = None
) -> dict[str, Any]:
    """The base of a kind with a spec laid over it; a field that is None is left out."""
    base = BASES[plural]
    laid = {**base["spec"], **(spec or {})}
    return {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": base["kind"],
        "metadata": {"name": name or f"x{next(_numbers)}"},
        "spec": {field: value for field, value in laid.items() if value is not None},
    }


def create_run(api: RestClient, **spec: Any) -> str:
    """Create a run and return its name."""
    body = manifest("actorruns", spec)
    answer = api.create("actorruns", body)
    assert answer.accepted, answer.sentences
    return str(body["metadata"]["name"])


def write_status(api: RestClient, name: str, **status: Any) -> list[str]:
    """Merge into a run's status; what the server says against it."""
    return api.patch("actorruns", name, {"status": status}, subresource="/status").sentences


def bring(api: RestClient, name: str, phase: str) -> None:
    """Write the statuses that lead a new run to a phase of its first attempt."""
    for step in PATHS[phase]:
        assert write_status(api, name, phase=step, finished=step in FINISHED) == []


def resurrect(api: RestClient, name: str) -> None:
    """Write the status with which the second attempt of a finished run starts."""
    assert write_status(api, name, phase="READY", attempt=2, finished=False) == []
