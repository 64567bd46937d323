"""Preconditions, grace, finalizers, propagation."""

import pytest
from tests.contract.client import Api, Object, owner, pod

FINALIZER = "contract.example.org/hold"


async def test_a_deleted_object_is_gone_and_the_answer_says_whose_uid_it_was(api: Api) -> None:
    thing = await api.create("things", "a", spec={"size": 1})
    reply = await api.delete("things", "a")

    assert reply.code == 200
    assert reply.body["kind"] == "Status"
    assert reply.body["status"] == "Success"
    assert reply.details == {
        "name": "a",
        "group": "contract.example.org",
        "kind": "things",
        "uid": thing["metadata"]["uid"],
    }
    assert (await api.get("things", "a")).code == 404


async def test_an_absent_object_is_not_found(api: Api) -> None:
    reply = await api.delete("things", "a")

    assert (reply.code, reply.reason) == (404, "NotFound")


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        ("uid", "the UID in the precondition (1) does not match the UID in record"),
        (
            "resourceVersion",
            "the ResourceVersion in the precondition (1) does not match the ResourceVersion in",
        ),
    ],
)
@pytest.mark.parametrize("plural", ["things", "pods"])
async def test_a_precondition_that_does_not_hold_is_a_conflict(
    api: Api, plural: str, field: str, sentence: str
) -> None:
    await api.create(plural, "a", spec={"size": 1} if plural == "things" else pod())
    reply = await api.delete(plural, "a", {"preconditions": {field: "1"}})

    assert (reply.code, reply.reason) == (409, "Conflict")
    assert sentence in reply.message
    assert reply.details["kind"] == {"things": "Thing", "pods": "Pod"}[plural]
    assert (await api.get(plural, "a")).code == 200


async def test_preconditions_that_hold_let_it_go(api: Api) -> None:
    metadata = (await api.create("things", "a", spec={"size": 1}))["metadata"]
    preconditions = {name: metadata[name] for name in ("uid", "resourceVersion")}
    reply = await api.delete("things", "a", {"preconditions": preconditions})

    assert reply.code == 200


async def test_a_finalizer_keeps_the_object_until_it_is_taken_off(api: Api) -> None:
    await api.create("things", "a", metadata={"finalizers": [FINALIZER]}, spec={"size": 1})
    reply = await api.delete("things", "a")
    marked = await api.get("things", "a")
    freed = await api.patch("things", "a", {"metadata": {"finalizers": None}})

    assert reply.code == 200
    assert marked.metadata["deletionTimestamp"].endswith("Z")
    assert marked.metadata["deletionGracePeriodSeconds"] == 0
    assert marked.metadata["generation"] == 2
    assert freed.code == 200
    assert (await api.get("things", "a")).code == 404


async def test_what_is_being_deleted_gets_no_new_finalizer(api: Api) -> None:
    await api.create("things", "a", metadata={"finalizers": [FINALIZER]}, spec={"size": 1})
    await api.delete("things", "a")
    reply = await api.patch(
        "things", "a", {"metadata": {"finalizers": [FINALIZER, "contract.example.org/more"]}}
    )
    await api.patch("things", "a", {"metadata": {"finalizers": None}})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert "no new finalizers can be added if the object is being deleted" in reply.message


async def test_a_finalizer_shows_in_a_watch_as_modified_then_deleted(api: Api) -> None:
    await api.create("things", "a", metadata={"finalizers": [FINALIZER]}, spec={"size": 1})
    version = (await api.list("things")).version
    async with api.watch("things", resourceVersion=version) as stream:
        await api.delete("things", "a")
        await api.patch("things", "a", {"metadata": {"finalizers": None}})
        events = [await stream.next() for _ in range(2)]

    assert [kind for kind, _ in events] == ["MODIFIED", "DELETED"]
    assert "deletionTimestamp" in events[0][1]["metadata"]


async def test_a_pod_without_node_goes_at_once(api: Api) -> None:
    await api.create("pods", "a", spec=pod())
    reply = await api.delete("pods", "a")

    assert reply.code == 200
    assert reply.body["kind"] == "Pod"
    assert (await api.get("pods", "a")).code == 404


async def test_a_pod_on_a_node_has_its_grace(api: Api) -> None:
    await api.create("pods", "a", spec=pod(nodeName="absent"))
    reply = await api.delete("pods", "a")
    again = await api.delete("pods", "a")
    await api.delete("pods", "a", {"gracePeriodSeconds": 0})

    assert reply.metadata["deletionGracePeriodSeconds"] == 30
    assert reply.metadata["generation"] == 2
    assert again.version == reply.version


async def test_a_second_deletion_can_shorten_the_grace(api: Api) -> None:
    await api.create("pods", "a", spec=pod(nodeName="absent"))
    await api.delete("pods", "a")
    shorter = await api.delete("pods", "a", {"gracePeriodSeconds": 5})
    longer = await api.delete("pods", "a", {"gracePeriodSeconds": 60})
    await api.delete("pods", "a", {"gracePeriodSeconds": 0})

    assert shorter.metadata["deletionGracePeriodSeconds"] == 5
    assert longer.metadata["deletionGracePeriodSeconds"] == 5


