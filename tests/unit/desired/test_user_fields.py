"""A run cannot become a pod of its creator's design: proved field by field.

Every leaf of ``ActorRun.spec`` in the generated CRD gets a value of its own, alone; what is made
for the run must then equal what is made without it, byte for byte, except in the places that are
listed here. A field that somebody adds to the kind fails here until its places are listed too.
"""

from copy import deepcopy
from functools import cache
from typing import Any

import msgspec
import pytest
from tests.support.builders import IMAGE, KEY, KEYRING, RUN_UID, an_actor
from tests.support.user_fields import (
    SUFFIX,
    Json,
    differing,
    flatten,
    leaves,
    marker,
    values_of,
)

from actor_operator import constants
from actor_operator.api.v1alpha1.actor_run import ActorRun
from actor_operator.api.views.actor import Build
from actor_operator.api.views.run import RunView
from actor_operator.crdgen.manifest import root_schema
from actor_operator.desired.http_route import build_http_route
from actor_operator.desired.ingress import build_ingress
from actor_operator.desired.input_key import annotation
from actor_operator.desired.pod import build_objects
from actor_operator.desired.resolve import resolve
from actor_operator.desired.service import build_service
from actor_operator.desired.url import container_url, host_of
from actor_operator.settings import Settings

ANNOTATION = "pod.metadata.annotations.actor-operator.dev/resolved"
RESOURCES = "pod.spec.containers.0.resources"

OF_BUILD = {
    ANNOTATION,
    "pod.spec.containers.0.image",
    "variables.ACTOR_BUILD_ID",
    "variables.APIFY_ACTOR_BUILD_ID",
    "variables.ACTOR_BUILD_NUMBER",
    "variables.APIFY_ACTOR_BUILD_NUMBER",
    "variables.ACTOR_BUILD_TAGS",
}
OF_MEMORY = {
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
}
OF_TIMEOUT = {
    ANNOTATION,
    "pod.spec.activeDeadlineSeconds",
    "variables.ACTOR_TIMEOUT_AT",
    "variables.APIFY_TIMEOUT_AT",
}
OF_RESTARTS = {ANNOTATION, "variables.ACTOR_RESTART_ON_ERROR"}
OF_ITEMS = {ANNOTATION, "variables.ACTOR_MAX_PAID_DATASET_ITEMS"}
OF_CHARGE = {ANNOTATION, "variables.ACTOR_MAX_TOTAL_CHARGE_USD"}

REACHES: dict[str, set[str]] = {
    # Through the Actor: the run only chooses among what its owner has written.
    "actor": {ANNOTATION, "variables.ACTOR_PERMISSION_LEVEL", "variables.APIFY_TOKEN"},
    "build": OF_BUILD,
    "memoryMbytes": OF_MEMORY,
    "timeoutSecs": OF_TIMEOUT,
    # Through the Secret, as values of variables and nothing else.
    "input": {"variables.ACTOR_INPUT_JSON"},
    "origin": {"variables.APIFY_META_ORIGIN"},
    "restartOnError": OF_RESTARTS,
    "limits.maxItems": OF_ITEMS,
    "limits.maxTotalChargeUsd": OF_CHARGE,
    # Nowhere: these are requests to the operator, or for after the end.
    "whenMemoryExceeded": set(),
    "ttlSecondsAfterFinished": set(),
    "abort.attempt": set(),
    "abort.mode": set(),
    "reboot.attempt": set(),
    "reboot.count": set(),
    # Nowhere before the attempt that they ask for.
    "resurrect.attempt": set(),
    "resurrect.build": set(),
    "resurrect.memoryMbytes": set(),
    "resurrect.timeoutSecs": set(),
    "resurrect.restartOnError": set(),
    "resurrect.limits.maxItems": set(),
    "resurrect.limits.maxTotalChargeUsd": set(),
}
"""Where each field of a run may be seen in its pod, its Secret, and what leads requests to it."""

REACHES_LATER: dict[str, set[str]] = {
    "resurrect.build": OF_BUILD,
    "resurrect.memoryMbytes": OF_MEMORY,
    "resurrect.timeoutSecs": OF_TIMEOUT,
    "resurrect.restartOnError": OF_RESTARTS,
    "resurrect.limits.maxItems": OF_ITEMS,
    "resurrect.limits.maxTotalChargeUsd": OF_CHARGE,
}
"""Where each may be seen in the pod of the attempt that was asked for."""

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

