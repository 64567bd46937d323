"""What a PUT changes, and what it leaves alone."""

import pytest
from tests.contract.client import Api, Object, pod


def _lean(thing: Object, status: Object) -> Object:
    """What is needed to write a status under a lock, and nothing else."""
    metadata = thing["metadata"]
    names = ("name", "namespace", "resourceVersion")
    return {
        "apiVersion": thing["apiVersion"],
        "kind": thing["kind"],
        "metadata": {name: metadata[name] for name in names},
        "status": status,
    }


async def test_an_update_replaces_and_raises_version_and_generation(api: Api) -> None:
    thing = await api.create("things", "a", spec={"size": 1, "count": 1})
    reply = await api.put("things", thing | {"spec": {"size": 1, "low": 0}})

    assert reply.code == 200
    assert reply.body["spec"] == {"size": 1, "low": 0, "mode": "Fast"}
    assert int(reply.version) > int(thing["metadata"]["resourceVersion"])
    assert reply.metadata["generation"] == 2
    assert reply.metadata["uid"] == thing["metadata"]["uid"]
    assert reply.metadata["creationTimestamp"] == thing["metadata"]["creationTimestamp"]


async def test_an_old_version_is_a_conflict(api: Api) -> None:
    thing = await api.create("things", "a", spec={"size": 1})
    await api.patch("things", "a", {"spec": {"count": 1}})
    reply = await api.put("things", thing)

    assert (reply.code, reply.reason) == (409, "Conflict")
    assert reply.message == (
        'Operation cannot be fulfilled on things.contract.example.org "a": the object has been '
        "modified; please apply your changes to the latest version and try again"
    )
    assert reply.details == {"name": "a", "group": "contract.example.org", "kind": "things"}


async def test_a_custom_kind_is_not_updated_without_a_version(api: Api) -> None:
    thing = await api.create("things", "a", spec={"size": 1})
    del thing["metadata"]["resourceVersion"]
    reply = await api.put("things", thing)

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert reply.message == (
        'things.contract.example.org "a" is invalid: metadata.resourceVersion: '
        "Invalid value: 0: must be specified for an update"
    )


async def test_a_built_in_kind_is(api: Api) -> None:
    config = await api.create("configmaps", "a", data={"a": "b"})
    del config["metadata"]["resourceVersion"]
    reply = await api.put("configmaps", config | {"data": {"c": "d"}})

    assert reply.code == 200
    assert reply.body["data"] == {"c": "d"}


async def test_another_uid_is_a_conflict(api: Api) -> None:
    thing = await api.create("things", "a", spec={"size": 1})
    thing["metadata"]["uid"] = "another"
    reply = await api.put("things", thing)

    assert (reply.code, reply.reason) == (409, "Conflict")
    assert (
        "Precondition failed: UID in precondition: another, UID in object meta: " in reply.message
    )


async def test_an_absent_object_is_not_found(api: Api) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    reply = await api.put("configmaps", body)

    assert (reply.code, reply.reason) == (404, "NotFound")


async def test_an_absent_lease_is_created_by_an_update(api: Api) -> None:
    body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "a"}}
    created = await api.put("leases", body)
    again = await api.put("leases", body)

    assert created.code == 201
    assert (again.code, again.reason) == (422, "Invalid")


async def test_another_name_than_that_of_the_path_is_a_bad_request(api: Api) -> None:
    thing = await api.create("things", "a", spec={"size": 1})
    thing["metadata"]["name"] = "b"
    reply = await api.call("PUT", api.path("things", "a"), thing)

    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert reply.message == "the name of the object (b) does not match the name on the URL (a)"


async def test_a_custom_object_without_kind_is_a_bad_request(api: Api) -> None:
    thing = await api.create("things", "a", spec={"size": 1})
    del thing["kind"]
    reply = await api.put("things", thing)

    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert "Object 'Kind' is missing" in reply.message


