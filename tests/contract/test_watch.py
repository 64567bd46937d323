"""What a watch sends, from when, and how it ends."""

import pytest
from tests.contract.client import Api, Stream, pod


async def _version(api: Api, plural: str) -> str:
    return (await api.list(plural)).version


async def test_changes_come_in_order_with_their_versions(api: Api) -> None:
    async with api.watch("things", resourceVersion=await _version(api, "things")) as stream:
        created = await api.create("things", "a", spec={"size": 1})
        changed = await api.patch("things", "a", {"spec": {"count": 1}})
        await api.delete("things", "a")
        events = [await stream.next() for _ in range(3)]

    assert [kind for kind, _ in events] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [obj["metadata"]["resourceVersion"] for _, obj in events]
    assert versions[:2] == [created["metadata"]["resourceVersion"], changed.version]
    assert int(versions[2]) > int(changed.version)
    assert events[2][1]["spec"]["count"] == 1
    assert all(obj["kind"] == "Thing" for _, obj in events)


async def test_events_of_built_in_kinds_have_a_kind(api: Api) -> None:
    async with api.watch("pods", resourceVersion=await _version(api, "pods")) as stream:
        await api.create("pods", "a", spec=pod())
        _, obj = await stream.next()

    assert (obj["kind"], obj["apiVersion"]) == ("Pod", "v1")


@pytest.mark.parametrize("version", ["", "0"])
async def test_without_a_version_a_watch_starts_with_what_is_there(api: Api, version: str) -> None:
    for name in ("a", "b"):
        await api.create("things", name, spec={"size": 1})
    async with api.watch("things", resourceVersion=version) as stream:
        await api.create("things", "c", spec={"size": 1})
        events = await stream.events(3)

    assert sorted(events[:2]) == [("ADDED", "a"), ("ADDED", "b")]
    assert events[2] == ("ADDED", "c")


async def test_a_watch_from_the_past_catches_up(api: Api) -> None:
    version = await _version(api, "things")
    await api.create("things", "a", spec={"size": 1})
    await api.delete("things", "a")
    async with api.watch("things", resourceVersion=version) as stream:
        assert await stream.events(2) == [("ADDED", "a"), ("DELETED", "a")]


