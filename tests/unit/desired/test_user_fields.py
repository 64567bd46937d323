"""A run cannot become a pod of its creator's design: proved field by field.

Every leaf of ``ActorRun.spec`` in the generated CRD gets a value of its own, alone; pod and Secret
must then equal those without it, byte for byte, except in the places that are listed here. A field
that somebody adds to the kind fails here until its places are listed too.
"""

import base64
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import msgspec
import pytest
from tests.support.builders import IMAGE, KEYRING, RUN_UID, SETTINGS, an_actor

from actor_operator.api.v1alpha1.actor_run import ActorRun
from actor_operator.api.views.actor import Build
from actor_operator.api.views.run import RunView
from actor_operator.crdgen.manifest import root_schema
from actor_operator.desired.pod import build_objects
from actor_operator.desired.resolve import resolve

Json = dict[str, Any]

ANNOTATION = "pod.metadata.annotations.actor-operator.dev/resolved"
RESOURCES = "pod.spec.containers.0.resources"

REACHES: dict[str, set[str]] = {
    # Through the Actor: the run only chooses among what its owner has written.
    "actor": {ANNOTATION},
    "build": {
        ANNOTATION,
        "pod.spec.containers.0.image",
        "variables.ACTOR_BUILD_ID",
        "variables.APIFY_ACTOR_BUILD_ID",
        "variables.ACTOR_BUILD_NUMBER",
        "variables.APIFY_ACTOR_BUILD_NUMBER",
        "variables.ACTOR_BUILD_TAGS",
    },
    "memoryMbytes": {
        ANNOTATION,
        *(
            f"{RESOURCES}.{kind}.{name}"
            for kind in ("limits", "requests")
            for name in ("cpu", "memory", "ephemeral-storage")
        ),
        "pod.spec.volumes.0.emptyDir.sizeLimit",
        "variables.ACTOR_MEMORY_MBYTES",
        "variables.APIFY_MEMORY_MBYTES",
        "variables.APIFY_DEDICATED_CPUS",
    },
    "timeoutSecs": {
        ANNOTATION,
        "pod.spec.activeDeadlineSeconds",
        "variables.ACTOR_TIMEOUT_AT",
        "variables.APIFY_TIMEOUT_AT",
    },
    # Through the Secret, as values of variables and nothing else.
    "input": {"variables.ACTOR_INPUT_JSON"},
    "origin": {"variables.APIFY_META_ORIGIN"},
    "restartOnError": {ANNOTATION, "variables.ACTOR_RESTART_ON_ERROR"},
    "limits.maxItems": {ANNOTATION, "variables.ACTOR_MAX_PAID_DATASET_ITEMS"},
    "limits.maxTotalChargeUsd": {ANNOTATION, "variables.ACTOR_MAX_TOTAL_CHARGE_USD"},
    # Nowhere: these are requests to the operator, or for after the end.
    "whenMemoryExceeded": set(),
    "ttlSecondsAfterFinished": set(),
    "abort.attempt": set(),
    "abort.mode": set(),
    "reboot.attempt": set(),
    "reboot.count": set(),
    "resurrect.attempt": set(),
    "resurrect.build": set(),
    "resurrect.memoryMbytes": set(),
    "resurrect.timeoutSecs": set(),
    "resurrect.restartOnError": set(),
    "resurrect.limits.maxItems": set(),
    "resurrect.limits.maxTotalChargeUsd": set(),
}
"""Where each field of a run may be seen in its pod and Secret."""

MARKERS: Json = {
    "actor": "owner/greeter",
    "build": "marker",
    "resurrect.build": "marker",
    "input": {"marker": "marker"},
    "origin": "MCP",
    "whenMemoryExceeded": "Reject",
    "abort.mode": "Graceful",
}
"""Values of fields that are no plain numbers, booleans or sizes."""

SUFFIX = "<suffix>"
"""Stands for the end of the Secret's name, which is a digest of its content."""


@cache
def schema() -> Json:
    """The schema of ``ActorRun.spec``, as it is generated."""
    spec: Json = root_schema(ActorRun)["properties"]["spec"]
    return spec