async def test_an_update_that_changes_nothing_makes_no_version(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    thing = (await api.patch("things", "a", {"spec": {"count": 1}})).body
    reply = await api.put("things", thing)

    assert reply.code == 200
    assert reply.version == thing["metadata"]["resourceVersion"]


async def test_metadata_does_not_raise_the_generation(api: Api) -> None:
    thing = await api.create("things", "a", spec={"size": 1})
    thing["metadata"] |= {"labels": {"a": "b"}, "annotations": {"c": "d"}}
    reply = await api.put("things", thing)

    assert reply.metadata["labels"] == {"a": "b"}
    assert reply.metadata["generation"] == 1


async def test_the_main_resource_leaves_the_status_alone(api: Api) -> None:
    thing = await api.create("things", "a", spec={"size": 1})
    reply = await api.put("things", thing | {"status": {"phase": "DONE"}})

    assert reply.code == 200
    assert reply.body["status"] == {"phase": "READY"}


async def test_a_lean_status_write_leaves_all_else_alone(api: Api) -> None:
    metadata = {"labels": {"a": "b"}, "annotations": {"c": "d"}, "finalizers": ["x.example.org/y"]}
    thing = await api.create("things", "a", metadata=metadata, spec={"size": 1})
    reply = await api.put("things", _lean(thing, {"phase": "RUNNING", "count": 1}), "status")

    assert reply.code == 200
    assert reply.body["status"] == {"phase": "RUNNING", "count": 1}
    assert reply.body["spec"] == thing["spec"]
    assert reply.metadata["labels"] == {"a": "b"}
    assert reply.metadata["annotations"] == {"c": "d"}
    assert reply.metadata["finalizers"] == ["x.example.org/y"]
    assert reply.metadata["generation"] == 1
    await api.patch("things", "a", {"metadata": {"finalizers": None}})


async def test_a_status_write_changes_no_spec_and_no_labels(api: Api) -> None:
    thing = await api.create("things", "a", spec={"size": 1})
    body = thing | {"spec": {"size": 4}, "status": {"phase": "RUNNING"}}
    body["metadata"] = thing["metadata"] | {"labels": {"a": "b"}}
    reply = await api.put("things", body, "status")

    assert reply.body["status"] == {"phase": "RUNNING"}
    assert reply.body["spec"] == thing["spec"]
    assert "labels" not in reply.metadata


async def test_a_status_write_with_an_old_version_is_a_conflict(api: Api) -> None:
    thing = await api.create("things", "a", spec={"size": 1})
    await api.patch("things", "a", {"spec": {"count": 1}})
    reply = await api.put("things", _lean(thing, {"phase": "RUNNING"}), "status")

    assert (reply.code, reply.reason) == (409, "Conflict")


async def test_a_status_write_replaces_the_whole_status(api: Api) -> None:
    thing = await api.create("things", "a", spec={"size": 1})
    first = await api.put("things", _lean(thing, {"phase": "RUNNING", "count": 1}), "status")
    second = await api.put("things", _lean(first.body, {"phase": "DONE"}), "status")

    assert second.body["status"] == {"phase": "DONE"}


async def test_the_status_of_a_pod_is_written_apart(api: Api) -> None:
    body = await api.create("pods", "a", spec=pod())
    main = await api.put("pods", body | {"status": {"phase": "Running"}})
    body = main.body | {"status": {"phase": "Running"}}
    status = await api.put("pods", body, "status")

    assert main.body["status"]["phase"] == "Pending"
    assert status.body["status"]["phase"] == "Running"
    assert status.metadata["generation"] == 1


async def test_there_is_no_status_where_a_kind_has_none(api: Api) -> None:
    await api.create("configmaps", "a")
    reply = await api.call("GET", api.path("configmaps", "a", "status"))

    assert (reply.code, reply.reason) == (404, "NotFound")


@pytest.mark.parametrize("subresource", ["", "status"])
async def test_a_dry_run_changes_nothing(api: Api, subresource: str) -> None:
    thing = await api.create("things", "a", spec={"size": 1})
    changed = thing | {"spec": {"size": 1, "count": 7}, "status": {"phase": "DONE"}}
    reply = await api.put("things", changed, subresource, dryRun="All")
    now = (await api.get("things", "a")).body

    assert reply.code == 200
    assert now["metadata"]["resourceVersion"] == thing["metadata"]["resourceVersion"]
