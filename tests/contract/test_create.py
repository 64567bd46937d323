"""What a POST does, and what it refuses."""

from tests.contract.client import Api, pod


async def test_the_server_sets_uid_time_generation_and_version(api: Api) -> None:
    reply = await api.post("pods", {"metadata": {"name": "a"}, "spec": pod()})

    assert reply.code == 201
    assert reply.body["kind"] == "Pod"
    assert reply.body["apiVersion"] == "v1"
    assert len(reply.metadata["uid"]) == 36
    assert reply.metadata["creationTimestamp"].endswith("Z")
    assert reply.metadata["generation"] == 1
    assert int(reply.version) > 0
    assert reply.metadata["namespace"] == api.namespace


async def test_a_second_object_of_a_name_already_exists(api: Api) -> None:
    await api.create("pods", "a", spec=pod())
    reply = await api.post("pods", {"metadata": {"name": "a"}, "spec": pod()})

    assert (reply.code, reply.reason) == (409, "AlreadyExists")
    assert reply.message == 'pods "a" already exists'
    assert reply.details == {"name": "a", "kind": "pods"}
    assert reply.body["kind"] == "Status"
    assert reply.body["apiVersion"] == "v1"
    assert reply.body["status"] == "Failure"
    assert reply.body["code"] == 409
    assert reply.metadata == {}


async def test_a_refusal_names_the_group_of_a_grouped_kind(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    reply = await api.post("things", {"metadata": {"name": "a"}, "spec": {"size": 1}})

    assert reply.message == 'things.contract.example.org "a" already exists'
    assert reply.details == {"name": "a", "group": "contract.example.org", "kind": "things"}


async def test_generate_name_makes_names_of_five_more_characters(api: Api) -> None:
    first = await api.post("configmaps", {"metadata": {"generateName": "a-"}})
    second = await api.post("configmaps", {"metadata": {"generateName": "a-"}})

    names = {first.metadata["name"], second.metadata["name"]}
    assert len(names) == 2
    assert all(name.startswith("a-") and len(name) == 7 for name in names)
    assert first.metadata["generateName"] == "a-"


async def test_a_name_beside_generate_name_wins_and_can_be_taken(api: Api) -> None:
    metadata = {"name": "a", "generateName": "b-"}
    first = await api.post("configmaps", {"metadata": metadata})
    second = await api.post("configmaps", {"metadata": metadata})

    assert first.metadata["name"] == "a"
    assert (second.code, second.reason) == (409, "AlreadyExists")


async def test_an_object_without_any_name_is_invalid(api: Api) -> None:
    reply = await api.post("configmaps", {"metadata": {}})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert "metadata.name: Required value: name or generateName is required" in reply.message


async def test_a_name_that_is_no_dns_name_is_invalid(api: Api) -> None:
    reply = await api.post("pods", {"metadata": {"name": "A_b"}, "spec": pod()})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert reply.message.startswith(
        'Pod "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase RFC 1123 subdomain'
    )
    assert reply.details["kind"] == "Pod"
    cause = reply.details["causes"][0]
    assert (cause["reason"], cause["field"]) == ("FieldValueInvalid", "metadata.name")


async def test_a_label_of_more_than_63_characters_is_invalid(api: Api) -> None:
    metadata = {"name": "a", "labels": {"app": "x" * 64}}
    reply = await api.post("configmaps", {"metadata": metadata})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert "metadata.labels" in reply.message
    assert "must be no more than 63" in reply.message


async def test_an_owner_without_uid_is_invalid(api: Api) -> None:
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": ""}
    reply = await api.post("configmaps", {"metadata": {"name": "a", "ownerReferences": [owner]}})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert reply.details["causes"][0]["field"] == "metadata.ownerReferences.uid"


async def test_two_controllers_are_invalid(api: Api) -> None:
    owners = [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": name, "controller": True}
        for name in ("x", "y")
    ]
    reply = await api.post("configmaps", {"metadata": {"name": "a", "ownerReferences": owners}})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert "Only one reference can have Controller set to true" in reply.message


async def test_a_new_object_has_no_resource_version_to_be_compared(api: Api) -> None:
    reply = await api.post("configmaps", {"metadata": {"name": "a", "resourceVersion": "1"}})

    assert reply.code == 500
    assert "resourceVersion should not be set on objects to be created" in reply.message


async def test_what_only_the_server_sets_cannot_be_sent(api: Api) -> None:
    sent = {
        "name": "a",
        "uid": "mine",
        "creationTimestamp": "2001-01-01T00:00:00Z",
        "deletionTimestamp": "2001-01-01T00:00:00Z",
        "generation": 7,
    }
    reply = await api.post("pods", {"metadata": sent, "spec": pod()})

    assert reply.code == 201
    assert reply.metadata["uid"] != "mine"
    assert not reply.metadata["creationTimestamp"].startswith("2001")
    assert "deletionTimestamp" not in reply.metadata
    assert reply.metadata["generation"] == 1


async def test_the_status_of_a_new_object_is_the_servers(api: Api) -> None:
    body = {"metadata": {"name": "a"}, "spec": pod(), "status": {"phase": "Running"}}
    reply = await api.post("pods", body)

    assert reply.body["status"]["phase"] == "Pending"


async def test_a_namespace_in_the_object_has_to_be_that_of_the_path(api: Api) -> None:
    reply = await api.post("configmaps", {"metadata": {"name": "a", "namespace": "other"}})

    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert reply.message == (
        "the namespace of the provided object does not match the namespace sent on the request"
    )


async def test_there_is_no_creating_in_a_namespace_that_does_not_exist(api: Api) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    reply = await api.call("POST", "/api/v1/namespaces/absent/configmaps", body)

    assert (reply.code, reply.reason) == (404, "NotFound")
    assert reply.message == 'namespaces "absent" not found'
    assert reply.details == {"name": "absent", "kind": "namespaces"}


async def test_a_body_that_is_no_json_is_a_bad_request(api: Api) -> None:
    reply = await api.call("POST", api.path("configmaps"), "just a string")

    assert (reply.code, reply.reason) == (400, "BadRequest")


async def test_another_kind_than_that_of_the_path_is_a_bad_request(api: Api) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}}
    reply = await api.call("POST", api.path("configmaps"), body)

    assert (reply.code, reply.reason) == (400, "BadRequest")


