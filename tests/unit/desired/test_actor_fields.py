"""What of an Actor reaches the pods of its runs: proved field by field, as with runs.

An Actor may name an image and variables, because who may write Actors may run images; it says
nothing else of a pod. The base here has every field, and each is changed alone.
"""

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
import pytest
from tests.support.builders import KEYRING, SETTINGS, a_run
from tests.support.user_fields import (
    Json,
    changed,
    differing,
    leaves,
    marker,
    values_of,
)

from actor_operator import desired
from actor_operator.api.v1alpha1.actor import Actor
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.metadata import ObjectView
from actor_operator.api.views.run import RunView
from actor_operator.crdgen.kinds import KINDS
from actor_operator.crdgen.manifest import root_schema
from actor_operator.desired.pod import build_objects
from actor_operator.desired.resolve import resolve

ANNOTATION = "pod.metadata.annotations.actor-operator.dev/resolved"
CONTAINER = "pod.spec.containers.0"

ENV_OF_BUILD: list[Json] = [
    {"name": "OF_BUILD", "value": "build"},
    {"name": "SECRET_OF_BUILD", "secretKeyRef": {"name": "one", "key": "a"}},
]
BASE: Json = {
    "apiVersion": "actor-operator.dev/v1alpha1",
    "kind": "Actor",
    "metadata": {"name": "greeter", "namespace": "team", "uid": "a", "resourceVersion": "1"},
    "spec": {
        "title": "Greeter",
        "description": "Greets.",
        "builds": [
            {
                "number": "1.0.1",
                "image": "registry.example/hello:1",
                "inputSchema": "{}",
                "env": ENV_OF_BUILD,
            },
            {"number": "2.0.1", "image": "registry.example/hello:2", "env": ENV_OF_BUILD},
        ],
        "taggedBuilds": {"latest": "1.0.1"},
        "defaultRunOptions": {
            "build": "latest",
            "memoryMbytes": 1024,
            "timeoutSecs": 60,
            "restartOnError": False,
        },
        "env": [
            {"name": "OF_ACTOR", "value": "actor"},
            {"name": "SECRET_OF_ACTOR", "secretKeyRef": {"name": "two", "key": "b"}},
        ],
        "imagePullSecrets": ["pull"],
        "webServer": {"enabled": True, "port": 4321, "readinessProbe": False},
        "isPublic": False,
        "abortSignal": "Events",
        "restartOnDisruption": True,
    },
    "status": {
        "observedGeneration": 1,
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "observedGeneration": 1,
                "lastTransitionTime": "2026-03-01T12:00:00Z",
                "reason": "Valid",
                "message": "It is.",
            }
        ],
    },
}

MARKERS: Json = {
    "spec.builds[].number": "3.0.1",
    "spec.taggedBuilds{}": "2.0.1",
    "spec.defaultRunOptions.build": "2.0.1",
    "spec.defaultRunOptions.memoryMbytes": 2048,
    "spec.defaultRunOptions.timeoutSecs": 61,
    "spec.webServer.enabled": False,
    "spec.webServer.port": 4322,
    "spec.abortSignal": "Sigterm",
    "spec.restartOnDisruption": False,
    "status.conditions[].status": "False",
    "status.conditions[].lastTransitionTime": "2026-03-01T13:00:00Z",
}
"""Values that differ from those of the base, where not any text does."""

TOGETHER: Json = {"spec.builds[].number": {"spec.taggedBuilds{}": "3.0.1"}}
"""What has to change with a field, or there would be no pod."""

NUMBER = {
    ANNOTATION,
    "variables.ACTOR_BUILD_ID",
    "variables.APIFY_ACTOR_BUILD_ID",
    "variables.ACTOR_BUILD_NUMBER",
    "variables.APIFY_ACTOR_BUILD_NUMBER",
}
IMAGE = {ANNOTATION, f"{CONTAINER}.image"}
PORT = {
    f"{CONTAINER}.ports.0.containerPort",
    "variables.ACTOR_WEB_SERVER_PORT",
    "variables.APIFY_CONTAINER_PORT",
    "variables.ACTOR_STANDBY_PORT",
}

