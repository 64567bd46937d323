"""Events as the API server gets them."""

import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from tests.support.builders import a_pod, a_run

from actor_operator.api.views.pod import PodView
from actor_operator.kube.client import PatchKind
from actor_operator.kube.events import EventRecord, Events, Reference
from actor_operator.lifecycle.events import RunEvent

NOON = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class Client:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[Any, ...]] = []

    async def create(self, resource: object, namespace: str, body: bytes) -> bytes:
        self.sent.append(("create", resource, namespace, json.loads(body)))
        return b"{}"

    async def patch(
        self, resource: object, namespace: str, name: str, body: bytes, kind: PatchKind
    ) -> bytes:
        self.sent.append(("patch", resource, namespace, name, json.loads(body), kind))
        return b"{}"


def a_record(*, note: str = "Gone.", pod: PodView | None = None) -> EventRecord:
    event = RunEvent("Warning", "Disrupted", "Migrate", note)
    about = Reference.to_pod(pod) if pod is not None else None
    return EventRecord("hello.0123", event, Reference.to_run(a_run()), about, NOON)


async def created(record: EventRecord, instance: str = "pod-1") -> dict[str, Any]:
    """The body of the request."""
    client = Client()
    await Events(cast("Any", client), instance=instance).create(record)
    ((_, _, namespace, body),) = client.sent
    assert namespace == "team"
    return cast("dict[str, Any]", body)


async def test_an_event_is_about_its_run_and_its_pod() -> None:
    run, pod = a_run(), a_pod()

    assert await created(a_record(pod=pod)) == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": "hello.0123", "namespace": "team"},
        "eventTime": "2026-03-01T12:00:00.000000Z",
        "reportingController": "actor-operator.dev",
        "reportingInstance": "pod-1",
        "type": "Warning",
        "reason": "Disrupted",
        "action": "Migrate",
        "note": "Gone.",
        "regarding": {
            "apiVersion": "actor-operator.dev/v1alpha1",
            "kind": "ActorRun",
            "namespace": "team",
            "name": "hello",
            "uid": run.uid,
        },
        "related": {
            "apiVersion": "v1",
            "kind": "Pod",
            "namespace": "team",
            "name": pod.name,
            "uid": pod.uid,
        },
    }


async def test_a_run_without_a_pod_has_no_related_object() -> None:
    assert "related" not in await created(a_record())


@pytest.mark.parametrize("letter", ["x", "ä", "🎭"])
async def test_what_is_longer_than_the_api_server_takes_is_cut(letter: str) -> None:
    body = await created(a_record(note=letter * 2000), letter * 200)

    assert 1020 <= len(body["note"].encode()) <= 1024
    assert len(body["reportingInstance"].encode()) <= 128


async def test_a_repetition_is_a_patch_of_the_series_alone() -> None:
    client = Client()
    await Events(cast("Any", client), instance="pod-1").repeat(a_record(), count=3, at=NOON)

    ((verb, _, namespace, name, body, kind),) = client.sent
    assert (verb, namespace, name, kind) == ("patch", "team", "hello.0123", PatchKind.MERGE)
    assert body == {"series": {"count": 3, "lastObservedTime": "2026-03-01T12:00:00.000000Z"}}
