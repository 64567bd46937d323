"""Rules of the built-in kinds that the operator meets."""

import pytest
from tests.contract.client import Api, Object, pod

IMMUTABLE = "field is immutable when `immutable` is set"


async def test_string_data_becomes_data(api: Api) -> None:
    secret = await api.create("secrets", "a", stringData={"key": "value"})

    assert secret["data"] == {"key": "dmFsdWU="}
    assert "stringData" not in secret
    assert secret["type"] == "Opaque"


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({"data": {"key": "YWdhaW4="}}, "data"),
        ({"stringData": {"other": "x"}}, "data"),
        ({"immutable": False}, "immutable"),
        ({"immutable": None}, "immutable"),
    ],
)
async def test_an_immutable_secret_does_not_change(api: Api, patch: Object, field: str) -> None:
    await api.create("secrets", "a", immutable=True, stringData={"key": "value"})
    reply = await api.patch("secrets", "a", patch)

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert reply.message == f'Secret "a" is invalid: {field}: Forbidden: {IMMUTABLE}'
    assert reply.details == {
        "name": "a",
        "kind": "Secret",
        "causes": [
            {
                "reason": "FieldValueForbidden",
                "message": f"Forbidden: {IMMUTABLE}",
                "field": field,
            }
        ],
    }


async def test_an_immutable_secret_gets_labels_and_can_be_deleted(api: Api) -> None:
    await api.create("secrets", "a", immutable=True, stringData={"key": "value"})
    labelled = await api.patch("secrets", "a", {"metadata": {"labels": {"a": "b"}}})
    deleted = await api.delete("secrets", "a")

    assert (labelled.code, deleted.code) == (200, 200)


async def test_an_immutable_config_map_does_not_change(api: Api) -> None:
    await api.create("configmaps", "a", immutable=True, data={"key": "value"})
    reply = await api.patch("configmaps", "a", {"data": {"key": "other"}})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert IMMUTABLE in reply.message


async def test_the_type_of_a_secret_never_changes(api: Api) -> None:
    await api.create("secrets", "a", stringData={"key": "value"})
    reply = await api.patch("secrets", "a", {"type": "example.org/other"})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert 'type: Invalid value: "example.org/other": field is immutable' in reply.message


async def test_the_spec_of_a_pod_does_not_change(api: Api) -> None:
    await api.create("pods", "a", spec=pod())
    reply = await api.patch("pods", "a", {"spec": {"terminationGracePeriodSeconds": 5}})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert reply.message.startswith(
        'Pod "a" is invalid: spec: Forbidden: pod updates may not change fields other than '
    )


async def test_a_deadline_can_be_set_and_lowered(api: Api) -> None:
    await api.create("pods", "a", spec=pod())
    first = await api.patch("pods", "a", {"spec": {"activeDeadlineSeconds": 100}})
    second = await api.patch("pods", "a", {"spec": {"activeDeadlineSeconds": 1}})

    assert first.body["spec"]["activeDeadlineSeconds"] == 100
    assert second.body["spec"]["activeDeadlineSeconds"] == 1
    assert second.metadata["generation"] == 3


async def test_a_deadline_cannot_be_raised_or_removed(api: Api) -> None:
    await api.create("pods", "a", spec=pod(activeDeadlineSeconds=100))
    raised = await api.patch("pods", "a", {"spec": {"activeDeadlineSeconds": 101}})
    removed = await api.patch("pods", "a", {"spec": {"activeDeadlineSeconds": None}})

    assert (raised.code, removed.code) == (422, 422)
    assert "must be less than or equal to previous value" in raised.message
    assert "must not update from a positive integer to nil value" in removed.message


async def test_labels_and_annotations_of_a_pod_change(api: Api) -> None:
    await api.create("pods", "a", spec=pod())
    reply = await api.patch("pods", "a", {"metadata": {"labels": {"a": "b"}}})

    assert reply.metadata["labels"] == {"a": "b"}
    assert reply.metadata["generation"] == 1


