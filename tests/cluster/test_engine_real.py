"""The engine and its client on a real API server."""

import asyncio
import json
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import msgspec
import pytest
from tests.cluster_tool.control_plane import ControlPlane
from tests.support.mirror import NAMESPACE, SECRETS, mirror
from tests.support.replica import TIMING, Replica

from actor_operator.kube.client import KubeClient, PatchKind
from actor_operator.kube.credentials import Connection, connect
from actor_operator.kube.errors import (
    AlreadyExistsError,
    ConflictError,
    GoneError,
    InvalidError,
    NotFoundError,
    UnauthorizedError,
    UnreachableError,
)
from actor_operator.kube.resources import Resource
from actor_operator.kube.transport import Timeouts

pytestmark = pytest.mark.cluster

RUNS = Resource("actor-operator.dev", "v1alpha1", "actorruns", "ActorRun")
PODS = Resource("", "v1", "pods", "Pod")
NO_SUCH_KIND = Resource("actor-operator.dev", "v1alpha1", "nothings", "Nothing")


@pytest.fixture
def connection(idle_control_plane: ControlPlane) -> Connection:
    return connect(str(idle_control_plane.kubeconfig))


STARTER = ThreadPoolExecutor(1)
"""Starts the API server, which dies with the thread that started it: this one lives on."""


async def start_api_server(control_plane: ControlPlane) -> None:
    await asyncio.get_running_loop().run_in_executor(STARTER, control_plane.start_api_server)


def a_secret(name: str, **fields: object) -> bytes:
    return json.dumps({"metadata": {"name": name}, "stringData": {"k": "v"}} | fields).encode()


async def test_each_refusal_has_its_class(connection: Connection) -> None:
    async with KubeClient(connection, user_agent="test") as client:
        body = json.loads(await client.create(SECRETS, NAMESPACE, a_secret("refused")))
        with pytest.raises(AlreadyExistsError, match='secrets "refused" already exists'):
            await client.create(SECRETS, NAMESPACE, a_secret("refused"))
        with pytest.raises(InvalidError, match=r"metadata\.name"):
            await client.create(SECRETS, NAMESPACE, a_secret("Not A Name"))
        with pytest.raises(InvalidError):
            await client.create(SECRETS, NAMESPACE, b"{")
        await client.put(SECRETS, NAMESPACE, "refused", json.dumps(body | {"data": {}}).encode())
        with pytest.raises(ConflictError, match="has been modified"):
            await client.put(SECRETS, NAMESPACE, "refused", json.dumps(body).encode())
        with pytest.raises(ConflictError):
            await client.delete(SECRETS, NAMESPACE, "refused", uid="another")
        with pytest.raises(NotFoundError):
            await client.list_page(NO_SUCH_KIND)
        uid = body["metadata"]["uid"]
        assert await client.delete(SECRETS, NAMESPACE, "refused", uid=uid, grace_seconds=0)
        assert await client.delete(SECRETS, NAMESPACE, "refused", uid=uid) is None
        assert await client.get(SECRETS, NAMESPACE, "refused") is None


async def test_patches_of_all_kinds_are_taken(connection: Connection) -> None:
    async with KubeClient(connection, user_agent="test") as client:
        await client.create(SECRETS, NAMESPACE, a_secret("patched"))
        merge = b'{"metadata": {"labels": {"a": "1"}}}'
        await client.patch(SECRETS, NAMESPACE, "patched", merge, PatchKind.MERGE)
        change = b'[{"op": "add", "path": "/metadata/labels/b", "value": "2"}]'
        await client.patch(SECRETS, NAMESPACE, "patched", change, PatchKind.JSON)
        apply = json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "patched", "labels": {"c": "3"}},
            }
        ).encode()
        answer = await client.patch(
            SECRETS, NAMESPACE, "patched", apply, PatchKind.APPLY, field_manager="test"
        )
        assert json.loads(answer)["metadata"]["labels"] == {"a": "1", "b": "2", "c": "3"}
        await client.delete(SECRETS, NAMESPACE, "patched")


async def test_pages_of_a_list_are_whole_and_a_bad_token_is_refused(
    connection: Connection,
) -> None:
    async with KubeClient(connection, user_agent="test") as client:
        for number in range(7):
            await client.create(SECRETS, NAMESPACE, a_secret(f"page-{number}"))
        names: list[str] = []
        token = ""
        for _ in range(10):
            page = json.loads(
                await client.list_page(SECRETS, NAMESPACE, limit=3, continue_token=token)
            )
            names += [item["metadata"]["name"] for item in page["items"]]
            token = page["metadata"].get("continue", "")
            if not token:
                break
        assert [name for name in names if name.startswith("page-")] == [
            f"page-{number}" for number in range(7)
        ]
        with pytest.raises(InvalidError):
            await client.list_page(SECRETS, NAMESPACE, continue_token="nonsense")
        for number in range(7):
            await client.delete(SECRETS, NAMESPACE, f"page-{number}")


