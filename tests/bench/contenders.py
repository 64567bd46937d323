"""What competes: an ActorRun, and a Job whose bare pod asks for the same resources."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.history import Object, condition, status_of
from tests.support.rest import GROUP_PATH

from actor_operator.api.v1alpha1.phase import Phase

IMAGE = "registry.example/actor:simulate-1s"
"""Its tag tells simulated nodes to end the container after one second."""

RESOURCES = {"memory": "128Mi", "cpu": "32m", "ephemeral-storage": "256Mi"}
"""Requests and limits that a run with 128 MB gets."""

ACTOR = {
    "apiVersion": "actor-operator.dev/v1alpha1",
    "kind": "Actor",
    "metadata": {"name": "short"},
    "spec": {
        "builds": [{"number": "1.0.1", "image": IMAGE}],
        "taggedBuilds": {"latest": "1.0.1"},
    },
}
"""The Actor of all runs."""


@dataclass(frozen=True)
class Contender:
    """One way of running a container to its end."""

    kind: str
    path: str
    """Path of its objects, with the placeholder `namespace`."""
    body: Callable[[str], Object]
    """The object of a name."""
    succeeded: Callable[[Object], bool]
    """Whether an object says that its container has ended well."""


def _run(name: str) -> Object:
    return {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorRun",
        "metadata": {"name": name},
        "spec": {"actor": "short", "memoryMbytes": 128},
    }


def _job(name: str) -> Object:
    container = {
        "name": "actor",
        "image": IMAGE,
        "resources": {"requests": RESOURCES, "limits": RESOURCES},
    }
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [container],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}},
    }


RUNS = Contender(
    "ActorRun",
    f"{GROUP_PATH}/namespaces/{{namespace}}/actorruns",
    _run,
    lambda run: status_of(run).get("phase") == Phase.SUCCEEDED,
)
"""Runs of an Actor."""

JOBS = Contender(
    "Job",
    "/apis/batch/v1/namespaces/{namespace}/jobs",
    _job,
    lambda job: condition(job, "Complete").get("status") == "True",
)
"""Jobs of the built-in controller."""
