"""Our kinds as Python models."""

from datetime import UTC, datetime
from typing import Any, get_type_hints

import msgspec
import pytest
from pydantic import BaseModel, ValidationError

from actor_operator.api.base import ApiModel, Condition, CustomResource
from actor_operator.api.v1alpha1.actor import Actor, EnvVar
from actor_operator.api.v1alpha1.actor_account import ActorAccount
from actor_operator.api.v1alpha1.actor_run import AbortMode, ActorRun, Origin
from actor_operator.api.v1alpha1.actor_run_status import ActorRunStatus
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.run import NOT_ON_THE_WIRE, RunView


def a_run(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorRun",
        "metadata": {"name": "x"},
        "spec": {"actor": "hello-world", **spec},
    }


def test_a_manifest_is_read_with_its_defaults() -> None:
    run = ActorRun.model_validate(a_run(memoryMbytes=256, abort={"attempt": 1}))

    assert run.spec.memory_mbytes == 256
    assert run.spec.origin is Origin.CLI
    assert run.spec.abort
    assert run.spec.abort.mode is AbortMode.IMMEDIATE
    assert run.status.phase is Phase.READY
    assert run.status.observed_generation == -1


def test_a_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"memory\n  Extra inputs are not permitted"):
        ActorRun.model_validate(a_run(memory=256))


def test_an_object_of_another_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="Input should be 'Actor'"):
        Actor.model_validate(a_run())


def test_an_object_can_be_made_with_pythons_names() -> None:
    status = ActorRunStatus(phase=Phase.RUNNING, pod_name="x-abcd-1")

    assert status.model_dump(mode="json", exclude_defaults=True) == {
        "phase": "RUNNING",
        "podName": "x-abcd-1",
    }


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"actor": "A B"}, "an Actor is named by its name, such as hello-world"),
        ({"build": "1.2"}, "a build is named by its tag"),
        ({"memoryMbytes": 300}, "must be one of 128, 256, 512"),
        ({"timeoutSecs": -1}, "greater than or equal to 0"),
        ({"input": []}, "Input should be an object|valid dictionary"),
    ],
)
def test_a_wrong_value_is_refused_with_the_sentence_of_the_api_server(
    spec: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValidationError, match=sentence):
        ActorRun.model_validate(a_run(**spec))


def test_a_trailing_line_break_is_no_part_of_a_name() -> None:
    with pytest.raises(ValidationError):
        EnvVar.model_validate({"name": "A\n", "value": "x"})


def test_objects_are_frozen() -> None:
    run = ActorRun.model_validate(a_run())

    with pytest.raises(ValidationError, match="frozen"):
        run.spec.actor = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-11-22T08:00:00Z", "2026-11-22T08:00:00Z"),
        ("2026-11-22T09:00:00+01:00", "2026-11-22T08:00:00Z"),
        ("2026-11-22T08:00:00.25Z", "2026-11-22T08:00:00.250000Z"),
    ],
)
def test_a_moment_is_written_in_utc(text: str, written: str) -> None:
    condition = {"type": "A", "status": "True", "reason": "B", "lastTransitionTime": text}

    dumped = Condition.model_validate(condition).model_dump(mode="json")

    assert dumped["lastTransitionTime"] == written


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        ActorRunStatus(started_at=datetime(2026, 11, 22, 8))  # noqa: DTZ001 -- that is the point
    assert ActorRunStatus(started_at=datetime(2026, 11, 22, 8, tzinfo=UTC)).started_at


def described(model: type[BaseModel]) -> list[str]:
    return [name for name, field in model.model_fields.items() if not field.description]


def test_every_field_has_a_docstring() -> None:
    todo: list[type[BaseModel]] = [Actor, ActorRun, ActorAccount]
    while todo:
        model = todo.pop()
        assert described(model) == [], model.__name__
        hints = get_type_hints(model)
        todo.extend(h for h in hints.values() if isinstance(h, type) and issubclass(h, ApiModel))


@pytest.mark.parametrize(("view", "kind"), [(ActorView, Actor), (RunView, ActorRun)])
def test_the_operators_view_of_a_kind_has_only_fields_of_the_kind(
    view: type[msgspec.Struct], kind: type[CustomResource]
) -> None:
    """What the operator reads and writes is what the CRD has: else it would be pruned silently."""
    schema = kind.model_json_schema()
    components = schema["$defs"]

    def fields(name: str) -> dict[str, Any]:
        node = schema["properties"][name]
        return dict(components[node["$ref"].rsplit("/", 1)[1]]["properties"])

    for part in ("spec", "status"):
        struct = get_type_hints(view)[part]
        names = {field.encode_name for field in msgspec.structs.fields(struct)}
        assert names - NOT_ON_THE_WIRE <= set(fields(part)), part