def leaves(node: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Every field of a schema that has no fields of its own."""
    if "properties" not in node:
        yield path, node
        return
    for name, child in node["properties"].items():
        yield from leaves(child, f"{path}.{name}" if path else name)


def marker(path: str, node: Json) -> Any:
    """A value that the schema allows and that differs from every default."""
    if path in MARKERS:
        return MARKERS[path]
    match node:
        case {"enum": [*values]}:
            return values[-1]
        case {"type": "integer" | "number"}:
            return 7
        case {"type": "boolean"}:
            return True
        case _:
            pass
    raise AssertionError(f"say in MARKERS what spec.{path} is given")


def spec_without(path: str) -> Json:
    """The least spec in which a field can be set: what its parents require, and not the field."""
    spec: Json = {"actor": "greeter"}
    *parents, last = path.split(".")
    here, node = spec, schema()
    for name in parents:
        node = node["properties"][name]
        required = node.get("required", [])
        if last in required:
            return spec
        here[name] = dict.fromkeys(required, 2)
        here = here[name]
    return spec


def spec_with(path: str, value: Any) -> Json:
    spec = spec_without(path)
    *parents, last = path.split(".")
    here, node = spec, schema()
    for name in parents:
        node = node["properties"][name]
        here = here.setdefault(name, dict.fromkeys(node.get("required", []), 2))
    here[last] = value
    return spec


def read(spec: Json, **metadata: Any) -> RunView:
    """The run as the operator reads it."""
    identity = {
        "name": "hello",
        "namespace": "team",
        "uid": RUN_UID,
        "creationTimestamp": "2026-03-01T12:00:00Z",
    }
    data = msgspec.json.encode({"metadata": identity | metadata, "spec": spec})
    return msgspec.json.decode(data, type=RunView)


def built(run: RunView) -> dict[str, Any]:
    """Every value of pod and Secret by its path."""
    actor = an_actor(
        namespace="team" if run.spec.actor == "greeter" else "owner",
        is_public=True,
        builds=[Build("1.0.1", IMAGE), Build("2.0.1", "registry.example/marker")],
        tagged_builds={"latest": "1.0.1", "marker": "2.0.1"},
    )
    # The same Actor for both: that another one can be named is what the field is for.
    actor = msgspec.structs.replace(
        actor, metadata=msgspec.structs.replace(actor.metadata, namespace="team")
    )
    objects = build_objects(run, resolve(run, actor, SETTINGS), keyring=KEYRING, settings=SETTINGS)
    pod, secret = (
        item.model_dump(by_alias=True, exclude_none=True, mode="json")
        for item in (objects.pod, objects.secret)
    )
    data = secret.pop("data")
    variables = {name: base64.b64decode(value).decode() for name, value in data.items()}
    suffix = objects.secret_name.rpartition("-")[2]
    flat = flatten({"pod": pod, "secret": secret, "variables": variables})
    return {
        path: value.replace(suffix, SUFFIX) if isinstance(value, str) else value
        for path, value in flat.items()
    }


def flatten(value: Any, path: str = "") -> dict[str, Any]:
    match value:
        case dict():
            items = value.items()
        case list():
            items = {str(number): item for number, item in enumerate(value)}.items()
        case _:
            return {path: value}
    return {
        key: leaf
        for name, item in items
        for key, leaf in flatten(item, f"{path}.{name}" if path else name).items()
    }


def reached(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """The paths whose values differ."""
    return {p for p in before.keys() | after.keys() if before.get(p) != after.get(p)}


@pytest.mark.parametrize("path", list(dict(leaves(schema()))))
def test_a_field_of_a_run_reaches_only_its_listed_places(path: str) -> None:
    assert path in REACHES, f"list in REACHES where spec.{path} may be seen in a pod"
    changed = spec_with(path, marker(path, dict(leaves(schema()))[path]))
    ActorRun.model_validate({"metadata": {"name": "hello"}, "spec": changed})

    places = reached(built(read(spec_without(path))), built(read(changed)))

    assert places == REACHES[path]


def test_no_field_is_listed_that_the_kind_does_not_have() -> None:
    assert REACHES.keys() == dict(leaves(schema())).keys()


def test_a_field_that_somebody_adds_is_found() -> None:
    """The walk itself: at the top, in a group, and a group of its own."""
    new = {"type": "string"}
    doctored = deepcopy(schema())
    doctored["properties"]["image"] = new
    doctored["properties"]["limits"]["properties"]["image"] = new
    doctored["properties"]["pod"] = {"type": "object", "properties": {"image": new}}

    found = dict(leaves(doctored)).keys() - REACHES.keys()

    assert found == {"image", "limits.image", "pod.image"}


def test_the_end_of_the_secrets_name_is_all_that_follows_from_its_content() -> None:
    """``SUFFIX`` hides nothing else: only names that hold the digest."""
    hidden = {
        path for path, value in built(read({"actor": "greeter"})).items() if SUFFIX in str(value)
    }

    assert hidden == {
        "pod.metadata.labels.actor-operator.dev/environment",
        "pod.spec.containers.0.envFrom.0.secretRef.name",
        "secret.metadata.name",
    }


def test_labels_and_annotations_of_a_run_stay_with_the_run() -> None:
    marked = read(
        {"actor": "greeter"},
        labels={"marker": "marker"},
        annotations={"marker": "marker", "cluster-autoscaler.kubernetes.io/safe-to-evict": "true"},
        finalizers=["example.com/marker"],
    )

    assert built(marked) == built(read({"actor": "greeter"}))


def test_fields_that_a_pod_has_and_a_run_does_not_are_ignored() -> None:
    pod_like = {
        "image": "evil",
        "command": ["sh"],
        "serviceAccountName": "admin",
        "nodeSelector": {"a": "b"},
        "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
        "securityContext": {"privileged": True},
        "env": [{"name": "A", "value": "b"}],
    }

    assert built(read({"actor": "greeter", **pod_like})) == built(read({"actor": "greeter"}))