async def test_a_service_gets_an_address_and_keeps_it(api: Api) -> None:
    service = await api.create("services", "a", spec={"ports": [{"port": 80}]})
    address = service["spec"]["clusterIP"]
    changed = await api.patch("services", "a", {"spec": {"selector": {"a": "b"}}})
    moved = await api.patch("services", "a", {"spec": {"clusterIP": "10.96.200.200"}})

    assert service["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert service["spec"]["type"] == "ClusterIP"
    assert service["status"] == {"loadBalancer": {}}
    assert "generation" not in service["metadata"]
    assert changed.body["spec"]["clusterIP"] == address
    assert (moved.code, moved.reason) == (422, "Invalid")


async def test_a_service_without_ports_is_invalid(api: Api) -> None:
    reply = await api.post("services", {"metadata": {"name": "a"}, "spec": {}})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert "spec.ports: Required value" in reply.message


async def test_an_ingress_has_a_status_and_a_generation(api: Api) -> None:
    backend = {"service": {"name": "x", "port": {"number": 80}}}
    ingress = await api.create("ingresses", "a", spec={"defaultBackend": backend})

    assert ingress["metadata"]["generation"] == 1
    assert ingress["status"] == {"loadBalancer": {}}


async def test_an_ingress_without_rules_is_invalid(api: Api) -> None:
    reply = await api.post("ingresses", {"metadata": {"name": "a"}, "spec": {}})

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert "either `defaultBackend` or `rules` must be specified" in reply.message


async def test_an_ingress_class_belongs_to_no_namespace(api: Api) -> None:
    name = f"{api.namespace}-class"
    created = await api.create("ingressclasses", name, spec={"controller": "example.org/x"})
    found = await api.list("ingressclasses", fieldSelector=f"metadata.name={name}")
    deleted = await api.delete("ingressclasses", name)

    assert created["metadata"]["generation"] == 1
    assert "namespace" not in created["metadata"]
    assert found.names == [name]
    assert deleted.code == 200


async def test_what_a_network_policy_leaves_out_is_filled_in(api: Api) -> None:
    spec = {"podSelector": {}, "ingress": [], "egress": [{"ports": [{"port": 53}]}]}
    policy = await api.create("networkpolicies", "a", spec=spec)
    changed = await api.patch("networkpolicies", "a", {"spec": {"policyTypes": ["Egress"]}})

    assert policy["spec"] == {
        "podSelector": {},
        "egress": [{"ports": [{"port": 53, "protocol": "TCP"}]}],
        "policyTypes": ["Ingress", "Egress"],
    }
    assert policy["metadata"]["generation"] == 1
    assert "status" not in policy
    assert changed.metadata["generation"] == 2


def _event(api: Api) -> Object:
    regarding = {"kind": "Thing", "name": "a", "namespace": api.namespace, "uid": "1"}
    return {
        "metadata": {"name": "event"},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "contract.example.org/controller",
        "reportingInstance": "controller-0",
        "action": "Testing",
        "reason": "Tested",
        "regarding": regarding,
        "note": "It was tested.",
        "type": "Normal",
    }


async def test_an_event_is_seen_under_the_older_names_too(api: Api) -> None:
    reply = await api.post("events.k8s.io", _event(api))
    core = await api.get("events", "event")

    assert reply.code == 201, reply.body
    assert reply.body["note"] == "It was tested."
    assert core.body["apiVersion"] == "v1"
    assert core.body["message"] == "It was tested."
    assert core.body["involvedObject"]["name"] == "a"
    assert core.body["reportingComponent"] == "contract.example.org/controller"
    assert core.metadata["resourceVersion"] == reply.version


async def test_events_are_selected_by_their_object(api: Api) -> None:
    await api.post("events.k8s.io", _event(api))
    hit = await api.list("events", fieldSelector="involvedObject.name=a,involvedObject.kind=Thing")
    miss = await api.list("events", fieldSelector="involvedObject.name=b")

    assert hit.names == ["event"]
    assert miss.names == []


async def test_an_event_becomes_a_series_by_a_patch(api: Api) -> None:
    await api.post("events.k8s.io", _event(api))
    series = {"count": 2, "lastObservedTime": "2026-01-01T00:01:00.000000Z"}
    reply = await api.patch("events.k8s.io", "event", {"series": series})

    assert reply.code == 200, reply.body
    assert reply.body["series"]["count"] == 2


async def test_a_lease_is_renewed_under_a_lock(api: Api) -> None:
    lease = await api.create("leases", "a", spec={"holderIdentity": "x"})
    spec = {"holderIdentity": "y", "renewTime": "2026-01-01T00:00:00.000000Z"}
    taken = await api.put("leases", lease | {"spec": spec})
    late = await api.put("leases", lease | {"spec": {"holderIdentity": "z"}})

    assert taken.code == 200
    assert taken.body["spec"]["renewTime"] == "2026-01-01T00:00:00.000000Z"
    assert (late.code, late.reason) == (409, "Conflict")