EVERYTHING = Settings.model_validate(
    {
        "api": {"enabled": True, "internalUrl": "http://api.ops", "eventsUrl": "http://events.ops"},
        "network": {"webServerFrom": ["edge"]},
        "webServer": {
            "domain": "runs.example",
            "ingress": {"className": "web"},
            "gateway": {"name": "web", "namespace": "edge"},
        },
    }
)
"""An installation in which runs get all that there is."""


@cache
def schema() -> Json:
    """The schema of ``ActorRun.spec``, as it is generated."""
    spec: Json = root_schema(ActorRun)["properties"]["spec"]
    return spec


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


def read(spec: Json, status: Json | None = None, **metadata: Any) -> RunView:
    """The run as the operator reads it."""
    identity = {
        "name": "hello",
        "namespace": "team",
        "uid": RUN_UID,
        "creationTimestamp": "2026-03-01T12:00:00Z",
    }
    data = msgspec.json.encode(
        {"metadata": identity | metadata, "spec": spec, "status": status or {}}
    )
    return msgspec.json.decode(data, type=RunView)


def built(run: RunView) -> dict[str, Any]:
    """Every value of all that is made for the run, by its path."""
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
    url = container_url(KEY, run.uid, EVERYTHING.web_server)
    resolution = resolve(run, actor, EVERYTHING, url)
    objects = build_objects(run, resolution, keyring=KEYRING, settings=EVERYTHING)
    network = {
        "service": build_service(run),
        "ingress": build_ingress(run, host_of(url), EVERYTHING.web_server),
        "route": build_http_route(run, host_of(url), EVERYTHING.web_server.gateway),
    }
    return values_of(objects) | flatten(network)


@pytest.mark.parametrize("path", list(dict(leaves(schema()))))
def test_a_field_of_a_run_reaches_only_its_listed_places(path: str) -> None:
    assert path in REACHES, f"list in REACHES where spec.{path} may be seen in a pod"
    changed = spec_with(path, marker(path, dict(leaves(schema()))[path], MARKERS))
    ActorRun.model_validate({"metadata": {"name": "hello"}, "spec": changed})

    places = differing(built(read(spec_without(path))), built(read(changed)))

    assert places == REACHES[path]


@pytest.mark.parametrize("path", [p for p in dict(leaves(schema())) if p.startswith("resurrect.")])
def test_a_field_of_a_resurrection_reaches_only_what_that_of_its_run_would(path: str) -> None:
    asked = {"actor": "greeter", "resurrect": {"attempt": 2}}
    status = {"attempt": 2, "queuedAt": "2026-03-01T13:00:00Z"}
    wish = spec_with(path, marker(path, dict(leaves(schema()))[path], MARKERS))["resurrect"]
    wanted = asked | {"resurrect": wish | {"attempt": 2}}

    places = differing(built(read(asked, status)), built(read(wanted, status)))

    assert places == REACHES_LATER.get(path, set())


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


OF_OURS = sorted(
    value for name, value in vars(constants).items() if name.startswith(("ANNOTATION_", "LABEL_"))
)
"""Every label and annotation that the operator reads or writes anywhere."""


@pytest.mark.parametrize(
    "key", [*OF_OURS, "marker", "cluster-autoscaler.kubernetes.io/safe-to-evict"]
)
@pytest.mark.parametrize("where", ["labels", "annotations"])
def test_a_label_or_annotation_of_a_run_stays_with_the_run(where: str, key: str) -> None:
    marked = read(
        {"actor": "greeter"}, None, **{where: {key: "marker"}, "finalizers": ["example.com/marker"]}
    )

    assert built(marked) == built(read({"actor": "greeter"}))


def test_a_locked_key_of_an_input_reaches_two_variables() -> None:
    """The only annotation that is more than a mark; the API server alone may write it."""
    locked = annotation("k1", "A" * 40)

    marked = read({"actor": "greeter"}, None, annotations={constants.ANNOTATION_INPUT_KEY: locked})

    assert differing(built(marked), built(read({"actor": "greeter"}))) == {
        "variables.APIFY_INPUT_SECRETS_PRIVATE_KEY_FILE",
        "variables.APIFY_INPUT_SECRETS_PRIVATE_KEY_PASSPHRASE",
    }


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