async def test_a_grace_of_one_second(api: Api) -> None:
    await api.create("pods", "a", spec=pod(nodeName="absent"))
    reply = await api.delete("pods", "a", {"gracePeriodSeconds": 1})
    await api.delete("pods", "a", {"gracePeriodSeconds": 0})

    assert reply.metadata["deletionGracePeriodSeconds"] == 1


async def test_a_grace_of_zero_removes_the_pod_at_once(api: Api) -> None:
    await api.create("pods", "a", spec=pod(nodeName="absent"))
    reply = await api.delete("pods", "a", {"gracePeriodSeconds": 0})

    assert reply.code == 200
    assert (await api.get("pods", "a")).code == 404


async def test_the_grace_can_stand_in_the_query(api: Api) -> None:
    await api.create("pods", "a", spec=pod(nodeName="absent"))
    reply = await api.delete("pods", "a", gracePeriodSeconds="7")
    await api.delete("pods", "a", gracePeriodSeconds="0")

    assert reply.metadata["deletionGracePeriodSeconds"] == 7


async def test_a_pod_that_has_ended_goes_at_once(api: Api) -> None:
    await api.create("pods", "a", spec=pod(nodeName="absent"))
    await api.patch("pods", "a", {"status": {"phase": "Succeeded"}}, "status")
    await api.delete("pods", "a")

    assert (await api.get("pods", "a")).code == 404


async def test_a_dry_run_deletes_nothing(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    reply = await api.delete("things", "a", {"dryRun": ["All"]})

    assert reply.code == 200
    assert (await api.get("things", "a")).code == 200


async def test_an_unknown_propagation_is_invalid(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    reply = await api.delete("things", "a", {"propagationPolicy": "Sideways"})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert 'propagationPolicy: Unsupported value: "Sideways"' in reply.message


async def _owner_and_child(api: Api, **reference: object) -> Object:
    parent = await api.create("things", "parent", spec={"size": 1})
    owners = [owner(parent, **reference)]
    await api.create("configmaps", "child", metadata={"ownerReferences": owners})
    return parent


async def test_a_child_goes_after_its_owner(api: Api) -> None:
    await _owner_and_child(api, controller=True)
    await api.delete("things", "parent")

    await api.until_gone("configmaps", "child")


async def test_a_child_goes_before_its_owner_in_foreground(api: Api) -> None:
    await _owner_and_child(api, blockOwnerDeletion=True)
    version = (await api.list("things")).version
    async with api.watch("things", resourceVersion=version) as stream:
        reply = await api.delete("things", "parent", {"propagationPolicy": "Foreground"})
        kind, obj = await stream.next()
        await api.until_gone("things", "parent")

    assert reply.code == 200
    assert kind == "MODIFIED"
    assert obj["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert (await api.get("configmaps", "child")).code == 404


async def test_an_owner_in_foreground_waits_for_a_child_that_is_held(api: Api) -> None:
    parent = await api.create("things", "parent", spec={"size": 1})
    metadata = {
        "ownerReferences": [owner(parent, blockOwnerDeletion=True)],
        "finalizers": [FINALIZER],
    }
    await api.create("configmaps", "child", metadata=metadata)
    await api.delete("things", "parent", {"propagationPolicy": "Foreground"})

    async def child_is_going() -> bool:
        return "deletionTimestamp" in (await api.get("configmaps", "child")).metadata

    await api.until(child_is_going)
    before = await api.get("things", "parent")
    await api.patch("configmaps", "child", {"metadata": {"finalizers": None}})
    await api.until_gone("things", "parent")

    assert before.code == 200


async def test_an_orphan_stays_and_forgets_its_owner(api: Api) -> None:
    await _owner_and_child(api)
    await api.delete("things", "parent", {"propagationPolicy": "Orphan"})
    await api.until_gone("things", "parent")
    child = await api.get("configmaps", "child")

    assert child.code == 200
    assert not child.metadata.get("ownerReferences")


async def test_a_child_with_a_second_living_owner_stays(api: Api) -> None:
    first = await api.create("things", "first", spec={"size": 1})
    second = await api.create("things", "second", spec={"size": 1})
    owners = [owner(first), owner(second)]
    await api.create("configmaps", "child", metadata={"ownerReferences": owners})
    await api.create("configmaps", "witness", metadata={"ownerReferences": [owner(first)]})
    await api.delete("things", "first")
    await api.until_gone("configmaps", "witness")

    assert (await api.get("configmaps", "child")).code == 200


async def test_a_child_of_an_owner_that_never_was_goes(api: Api) -> None:
    parent = await api.create("things", "parent", spec={"size": 1})
    stranger = owner(parent) | {"uid": "00000000-0000-0000-0000-000000000000"}
    await api.create("configmaps", "child", metadata={"ownerReferences": [stranger]})

    await api.until_gone("configmaps", "child")


async def test_a_pod_goes_with_its_owner_and_has_its_grace(api: Api) -> None:
    parent = await api.create("things", "parent", spec={"size": 1})
    metadata = {"ownerReferences": [owner(parent, controller=True)]}
    await api.create("pods", "child", metadata=metadata, spec=pod(nodeName="absent"))
    await api.delete("things", "parent")

    async def is_terminating() -> bool:
        reply = await api.get("pods", "child")
        return reply.code == 404 or "deletionTimestamp" in reply.metadata

    await api.until(is_terminating)