async def test_a_dry_run_creates_nothing(api: Api) -> None:
    reply = await api.post("configmaps", {"metadata": {"name": "a"}}, dryRun="All")

    assert reply.code == 201
    assert (await api.get("configmaps", "a")).code == 404


async def test_an_unknown_kind_is_not_found(api: Api) -> None:
    reply = await api.call("GET", "/apis/contract.example.org/v1/nothings")

    assert reply.code == 404


async def test_a_name_is_not_found_with_kind_and_name(api: Api) -> None:
    reply = await api.get("things", "absent")

    assert (reply.code, reply.reason) == (404, "NotFound")
    assert reply.message == 'things.contract.example.org "absent" not found'
    assert reply.details == {
        "name": "absent",
        "group": "contract.example.org",
        "kind": "things",
    }


async def test_a_pod_gets_the_usual_defaults(api: Api) -> None:
    limits = {"cpu": "250m", "memory": "1Gi"}
    container = {"name": "main", "image": "x:1", "resources": {"limits": limits}}
    body = await api.create("pods", "a", spec=pod(containers=[container]))

    spec = body["spec"]
    assert spec["restartPolicy"] == "Always"
    assert spec["terminationGracePeriodSeconds"] == 30
    assert spec["serviceAccountName"] == "default"
    assert spec["containers"][0]["resources"]["requests"] == limits
    assert spec["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert body["status"] == {"phase": "Pending", "qosClass": "Guaranteed"}


async def test_a_pod_without_containers_is_invalid(api: Api) -> None:
    reply = await api.post("pods", {"metadata": {"name": "a"}, "spec": pod(containers=[])})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert reply.message == 'Pod "a" is invalid: spec.containers: Required value'


async def test_a_deadline_of_zero_is_invalid(api: Api) -> None:
    spec = pod(activeDeadlineSeconds=0)
    reply = await api.post("pods", {"metadata": {"name": "a"}, "spec": spec})

    assert reply.code == 422
    assert "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and" in reply.message
