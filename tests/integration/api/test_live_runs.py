"""Runs that are known by their uid only."""

from tests.support.answering_server import a_connection
from tests.support.apiserver import ApiServer

from actor_operator.constants import LABEL_RUN, LABEL_RUN_UID
from actor_operator.kube.client import KubeClient
from actor_operator.kube.run_requests import RunRequests, decode_slim_run
from actor_operator.kube.runs import ACTOR_RUNS
from actor_operator.services.live_runs import LiveRuns
from actor_operator.services.run_watch import RunHub, pod_store, run_store

RUN = {"metadata": {"name": "hello"}, "spec": {"actor": "greeter"}}


def a_pod(uid: str) -> dict[str, object]:
    labels = {LABEL_RUN: "hello", LABEL_RUN_UID: uid}
    spec = {"containers": [{"name": "actor", "image": "hello:1"}]}
    return {"metadata": {"name": "hello-1", "labels": labels}, "spec": spec}


async def test_a_run_is_found_by_its_name_by_the_label_of_its_pod_or_not_at_all(
    server: ApiServer,
) -> None:
    uid = server.create("actorruns", RUN)["metadata"]["uid"]
    runs, pods = run_store(), pod_store()
    hub = RunHub(runs, pods)
    async with KubeClient(a_connection(server.url), user_agent="test") as client:
        for places in ([], ["default"]):
            live = LiveRuns(client, hub, places)
            assert await live.read(uid) is None
        server.create("pods", a_pod(uid))
        for places in ([], ["actor-operator-system", "default"]):
            found = await LiveRuns(client, hub, places).read(uid)
            assert found is not None
            assert found.uid == uid
            runs.apply(found)
        server.delete("actorruns", "default", "hello")
        assert await LiveRuns(client, hub).read(uid) is None
        server.create("actorruns", RUN)
        assert await LiveRuns(client, hub).read(uid) is None


async def test_only_that_very_run_is_marked_as_archived(server: ApiServer) -> None:
    server.create("actorruns", RUN)
    async with KubeClient(a_connection(server.url), user_agent="test") as client:
        requests = RunRequests(client)
        run = decode_slim_run(await _get(client))
        assert await requests.mark_archived(run, 2)
        annotations = server.get("actorruns", "default", "hello")["metadata"]["annotations"]
        assert annotations == {"actor-operator.dev/archived": "2"}
        server.delete("actorruns", "default", "hello")
        assert not await requests.mark_archived(run, 2)
        server.create("actorruns", RUN)
        assert not await requests.mark_archived(run, 2)
        assert not server.get("actorruns", "default", "hello")["metadata"].get("annotations")


async def _get(client: KubeClient) -> bytes:
    found = await client.get(ACTOR_RUNS, "default", "hello")
    assert found is not None
    return found
