"""What the API server refuses, with the sentence that the user reads, and what it takes.

The manifests and their sentences are in ``tests/data/refused``.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import CommandError
from tests.cluster_tool.kubectl import Kubectl
from tests.support.kinds import BASES, bring, create_run, manifest, write_status
from tests.support.rest import RestClient, collection

pytestmark = pytest.mark.cluster

DATA = Path(__file__).parents[1] / "data" / "refused"

IMMUTABLE = (
    "spec: Forbidden: what a run was made with never changes (actor, build, memoryMbytes,"
    " timeoutSecs, restartOnError, limits, origin, whenMemoryExceeded, input); make a new run, or"
    " resurrect this one with other options"
)


def cases() -> list[Any]:
    """Every case of every file, with its sentence as its name."""
    return [
        pytest.param(plural, case, id=f"{plural} {case['it']}")
        for plural in BASES
        for case in yaml.safe_load((DATA / f"{plural}.yaml").read_text())
    ]


@pytest.mark.parametrize(("plural", "case"), cases())
def test_manifest(api: RestClient, plural: str, case: dict[str, Any]) -> None:
    body = manifest(plural, case.get("spec"), name=case.get("name"))
    name = body["metadata"]["name"]

    answer = api.create(plural, body, strict=True)
    if "patch" in case:
        assert answer.accepted, answer.sentences
        answer = api.patch(plural, name, case["patch"])

    assert answer.sentences == sorted(case.get("expect", []))
    api.call("DELETE", f"{collection(plural)}/{name}")


# A run is no pod of its creator's design


@pytest.mark.parametrize(
    "field",
    [
        "affinity",
        "annotations",
        "args",
        "command",
        "containers",
        "env",
        "hostNetwork",
        "image",
        "imagePullSecrets",
        "labels",
        "nodeSelector",
        "podTemplate",
        "priorityClassName",
        "resources",
        "runtimeClassName",
        "securityContext",
        "serviceAccountName",
        "template",
        "tolerations",
        "volumes",
    ],
)
def test_a_run_has_no_field_that_shapes_its_pod(api: RestClient, field: str) -> None:
    body = manifest("actorruns", {field: "anything"})

    answer = api.create("actorruns", body, strict=True)

    assert f'unknown field "spec.{field}"' in answer.sentences[0]


# What a run was made with


CHANGES = [
    ("build", "latest", "beta"),
    ("memoryMbytes", 256, 512),
    ("timeoutSecs", 60, 0),
    ("restartOnError", False, True),
    ("limits", {"maxItems": 1}, {"maxItems": 2}),
    ("limits", {"maxItems": 1}, {"maxItems": None, "maxTotalChargeUsd": 1}),
]
"""Optional fields that never change, with two values each."""


@pytest.mark.parametrize(("field", "value", "other"), CHANGES)
def test_an_option_cannot_be_changed(api: RestClient, field: str, value: Any, other: Any) -> None:
    name = create_run(api, **{field: value})

    assert api.patch("actorruns", name, {"spec": {field: other}}).sentences == [IMMUTABLE]


@pytest.mark.parametrize(("field", "value"), [change[:2] for change in CHANGES[:5]])
def test_an_option_cannot_be_added(api: RestClient, run: str, field: str, value: Any) -> None:
    assert api.patch("actorruns", run, {"spec": {field: value}}).sentences == [IMMUTABLE]


@pytest.mark.parametrize(("field", "value"), [change[:2] for change in CHANGES[:5]])
def test_an_option_cannot_be_removed(api: RestClient, field: str, value: Any) -> None:
    name = create_run(api, **{field: value})

    assert api.patch("actorruns", name, {"spec": {field: None}}).sentences == [IMMUTABLE]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("actor", "other"),
        ("origin", "API"),
        ("whenMemoryExceeded", "Reject"),
        ("input", {"a": 1}),
        ("input", {}),
    ],
)
def test_what_always_has_a_value_cannot_be_changed_nor_an_input_added(
    api: RestClient, run: str, field: str, value: Any
) -> None:
    assert api.patch("actorruns", run, {"spec": {field: value}}).sentences == [IMMUTABLE]


def test_an_input_cannot_be_removed(api: RestClient) -> None:
    name = create_run(api, input={"a": 1})

    assert api.patch("actorruns", name, {"spec": {"input": None}}).sentences == [IMMUTABLE]


def test_an_option_that_is_null_is_not_the_same_as_one_that_is_kept(api: RestClient) -> None:
    name = create_run(api, memoryMbytes=256)
    path = f"{collection('actorruns')}/{name}"
    stored = api.call("GET", path).body
    stored["spec"]["memoryMbytes"] = None

    assert IMMUTABLE in api.call("PUT", path, stored).sentences


def test_a_changed_option_is_refused_after_the_end_too(api: RestClient, run: str) -> None:
    bring(api, run, "SUCCEEDED")

    assert api.patch("actorruns", run, {"spec": {"timeoutSecs": 5}}).sentences == [IMMUTABLE]


# What the user sees of it all


@pytest.fixture(scope="module")
def kubectl(idle_control_plane: ControlPlane) -> Kubectl:
    """kubectl with the control plane on which nothing acts."""
    return Kubectl(idle_control_plane.kubeconfig)


def test_kubectl_shows_the_sentence(kubectl: Kubectl, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(manifest("actorruns", {"actor": "a b"}, name="odd")))

    with pytest.raises(CommandError) as refusal:
        kubectl.run("apply", "-f", str(file))

    assert (
        'The ActorRun "odd" is invalid: spec.actor: Invalid value: "a b": an Actor is named by its'
        " name, such as hello-world" in str(refusal.value)
    )


@pytest.mark.parametrize(
    "question",
    [
        ["actors", "seen"],
        ["actor", "seen"],
        ["actorruns", "seen"],
        ["arun", "seen"],
        ["aruns", "seen"],
        ["actorruns", "--field-selector=status.phase=READY,status.finished=false"],
        ["actorruns", "--field-selector=spec.actor=hello-world"],
        ["actor-operator"],
    ],
)
def test_kubectl_finds_objects_by_every_name(
    api: RestClient, kubectl: Kubectl, question: list[str]
) -> None:
    for plural in ("actors", "actorruns"):
        api.create(plural, manifest(plural, name="seen"))

    assert "seen" in kubectl.run("get", *question)


def test_kubectl_shows_the_columns(api: RestClient, kubectl: Kubectl, run: str) -> None:
    status = {
        "buildNumber": "1.2.34",
        "podName": "a-pod",
        "nodeName": "a-node",
        "containerUrl": "http://abc.runs.localhost/",
        "exitCode": 3,
        "options": {
            "build": "latest",
            "memoryMbytes": 512,
            "timeoutSecs": 0,
            "diskMbytes": 1024,
            "cpu": "125m",
        },
        "conditions": [
            {
                "type": "Succeeded",
                "status": "False",
                "reason": "ContainerFailed",
                "message": "",
                "lastTransitionTime": "2026-11-22T09:00:00Z",
            }
        ],
    }
    assert write_status(api, run, phase="FAILED", finished=True, **status) == []

    heading, line = kubectl.run("get", "arun", run).splitlines()
    wide = kubectl.run("get", "arun", run, "-o", "wide").splitlines()[1].split()

    assert heading.split()[1:] == ["PHASE", "REASON", "ACTOR", "BUILD", "MEMORY", "ATTEMPT", "AGE"]
    assert line.split()[:-1] == [
        *(run, "FAILED", "ContainerFailed", "hello-world", "1.2.34", "512", "1")
    ]
    assert wide[8:12] == ["a-pod", "a-node", "3", "http://abc.runs.localhost/"]
