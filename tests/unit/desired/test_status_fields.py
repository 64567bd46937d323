"""What of a run's status reaches its next pod: proved field by field, as with its spec.

The operator alone may write it. What is read back is what an attempt was begun with, so that all of
its pods are alike, and the counters that number them.
"""

from functools import cache
from typing import Any

import msgspec
import pytest
from tests.support.builders import KEYRING, RUN_UID, SETTINGS, an_actor
from tests.support.user_fields import Json, changed, differing, leaves, marker, values_of

from actor_operator.api.v1alpha1.actor_run import ActorRun
from actor_operator.api.views.run import RunView
from actor_operator.crdgen.manifest import root_schema
from actor_operator.desired.environment import input_sha256
from actor_operator.desired.pod import build_objects
from actor_operator.desired.resolve import resolve
from actor_operator.errors import TerminalError

ANNOTATION = "pod.metadata.annotations.actor-operator.dev/resolved"
CONTAINER = "pod.spec.containers.0"
REFUSED = "there is no pod"

NUMBER = {
    "pod.metadata.name",
    "secret.metadata.name",
    f"{CONTAINER}.envFrom.0.secretRef.name",
}
"""What the number of the pod is part of."""

REACHES: dict[str, set[str]] = {
    "attempt": {"pod.metadata.labels.actor-operator.dev/attempt", *NUMBER},
    "stats.restartCount": NUMBER,
    "stats.migrationCount": NUMBER,
    "stats.rebootCount": NUMBER,
    "image": {ANNOTATION, f"{CONTAINER}.image"},
    "buildNumber": {REFUSED},
    "inputSha256": {REFUSED},
    "admittedAt": {
        f"variables.{prefix}_{name}"
        for prefix in ("ACTOR", "APIFY")
        for name in ("STARTED_AT", "TIMEOUT_AT")
    },
    "options.build": {ANNOTATION},
    "options.memoryMbytes": {
        ANNOTATION,
        *(
            f"{CONTAINER}.resources.{kind}.{name}"
            for kind in ("limits", "requests")
            for name in ("cpu", "memory", "ephemeral-storage")
        ),
        "pod.spec.volumes.0.emptyDir.sizeLimit",
        "variables.ACTOR_MEMORY_MBYTES",
        "variables.APIFY_MEMORY_MBYTES",
        "variables.APIFY_DEDICATED_CPUS",
    },
    "options.timeoutSecs": {
        ANNOTATION,
        "pod.spec.activeDeadlineSeconds",
        "variables.ACTOR_TIMEOUT_AT",
        "variables.APIFY_TIMEOUT_AT",
    },
    "options.restartOnError": {ANNOTATION, "variables.ACTOR_RESTART_ON_ERROR"},
    "options.maxItems": {ANNOTATION, "variables.ACTOR_MAX_PAID_DATASET_ITEMS"},
    "options.maxTotalChargeUsd": {ANNOTATION, "variables.ACTOR_MAX_TOTAL_CHARGE_USD"},
}
"""Where a field of the status may be seen in pod and Secret; one that is not here, nowhere."""

INPUT = {"a": "b"}


@cache
def schema() -> Json:
    """The schema of ``ActorRun.status``, as it is generated."""
    status: Json = root_schema(ActorRun)["properties"]["status"]
    return status


def read(status: Json) -> RunView:
    identity = {
        "name": "hello",
        "namespace": "team",
        "uid": RUN_UID,
        "creationTimestamp": "2026-03-01T12:00:00Z",
    }
    spec = {"actor": "greeter", "input": INPUT}
    data = msgspec.json.encode({"metadata": identity, "spec": spec, "status": status})
    return msgspec.json.decode(data, type=RunView)


OF_BASE: Json = {
    "buildNumber": "1.0.1",
    "image": "registry.example/hello@sha256:1",
    "inputSha256": input_sha256(read({})),
}
"""Values of fields that must fit to the rest."""


def every_field(node: Json, path: str = "") -> Any:
    """A value for a part of the schema, in which every field is set."""
    if path in OF_BASE:
        return OF_BASE[path]
    match node:
        case {"properties": children}:
            return {
                name: every_field(child, f"{path}.{name}" if path else name)
                for name, child in children.items()
            }
        case {"items": child}:
            return [every_field(child, f"{path}[]")]
        case {"enum": [first, *_]}:
            return first
        case {"format": "date-time"}:
            return "2026-03-01T12:00:01Z"
        case _:
            return {"string": "word", "boolean": False}.get(node["type"], 1)


def another(path: str, node: Json) -> Any:
    """Another value than that."""
    match node:
        case {"format": "date-time"}:
            return "2026-03-01T13:00:00Z"
        case {"type": "string"} if "enum" not in node:
            return "marker"
        case _:
            return marker(path, node, {})


def built(status: Json) -> Json:
    """Every value of the run's pod and Secret by its path."""
    run = read(status)
    try:
        resolution = resolve(run, an_actor(), SETTINGS)
        return values_of(build_objects(run, resolution, keyring=KEYRING, settings=SETTINGS))
    except TerminalError:
        return {REFUSED: True}


@pytest.mark.parametrize("path", list(dict(leaves(schema()))))
def test_a_field_of_the_status_reaches_only_its_listed_places(path: str) -> None:
    before = every_field(schema())
    after = built(changed(before, path, another(path, dict(leaves(schema()))[path])))

    assert REFUSED not in built(before)
    places = {REFUSED} if REFUSED in after else differing(built(before), after)
    assert places == REACHES.get(path, set())


def test_no_field_is_listed_that_the_status_does_not_have() -> None:
    assert REACHES.keys() <= dict(leaves(schema())).keys()