async def test_a_quiet_watch_is_ended_properly_before_it_would_be_taken_for_dead(
    connection: Connection,
) -> None:
    """No bookmark need come: the server sends none that is not newer than where we began."""
    timeouts = Timeouts(silence=8)
    async with KubeClient(connection, user_agent="test", timeouts=timeouts) as client:
        page = json.loads(await client.list_page(SECRETS, NAMESPACE, limit=1))
        version = page["metadata"]["resourceVersion"]
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with client.watch(
            SECRETS, NAMESPACE, resource_version=version, label_selector="test=nobody"
        ) as lines:
            kinds = {json.loads(line)["type"] async for line in lines}
        assert kinds <= {"BOOKMARK"}
        assert 5 < loop.time() - begun < 7.5


async def test_a_watch_from_before_the_servers_memory_is_gone(
    connection: Connection, idle_control_plane: ControlPlane
) -> None:
    idle_control_plane.kill_api_server()
    await start_api_server(idle_control_plane)
    async with KubeClient(connection, user_agent="test") as client:
        assert await first_answer(client) == 410


async def first_answer(client: KubeClient) -> int:
    """The code of a watch from the first version, as a status or as an event."""
    try:
        async with client.watch(SECRETS, NAMESPACE, resource_version="1") as lines:
            event = json.loads(await anext(lines))
    except GoneError as exc:
        return exc.status
    return int(event["object"]["code"])


async def test_the_mirror_follows_through_restarts_of_the_api_server(
    connection: Connection, idle_control_plane: ControlPlane
) -> None:
    async with mirror(connection) as mirrored:
        for number in range(12):
            await mirrored.put(f"m-{number}", "1")
        await mirrored.until_equal()
        idle_control_plane.kill_api_server()
        await asyncio.sleep(1)
        with pytest.raises(UnreachableError):
            await mirrored.put("m-0", "2")
        await start_api_server(idle_control_plane)
        await mirrored.put("m-0", "2")
        await mirrored.delete("m-1")
        await mirrored.until_equal(30)
        assert ("m-1", None) in mirrored.told


async def test_a_quiet_kind_can_be_waited_for_by_a_version_of_another(
    connection: Connection,
) -> None:
    async with mirror(connection) as mirrored, Replica(connection, "one", NAMESPACE) as one:
        await mirrored.put("a", "1")
        await mirrored.until_equal()
        await one.until(leading=True)
        await asyncio.sleep(0.1)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await asyncio.wait_for(mirrored.informer.wait_for(one.fences[0]), 5)
        assert loop.time() - begun < 2
        assert int(mirrored.informer.resource_version) >= int(one.fences[0])


async def test_a_lease_is_held_handed_over_and_lost(
    connection: Connection, idle_control_plane: ControlPlane
) -> None:
    async with Replica(connection, "one", NAMESPACE) as one:
        await one.until(leading=True, seconds=15)
        async with Replica(connection, "two", NAMESPACE) as two:
            await asyncio.sleep(4)
            assert one.leads
            assert not two.leads
            await one.shut_down()
            assert await two.until(leading=True) < TIMING.duration, "it need not run out"
            idle_control_plane.kill_api_server()
            assert await two.until(leading=False) < TIMING.duration
            await start_api_server(idle_control_plane)
            await two.until(leading=True, seconds=30)
            assert two.stops == 1


async def test_the_whole_status_is_written_by_a_lean_put(connection: Connection) -> None:
    async with KubeClient(connection, user_agent="test") as client:
        spec = {"actor": "hello"}
        body = json.dumps(
            {
                "apiVersion": RUNS.api_version,
                "kind": RUNS.kind,
                "metadata": {"name": "lean", "labels": {"l": "1"}},
                "spec": spec,
            }
        ).encode()
        made = json.loads(await client.create(RUNS, NAMESPACE, body))
        version = made["metadata"]["resourceVersion"]
        status = {
            "apiVersion": RUNS.api_version,
            "kind": RUNS.kind,
            "metadata": {"name": "lean", "namespace": NAMESPACE, "resourceVersion": version},
            "status": made["status"] | {"observedGeneration": 1},
        }
        answer = json.loads(
            await client.put(
                RUNS, NAMESPACE, "lean", msgspec.json.encode(status), subresource="status"
            )
        )
        assert answer["status"]["observedGeneration"] == 1
        assert answer["metadata"]["labels"] == {"l": "1"}
        assert answer["spec"]["actor"] == spec["actor"]
        with pytest.raises(ConflictError):
            await client.put(
                RUNS, NAMESPACE, "lean", msgspec.json.encode(status), subresource="status"
            )
        await client.delete(RUNS, NAMESPACE, "lean")


async def test_credentials_that_are_wrong_are_unauthorized(connection: Connection) -> None:

    verified = ssl.create_default_context()
    verified.check_hostname = False
    verified.verify_mode = ssl.CERT_NONE
    stranger = replace(connection, ssl=verified, authorization=lambda: "Bearer nonsense")
    stranger = replace(stranger, reload=lambda: stranger)
    async with KubeClient(stranger, user_agent="test") as client:
        with pytest.raises(UnauthorizedError, match="Unauthorized"):
            await client.get(PODS, NAMESPACE, "a")
