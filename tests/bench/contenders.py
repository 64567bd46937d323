"""What competes: an ActorRun, and a Job whose bare pod asks for the same resources."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.history import Object
from tests.support.rest import GROUP_PATH

from actor_operator.api.v1alpha1.phase import FINISHED

IMAGES = {
    "short": "registry.example/actor:simulate-1s",
    "endless": "registry.example/actor:1",
}
"""Image by Actor. A tag tells simulated nodes when to end the container; without, it runs on."""

RESOURCES = {"memory": "128Mi", "cpu": "32m", "ephemeral-storage": "256Mi"}
"""Requests and limits that a run with 128 MB gets."""

ENDS = frozenset({*FINISHED, "Complete", "Failed"})
"""Phases of runs, and conditions of Jobs, that are their end."""


@dataclass(frozen=True)
class Contender:
    """One way of running a container to its end."""

    kind: str
    path: str
    """Path of its objects, with the placeholder `namespace`."""
    body: Callable[[str, Mapping[str, Any]], Object]
    """The object of a name, with more fields of the spec."""
    spec: Mapping[str, Any] = field(default_factory=dict)
    """What it has beside the usual."""

    def manifest(self, name: str, **spec: Any) -> Object:
        """One object."""
        return self.body(name, {**self.spec, **spec})

    def having(self, **spec: Any) -> "Contender":
        """The same with other fields of the spec."""
        return replace(self, spec={**self.spec, **spec})


def actor(name: str) -> Object:
    """The manifest of an Actor."""
    return {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "Actor",
        "metadata": {"name": name},
        "spec": {
            "builds": [{"number": "1.0.1", "image": IMAGES[name]}],
            "taggedBuilds": {"latest": "1.0.1"},
        },
    }


def _run(name: str, spec: Mapping[str, Any]) -> Object:
    return {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorRun",
        "metadata": {"name": name},
        "spec": {"actor": "short", "memoryMbytes": 128, **spec},
    }


def _job(name: str, spec: Mapping[str, Any]) -> Object:
    container = {
        "name": "actor",
        "image": IMAGES["short"],
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
        "spec": {"backoffLimit": 0, "template": {"spec": pod}, **spec},
    }


RUNS = Contender("ActorRun", f"{GROUP_PATH}/namespaces/{{namespace}}/actorruns", _run)
"""Runs of an Actor."""

JOBS = Contender("Job", "/apis/batch/v1/namespaces/{namespace}/jobs", _job)
"""Jobs of the built-in controller."""
