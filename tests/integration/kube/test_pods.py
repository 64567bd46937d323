"""Stopping and deleting the very pod that is meant."""

from collections.abc import AsyncIterator

import pytest
from tests.support.answering_server import a_connection
from tests.support.apiserver import ApiServer, on

from actor_operator.kube.client import KubeClient
from actor_operator.kube.errors import InvalidError
from actor_operator.kube.pods import Pods

POD = {
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "actor", "image": "x"}], "activeDeadlineSeconds": 60},
}


@pytest.fixture
async def pods(server: ApiServer) -> AsyncIterator[Pods]:
    async with KubeClient(a_connection(server.url), user_agent="test") as client:
        yield Pods(client)


async def test_a_pod_is_stopped_by_its_deadline(server: ApiServer, pods: Pods) -> None:
    uid = server.create("pods", POD)["metadata"]["uid"]
    stopped = await pods.stop("default", "p", uid=uid)

    assert stopped is not None
    assert stopped.spec.active_deadline_seconds == 1


async def test_another_pod_of_that_name_is_left_alone(server: ApiServer, pods: Pods) -> None:
    server.create("pods", POD)

    assert await pods.stop("default", "p", uid="another") is None
    assert await pods.delete("default", "p", uid="another", grace_seconds=1) is None
    assert server.get("pods", "default", "p")["spec"]["activeDeadlineSeconds"] == 60


async def test_a_pod_that_is_gone_is_none(pods: Pods) -> None:
    assert await pods.stop("default", "p", uid="gone") is None
    assert await pods.delete("default", "p", uid="gone", grace_seconds=1) is None


async def test_any_other_refusal_is_told(server: ApiServer, pods: Pods) -> None:
    uid = server.create("pods", POD)["metadata"]["uid"]
    server.faults.fail(422, on("patch", "pods"))

    with pytest.raises(InvalidError):
        await pods.stop("default", "p", uid=uid)
