"""What Kubernetes is asked about tokens, and how its answers are read."""

import json
from typing import Any

import pytest
from tests.support.answering_server import Server, a_client

from actor_operator.kube.reviews import Reviews, Subject

USER = {
    "username": "jane",
    "uid": "u",
    "groups": ["devs"],
    "extra": {"authentication.kubernetes.io/pod-name": ["p"]},
}
JANE = Subject("jane", "u", ("devs",), {"authentication.kubernetes.io/pod-name": ("p",)})


def answer(status: dict[str, Any]) -> tuple[int, str]:
    return 201, json.dumps({"status": status})


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"authenticated": True, "user": USER, "audiences": ["actor-operator.dev"]}, JANE),
        ({"authenticated": True, "user": USER, "audiences": ["https://kubernetes"]}, None),
        ({"authenticated": True, "user": USER}, None),
        ({"authenticated": False, "error": "it is spoilt"}, None),
        ({}, None),
    ],
)
async def test_a_token_must_be_made_for_us(
    http: Server, status: dict[str, Any], expected: Subject | None
) -> None:
    http.answer(answer(status))
    async with a_client(http) as client:
        assert await Reviews(client).whose("a.b.c") == expected

    (seen,) = http.seen
    assert seen.path == "/apis/authentication.k8s.io/v1/tokenreviews"
    assert json.loads(seen.body)["spec"] == {"token": "a.b.c", "audiences": ["actor-operator.dev"]}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"allowed": True}, True),
        ({"allowed": False}, False),
        ({"allowed": True, "denied": True}, False),
        ({}, False),
    ],
)
async def test_kubernetes_says_what_somebody_may_do(
    http: Server, status: dict[str, Any], *, expected: bool
) -> None:
    http.answer(answer(status))
    async with a_client(http) as client:
        assert await Reviews(client).may(JANE, "team", "storages", "get") is expected

    (seen,) = http.seen
    assert seen.path == "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    spec = json.loads(seen.body)["spec"]
    attributes = {
        "namespace": "team",
        "group": "actor-operator.dev",
        "resource": "storages",
        "verb": "get",
    }
    assert spec == {
        "user": "jane",
        "uid": "u",
        "groups": ["devs"],
        "extra": USER["extra"],
        "resourceAttributes": attributes,
    }
