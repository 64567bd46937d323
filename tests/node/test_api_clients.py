"""Unmodified clients against the API server, and actors with unmodified SDKs in its runs."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from apify_client import ApifyClient
from apify_client.errors import ApifyApiError
from tests.cluster_tool.images.build import build
from tests.node.conftest import Installed, cluster_tool
from tests.support.clients import linked_pages
from tests.support.clients.access import ApiAccess, finished
from tests.support.clients.node_client import NodeClient, NodeClientError
from tests.support.installation import SAMPLES, sdk_images

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

PYTHON, JAVASCRIPT, CRAWLER = "sdk-python", "sdk-javascript", "sdk-python-crawler"
"""The Actors. The first two do the same."""

COUNTERS = (PYTHON, JAVASCRIPT)

MEMORY = 1024
"""In MB; it gives a quarter of a processor, with which an SDK starts in seconds."""

LONG = {"until": 12, "pauseSeconds": 1}
"""Input of a run that has time to be aborted."""

PAGES = 15
"""Pages of the site that is crawled."""

STAMPED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")
"""Beginning of every line of a log."""


@pytest.fixture(scope="module", autouse=True)
def actors(installed: Installed, api: ApiAccess) -> None:
    """The sample Actors with SDKs, in the namespace of the token."""
    cluster_tool("load-image", *(str(build(image)) for image in sdk_images()))
    for manifest in SAMPLES.glob("actor-sdk-*.yaml"):
        text = manifest.read_text().replace("namespace: default", f"namespace: {api.namespace}")
        installed.kubectl.run("apply", "-f", "-", stdin=text)


@pytest.fixture
def client(api: ApiAccess) -> ApifyClient:
    """The Python client."""
    return api.python()


@pytest.fixture
def node(api: ApiAccess) -> NodeClient:
    """The JavaScript client."""
    return api.node()


def until(what: str, holds: Callable[[], bool], seconds: float = 90) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(0.3)


def numbers(client: ApifyClient, run: str) -> list[int]:
    """What a run has counted so far."""
    return [item["number"] for item in client.run(run).dataset().list_items().items]


def output(client: ApifyClient, run: str) -> Any:
    """The record OUTPUT of a run."""
    record = client.run(run).key_value_store().get_record("OUTPUT")
    return record and record["value"]


# One run, by the Python client


@pytest.mark.parametrize("actor", COUNTERS)
def test_a_called_actor_gives_items_an_output_and_a_status_message(
    client: ApifyClient, actor: str
) -> None:
    run = client.actor(actor).call(run_input={"until": 3}, memory_mbytes=MEMORY)

    assert run is not None
    assert (run.status, run.exit_code) == ("SUCCEEDED", 0)
    assert numbers(client, run.id) == [1, 2, 3]
    assert output(client, run.id) == {"counted": 3, "starts": 1}
    # The JavaScript SDK does not wait for the answer to its last message.
    until(
        "the last status message",
        lambda: finished(client, run.id)["statusMessage"] == "Counted all 3",
    )
    assert finished(client, run.id)["isStatusMessageTerminal"] is True


def test_the_input_is_filled_in_from_the_schema_of_the_build(client: ApifyClient) -> None:
    run = client.actor(PYTHON).start(run_input={"until": 1}, memory_mbytes=MEMORY)

    record = client.run(run.id).key_value_store().get_record("INPUT")

    assert record is not None
    assert record["value"] == {"until": 1, "pauseSeconds": 0}
    assert finished(client, run.id)["status"] == "SUCCEEDED"


def test_an_input_against_the_schema_starts_nothing(client: ApifyClient) -> None:
    before = client.actor(PYTHON).runs().list().total

    with pytest.raises(ApifyApiError, match="until") as refused:
        client.actor(PYTHON).start(run_input={"until": "many"})

    assert (refused.value.status_code, refused.value.type) == (400, "invalid-input")
    assert client.actor(PYTHON).runs().list().total == before


def test_a_start_waits_for_the_end_no_longer_than_it_was_asked_to(client: ApifyClient) -> None:
    run = client.actor(PYTHON).start(run_input=LONG, memory_mbytes=MEMORY, wait_for_finish=1)

    assert run.status in {"READY", "RUNNING"}
    assert client.run(run.id).wait_for_finish(wait_duration=timedelta(seconds=1)) is not None
    assert finished(client, run.id)["status"] == "SUCCEEDED"


@pytest.mark.parametrize("actor", COUNTERS)
def test_a_run_that_is_aborted_gracefully_goes_on_when_it_is_resurrected(
    client: ApifyClient, actor: str
) -> None:
    run = client.actor(actor).start(run_input=LONG, memory_mbytes=MEMORY)
    until("three items", lambda: len(numbers(client, run.id)) >= 3)

    assert client.run(run.id).abort(gracefully=True).status == "ABORTING"
    assert finished(client, run.id)["status"] == "ABORTED"
    counted = numbers(client, run.id)
    assert counted == list(range(1, len(counted) + 1))
    assert 3 <= len(counted) < LONG["until"]

    again = client.run(run.id).resurrect()
    assert (again.id, again.status in {"READY", "RUNNING"}) == (run.id, True)
    ended = finished(client, run.id)

    assert (ended["status"], ended["stats"]["resurrectCount"]) == ("SUCCEEDED", 1)
    assert numbers(client, run.id) == list(range(1, LONG["until"] + 1))
    assert output(client, run.id) == {"counted": LONG["until"], "starts": 2}


def test_a_run_that_is_aborted_at_once_has_no_time_for_anything(client: ApifyClient) -> None:
    run = client.actor(PYTHON).start(run_input=LONG, memory_mbytes=MEMORY)
    until("an item", lambda: bool(numbers(client, run.id)))

    client.run(run.id).abort()

    assert finished(client, run.id)["status"] == "ABORTED"
    assert output(client, run.id) is None


def test_a_log_is_streamed_while_the_run_goes_on(client: ApifyClient) -> None:
    run = client.actor(PYTHON).start(run_input=LONG, memory_mbytes=MEMORY)
    seen_alive, text = False, b""

    with client.run(run.id).log().stream() as response:
        assert response is not None
        for part in response.iter_bytes():
            text += part
            if b"Counted 2" in text and not seen_alive:
                found = client.run(run.id).get()
                seen_alive = found is not None and found.status == "RUNNING"

    assert seen_alive
    # The stream ends by itself, and after the run.
    assert finished(client, run.id)["status"] == "SUCCEEDED"
    lines = text.decode().splitlines()
    assert [line for line in lines if not STAMPED.match(line)] == []
    assert sum(" ACTOR: " in line for line in lines) == 3
    assert client.log(run.id).get() == text.decode()


# Storages


def test_the_python_client_works_with_named_storages(client: ApifyClient) -> None:
    dataset = client.dataset(client.datasets().get_or_create(name="python-items").id)
    dataset.push_items([{"n": n} for n in range(10)])
    page = dataset.list_items(offset=3, limit=2, desc=True)
    assert ([item["n"] for item in page.items], page.total) == ([6, 5], 10)

    store = client.key_value_store(client.key_value_stores().get_or_create(name="python-kvs").id)
    store.set_record("picture", bytes(range(256)), content_type="image/png")
    record = store.get_record("picture")
    assert record is not None
    assert (record["value"], record["content_type"]) == (bytes(range(256)), "image/png")
    assert [item.key for item in store.list_keys().items] == ["picture"]

    queue_id = client.request_queues().get_or_create(name="python-queue").id
    queue = client.request_queue(queue_id, client_key="one")
    for n in range(5):
        queue.add_request({"url": f"http://a.example/{n}", "unique_key": str(n)})
    locked = queue.list_and_lock_head(lock_duration=timedelta(seconds=60), limit=2)
    assert [request.unique_key for request in locked.items] == ["0", "1"]
    other = client.request_queue(queue_id, client_key="two")
    rest = other.list_and_lock_head(lock_duration=timedelta(seconds=60), limit=9)
    assert [request.unique_key for request in rest.items] == ["2", "3", "4"]


def test_the_javascript_client_works_with_named_storages(node: NodeClient) -> None:
    dataset = ("dataset", node(("datasets",), ("getOrCreate", "javascript-items"))["id"])
    node(dataset, ("pushItems", [{"n": n} for n in range(10)]))
    page = node(dataset, ("listItems", {"offset": 3, "limit": 2, "desc": True}))
    assert ([item["n"] for item in page["items"]], page["total"]) == ([6, 5], 10)
    table = node(dataset, ("downloadItems", "csv", {"limit": 1})).decode("utf-8-sig")
    assert table.split() == ["n", "0"]

    made = node(("keyValueStores",), ("getOrCreate", "javascript-kvs"))
    store = ("keyValueStore", made["id"])
    record = {"key": "picture", "value": bytes(range(256)), "contentType": "image/png"}
    node(store, ("setRecord", record))
    assert node(store, ("getRecord", "picture")) == record
    assert node(store, ("getRecord", "absent")) is None

    made = node(("requestQueues",), ("getOrCreate", "javascript-queue"))
    requests = [{"url": f"http://a.example/{n}", "uniqueKey": str(n)} for n in range(5)]
    queue = ("requestQueue", made["id"], {"clientKey": "one"})
    node(queue, ("batchAddRequests", requests))
    locked = node(queue, ("listAndLockHead", {"lockSecs": 60, "limit": 2}))
    assert [request["uniqueKey"] for request in locked["items"]] == ["0", "1"]


# One run, by the JavaScript client


def test_the_javascript_client_calls_an_actor_and_reads_what_it_made(node: NodeClient) -> None:
    run = node(("actor", PYTHON), ("call", {"until": 3}, {"memory": MEMORY}))

    assert (run["status"], run["exitCode"]) == ("SUCCEEDED", 0)
    items = node(("run", run["id"]), ("dataset",), ("listItems",))["items"]
    assert [item["number"] for item in items] == [1, 2, 3]
    record = node(("run", run["id"]), ("keyValueStore",), ("getRecord", "OUTPUT"))
    assert record["value"] == {"counted": 3, "starts": 1}
    streamed = node(("run", run["id"]), ("log",), ("stream",)).decode()
    assert "Counted 3" in streamed
    assert node(("log", run["id"]), ("get",)) == streamed


def test_the_javascript_client_aborts_a_run_gracefully_and_resurrects_it(node: NodeClient) -> None:
    started = node(("actor", JAVASCRIPT), ("start", LONG, {"memory": MEMORY}))
    run = ("run", started["id"])
    until("three items", lambda: node(run, ("dataset",), ("listItems",))["total"] >= 3)

    assert node(run, ("abort", {"gracefully": True}))["status"] == "ABORTING"
    assert node(run, ("waitForFinish", {"waitSecs": 60}))["status"] == "ABORTED"
    node(run, ("resurrect",))
    ended = node(run, ("waitForFinish", {"waitSecs": 120}), seconds=150)

    assert (ended["status"], ended["stats"]["resurrectCount"]) == ("SUCCEEDED", 1)
    items = node(run, ("dataset",), ("listItems",))["items"]
    assert [item["number"] for item in items] == list(range(1, LONG["until"] + 1))


def test_the_javascript_client_is_told_what_is_wrong(node: NodeClient) -> None:
    with pytest.raises(NodeClientError, match="until") as refused:
        node(("actor", PYTHON), ("start", {"until": "many"}))

    assert (refused.value.status, refused.value.type) == (400, "invalid-input")
    assert node(("run", "nosuchrun12345678"), ("get",)) is None


# Several runs


@pytest.mark.parametrize(("caller", "called"), [COUNTERS, COUNTERS[::-1]])
def test_an_actor_calls_another_and_reads_its_output(
    client: ApifyClient, caller: str, called: str
) -> None:
    run_input = {"until": 1, "callActor": called, "callInput": {"until": 2}}

    run = client.actor(caller).start(run_input=run_input, memory_mbytes=MEMORY)

    assert finished(client, run.id)["status"] == "SUCCEEDED"
    told = output(client, run.id)["called"]
    assert (told["status"], told["output"]) == ("SUCCEEDED", {"counted": 2, "starts": 1})
    other = finished(client, told["runId"])
    assert other["meta"]["origin"] == "ACTOR"
    assert numbers(client, told["runId"]) == [1, 2]


def test_a_crawl_that_is_aborted_goes_on_where_it_was(
    installed: Installed, client: ApifyClient, api: ApiAccess
) -> None:
    start = linked_pages.serve(installed.kubectl, api.namespace, PAGES)
    run_input = {"startUrl": start, "pauseSeconds": 1, "maxPages": 100, "drainOnAbort": True}
    run = client.actor(CRAWLER).start(run_input=run_input, memory_mbytes=MEMORY)
    items = client.run(run.id).dataset()
    until("three pages", lambda: items.list_items().total >= 3)

    client.run(run.id).abort(gracefully=True)
    assert finished(client, run.id)["status"] == "ABORTED"
    assert items.list_items().total < PAGES
    client.run(run.id).resurrect()
    assert finished(client, run.id)["status"] == "SUCCEEDED"

    titles = sorted(item["title"] for item in items.list_items().items)
    assert titles == sorted(f"Page {number}" for number in range(1, PAGES + 1))
    queue = client.run(run.id).request_queue().get()
    assert queue is not None
    assert (queue.handled_request_count, queue.pending_request_count) == (PAGES, 0)
