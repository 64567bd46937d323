"""The patch formats and what they refuse."""

from tests.contract.client import Api

APPLY = "application/apply-patch+yaml"
JSON = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


async def test_a_merge_patch_merges_maps_replaces_lists_and_removes_nulls(api: Api) -> None:
    spec = {"size": 1, "count": 1, "tags": ["a", "b"], "labels": {"a": "1", "b": "2"}}
    await api.create("things", "a", spec=spec)
    patch = {"spec": {"count": None, "tags": ["c"], "labels": {"a": None, "c": "3"}}}
    reply = await api.patch("things", "a", patch)

    assert reply.code == 200
    assert reply.body["spec"] == {
        "size": 1,
        "mode": "Fast",
        "tags": ["c"],
        "labels": {"b": "2", "c": "3"},
    }
    assert reply.metadata["generation"] == 2


async def test_a_patch_without_version_needs_no_lock(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    await api.patch("things", "a", {"spec": {"count": 1}})
    reply = await api.patch("things", "a", {"spec": {"count": 2}})

    assert reply.code == 200


async def test_a_patch_with_an_old_version_is_a_conflict(api: Api) -> None:
    thing = await api.create("things", "a", spec={"size": 1})
    version = thing["metadata"]["resourceVersion"]
    await api.patch("things", "a", {"spec": {"count": 1}})
    patch = {"metadata": {"resourceVersion": version}, "spec": {"count": 2}}
    reply = await api.patch("things", "a", patch)

    assert (reply.code, reply.reason) == (409, "Conflict")


async def test_a_status_patch_changes_only_the_status(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    patch = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"count": 5},
        "status": {"phase": "RUNNING"},
    }
    reply = await api.patch("things", "a", patch, "status")

    assert reply.body["status"] == {"phase": "RUNNING"}
    assert reply.body["spec"] == {"size": 1, "mode": "Fast"}
    assert "labels" not in reply.metadata
    assert reply.metadata["generation"] == 1


async def test_a_patch_of_the_main_resource_leaves_the_status_alone(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    reply = await api.patch("things", "a", {"status": {"phase": "DONE"}})

    assert reply.code == 200
    assert reply.body["status"] == {"phase": "READY"}


async def test_a_json_patch(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1, "tags": ["a"]})
    operations = [
        {"op": "test", "path": "/spec/size", "value": 1},
        {"op": "add", "path": "/spec/tags/-", "value": "b"},
        {"op": "replace", "path": "/spec/mode", "value": "Slow"},
    ]
    reply = await api.patch("things", "a", operations, media_type=JSON)

    assert reply.code == 200
    assert reply.body["spec"] == {"size": 1, "tags": ["a", "b"], "mode": "Slow"}


async def test_a_json_patch_whose_test_fails_is_invalid(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    operations = [{"op": "test", "path": "/spec/size", "value": 2}]
    reply = await api.patch("things", "a", operations, media_type=JSON)

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert reply.message == "the server rejected our request due to an error in our request"


async def test_a_json_patch_that_is_no_list_is_a_bad_request(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    reply = await api.patch("things", "a", {"op": "test"}, media_type=JSON)

    assert (reply.code, reply.reason) == (400, "BadRequest")


async def test_custom_kinds_know_no_strategic_merge(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    reply = await api.patch("things", "a", {"spec": {"count": 1}}, media_type=STRATEGIC)

    assert (reply.code, reply.reason) == (415, "UnsupportedMediaType")


async def test_a_strategic_merge_of_maps_is_a_merge(api: Api) -> None:
    await api.create("configmaps", "a", data={"a": "1", "b": "2"})
    reply = await api.patch("configmaps", "a", {"data": {"a": None}}, media_type=STRATEGIC)

    assert reply.body["data"] == {"b": "2"}


async def test_apply_creates_and_changes(api: Api) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    created = await api.patch(
        "configmaps", "a", body | {"data": {"a": "1"}}, media_type=APPLY, fieldManager="x"
    )
    changed = await api.patch(
        "configmaps", "a", body | {"data": {"a": "2"}}, media_type=APPLY, fieldManager="x"
    )

    assert created.code == 201
    assert changed.code == 200
    assert changed.body["data"] == {"a": "2"}
    assert changed.metadata["uid"] == created.metadata["uid"]


async def test_apply_needs_a_manager(api: Api) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    reply = await api.patch("configmaps", "a", body, media_type=APPLY)

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert "fieldManager: Required value: is required for apply patch" in reply.message


async def test_an_absent_object_is_not_patched(api: Api) -> None:
    reply = await api.patch("things", "absent", {"spec": {"count": 1}})

    assert (reply.code, reply.reason) == (404, "NotFound")


async def test_a_patch_does_not_rename(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    reply = await api.patch("things", "a", {"metadata": {"name": "b"}})

    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert reply.message == "the name of the object (b) does not match the name on the URL (a)"


async def test_a_patch_does_not_change_the_uid(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    reply = await api.patch("things", "a", {"metadata": {"uid": "another"}})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert 'metadata.uid: Invalid value: "another": field is immutable' in reply.message


async def test_a_body_that_is_no_object_is_a_bad_request(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    reply = await api.patch("things", "a", "text")

    assert (reply.code, reply.reason) == (400, "BadRequest")