async def test_a_write_that_changes_nothing_is_no_event(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    # The first write stores the status that so far was only the definition's default.
    await api.patch("things", "a", {"spec": {"count": 1}})
    async with api.watch("things", resourceVersion=await _version(api, "things")) as stream:
        await api.patch("things", "a", {"spec": {"count": 1}})
        await api.create("things", "b", spec={"size": 1})

        assert await stream.events(1) == [("ADDED", "b")]


async def test_an_object_that_leaves_the_selector_is_deleted_with_its_old_content(
    api: Api,
) -> None:
    await api.create("things", "a", spec={"size": 1})
    version = await _version(api, "things")
    query = {"resourceVersion": version, "fieldSelector": "status.phase!=DONE"}
    async with api.watch("things", **query) as stream:
        await api.patch("things", "a", {"status": {"phase": "RUNNING"}}, "status")
        left = await api.patch("things", "a", {"status": {"phase": "DONE"}}, "status")
        events = [await stream.next() for _ in range(2)]

    assert [kind for kind, _ in events] == ["MODIFIED", "DELETED"]
    last = events[1][1]
    assert last["status"]["phase"] == "RUNNING"
    assert last["metadata"]["resourceVersion"] == left.version


async def test_an_object_that_enters_the_selector_is_added(api: Api) -> None:
    await api.create("pods", "a", spec=pod())
    version = await _version(api, "pods")
    async with api.watch("pods", resourceVersion=version, labelSelector="app=x") as stream:
        entered = await api.patch("pods", "a", {"metadata": {"labels": {"app": "x"}}})
        await api.patch("pods", "a", {"metadata": {"labels": {"app": None}}})
        events = [await stream.next() for _ in range(2)]

    assert [kind for kind, _ in events] == ["ADDED", "DELETED"]
    assert events[0][1]["metadata"]["resourceVersion"] == entered.version
    assert events[1][1]["metadata"]["labels"] == {"app": "x"}


async def test_what_a_selector_leaves_out_is_not_sent(api: Api) -> None:
    version = await _version(api, "pods")
    async with api.watch("pods", resourceVersion=version, labelSelector="app=x") as stream:
        await api.create("pods", "out", spec=pod())
        await api.patch("pods", "out", {"metadata": {"annotations": {"a": "b"}}})
        await api.delete("pods", "out")
        await api.create("pods", "in", metadata={"labels": {"app": "x"}}, spec=pod())

        assert await stream.events(1) == [("ADDED", "in")]


async def test_a_compacted_version_is_told_by_an_error_event_of_410(api: Api) -> None:
    version = await _version(api, "things")
    await api.create("things", "a", spec={"size": 1})
    await api.compact()
    async with api.watch("things", resourceVersion=version) as stream:
        kind, status = await stream.next()

        assert kind == "ERROR"
        assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")
        assert status["message"].startswith("too old resource version: ")
        with pytest.raises(EOFError):
            await stream.next()


async def test_a_watch_ends_cleanly_after_its_time_with_bookmarks_before(api: Api) -> None:
    query = {"allowWatchBookmarks": "true", "timeoutSeconds": "3", "labelSelector": "a=b"}
    version = await _version(api, "things")
    async with api.watch("things", resourceVersion=version, **query) as stream:
        created = await api.create("things", "not-selected", spec={"size": 1})
        kind, obj = await stream.next()
        await _read_to_the_end(stream)

    assert kind == "BOOKMARK"
    assert int(obj["metadata"]["resourceVersion"]) >= int(created["metadata"]["resourceVersion"])
    assert obj["kind"] == "Thing"
    assert "name" not in obj["metadata"]


async def _read_to_the_end(stream: Stream) -> None:
    """Read until the server ends the stream."""
    with pytest.raises(EOFError):
        await stream.events(100)


async def test_the_objects_of_before_end_with_a_bookmark(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    async with api.watch("things", allowWatchBookmarks="true", **query) as stream:
        first = await stream.next()
        kind, obj = await stream.next()

    assert first[0] == "ADDED"
    assert kind == "BOOKMARK"
    assert obj["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_a_watch_from_the_future_waits(api: Api) -> None:
    version = str(int(await _version(api, "things")) + 1_000_000)
    async with api.watch("things", resourceVersion=version, timeoutSeconds="1") as stream:
        await api.create("things", "a", spec={"size": 1})
        await _read_to_the_end(stream)


async def test_a_watch_from_a_version_that_is_no_number_is_an_internal_error(api: Api) -> None:
    reply = await api.call("GET", api.path("things"), watch="1", resourceVersion="abc")

    assert reply.code == 500


async def test_without_leave_there_are_no_bookmarks(api: Api) -> None:
    version = await _version(api, "things")
    async with api.watch("things", resourceVersion=version, timeoutSeconds="2") as stream:
        with pytest.raises(EOFError):
            await stream.next()


async def test_a_watch_goes_on_from_a_bookmark(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    async with api.watch("things", allowWatchBookmarks="true") as stream:
        events = [await stream.next() for _ in range(2)]
    bookmark = events[1][1]["metadata"]["resourceVersion"]
    async with api.watch("things", resourceVersion=bookmark) as stream:
        await api.create("things", "b", spec={"size": 1})

        assert await stream.events(1) == [("ADDED", "b")]


async def test_a_bad_selector_refuses_the_watch(api: Api) -> None:
    reply = await api.call("GET", api.path("things"), watch="1", fieldSelector="spec.size=1")

    assert (reply.code, reply.reason) == (400, "BadRequest")