REACHES: dict[str, set[str]] = {
    "spec.builds[].number": NUMBER,
    "spec.builds[].image": IMAGE,
    "spec.taggedBuilds{}": NUMBER | IMAGE,
    "spec.defaultRunOptions.build": NUMBER | IMAGE | {"variables.ACTOR_BUILD_TAGS"},
    "spec.defaultRunOptions.memoryMbytes": {
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
    "spec.defaultRunOptions.timeoutSecs": {
        ANNOTATION,
        "pod.spec.activeDeadlineSeconds",
        "variables.ACTOR_TIMEOUT_AT",
        "variables.APIFY_TIMEOUT_AT",
    },
    "spec.defaultRunOptions.restartOnError": {ANNOTATION, "variables.ACTOR_RESTART_ON_ERROR"},
    # Literal values only through the Secret; of Secrets only names and keys.
    "spec.env[].name": {"variables.OF_ACTOR", "variables.MARKER"},
    "spec.env[].value": {"variables.OF_ACTOR"},
    "spec.env[].secretKeyRef.name": {f"{CONTAINER}.env.0.valueFrom.secretKeyRef.name"},
    "spec.env[].secretKeyRef.key": {f"{CONTAINER}.env.0.valueFrom.secretKeyRef.key"},
    "spec.builds[].env[].name": {"variables.OF_BUILD", "variables.MARKER"},
    "spec.builds[].env[].value": {"variables.OF_BUILD"},
    "spec.builds[].env[].secretKeyRef.name": {f"{CONTAINER}.env.1.valueFrom.secretKeyRef.name"},
    "spec.builds[].env[].secretKeyRef.key": {f"{CONTAINER}.env.1.valueFrom.secretKeyRef.key"},
    "spec.imagePullSecrets[]": {"pod.spec.imagePullSecrets.0.name"},
    "spec.webServer.enabled": {
        f"{CONTAINER}.ports.0.containerPort",
        f"{CONTAINER}.ports.0.name",
    },
    "spec.webServer.port": PORT,
    "spec.webServer.readinessProbe": {
        f"{CONTAINER}.readinessProbe.{name}"
        for name in ("failureThreshold", "periodSeconds", "tcpSocket.port")
    },
}
"""Where a field of an Actor may be seen in pod and Secret; one that is not here, nowhere."""


@cache
def schema() -> Json:
    """The schema of the whole object, as it is generated, without what all objects have."""
    whole = root_schema(Actor)
    return {"properties": {part: whole["properties"][part] for part in ("spec", "status")}}


TEXTS: Json = {p: "MARKER" for p, node in leaves(schema()) if node.get("type") == "string"}
"""Any text, for each field that is one."""


def built(actor: Json) -> Json:
    """Every value of pod and Secret of a run of an Actor, by its path."""
    view = msgspec.json.decode(msgspec.json.encode(actor), type=ActorView)
    run = a_run()
    objects = build_objects(run, resolve(run, view, SETTINGS), keyring=KEYRING, settings=SETTINGS)
    return values_of(objects)


def actor_with(path: str) -> Json:
    value = marker(path, dict(leaves(schema()))[path], {**TEXTS, **MARKERS})
    actor = changed(BASE, path, value)
    for other, also in TOGETHER.get(path, {}).items():
        actor = changed(actor, other, also)
    return actor


@pytest.mark.parametrize("path", list(dict(leaves(schema()))))
def test_a_field_of_an_actor_reaches_only_its_listed_places(path: str) -> None:
    assert differing(built(BASE), built(actor_with(path))) == REACHES.get(path, set())


def test_no_field_is_listed_that_the_kind_does_not_have() -> None:
    assert REACHES.keys() <= dict(leaves(schema())).keys()


@pytest.mark.parametrize("where", ["labels", "annotations"])
def test_labels_and_annotations_of_an_actor_stay_with_the_actor(where: str) -> None:
    marked = BASE | {"metadata": BASE["metadata"] | {where: {"marker": "marker"}}}

    assert built(marked) == built(BASE)


@pytest.mark.parametrize("where", ["spec", "spec.webServer", "spec.defaultRunOptions"])
def test_fields_that_a_pod_has_and_an_actor_does_not_are_ignored(where: str) -> None:
    pod_like = {
        "command": ["sh"],
        "serviceAccountName": "admin",
        "nodeSelector": {"a": "b"},
        "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
        "securityContext": {"privileged": True},
        "hostPort": 80,
    }
    marked = BASE
    for name, value in pod_like.items():
        marked = with_unknown(marked, f"{where}.{name}", value)

    assert marked != BASE
    assert built(marked) == built(BASE)


def with_unknown(actor: Json, path: str, value: Any) -> Json:
    parent, _, name = path.rpartition(".")
    here: Any = actor
    for step in parent.split("."):
        here = here[step]
    return changed(actor, parent, here | {name: value})


def test_objects_of_no_other_kind_are_asked_when_something_is_built() -> None:
    """Accounts and tokens reach no pod: nothing that builds one is given any.

    ``ObjectView`` is what all kinds have in common, of which names and uids are used.
    """
    asked: set[type[ObjectView]] = set()
    for found in pkgutil.iter_modules(desired.__path__, f"{desired.__name__}."):
        for function in vars(importlib.import_module(found.name)).values():
            if inspect.isfunction(function) and function.__module__ == found.name:
                asked |= set(views(list(typing.get_type_hints(function).values())))

    assert asked == {RunView, ActorView, ObjectView}
    assert {kind.__name__ for kind in KINDS} == {"Actor", "ActorRun", "ActorAccount", "ActorToken"}


def views(hints: list[Any]) -> Iterator[type[ObjectView]]:
    """The kinds of objects in type hints, with those inside unions and containers."""
    for hint in hints:
        if inspect.isclass(hint) and issubclass(hint, ObjectView):
            yield hint
        yield from views(list(typing.get_args(hint)))
