"""ResourceQuota, and namespaces that go."""

from tests.contract.client import Api, Object, pod


async def _quota(api: Api, hard: dict[str, str]) -> None:
    """Create a quota and wait until it is counted."""
    await api.create("resourcequotas", "q", spec={"hard": hard})

    async def is_counted() -> bool:
        return "used" in (await api.get("resourcequotas", "q")).body.get("status", {})

    await api.until(is_counted)


def _sized(memory: str) -> Object:
    resources = {"limits": {"memory": memory, "cpu": "100m"}}
    return pod(containers=[{"name": "main", "image": "x:1", "resources": resources}])


async def test_a_pod_too_many_is_refused_with_the_quotas_name(api: Api) -> None:
    await _quota(api, {"pods": "1"})
    await api.create("pods", "a", spec=pod())
    reply = await api.post("pods", {"metadata": {"name": "b"}, "spec": pod()})

    assert (reply.code, reply.reason) == (403, "Forbidden")
    assert reply.message == (
        'pods "b" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'
    )
    assert reply.details == {"name": "b", "kind": "pods"}


async def test_memory_is_summed(api: Api) -> None:
    await _quota(api, {"limits.memory": "1Gi"})
    await api.create("pods", "a", spec=_sized("768Mi"))
    reply = await api.post("pods", {"metadata": {"name": "b"}, "spec": _sized("512Mi")})

    assert reply.code == 403
    assert reply.message == (
        'pods "b" is forbidden: exceeded quota: q, requested: limits.memory=512Mi, '
        "used: limits.memory=768Mi, limited: limits.memory=1Gi"
    )


async def test_a_pod_that_does_not_say_what_a_quota_counts_is_refused(api: Api) -> None:
    await _quota(api, {"limits.memory": "1Gi"})
    reply = await api.post("pods", {"metadata": {"name": "a"}, "spec": pod()})

    assert reply.code == 403
    assert reply.message == (
        'pods "a" is forbidden: failed quota: q: must specify limits.memory for: main'
    )


async def test_a_pod_that_has_ended_counts_no_more(api: Api) -> None:
    await _quota(api, {"pods": "1"})
    await api.create("pods", "a", spec=pod())
    await api.patch("pods", "a", {"status": {"phase": "Succeeded"}}, "status")

    async def fits() -> bool:
        return (await api.post("pods", {"metadata": {"name": "b"}, "spec": pod()})).code == 201

    await api.until(fits)


async def test_objects_are_counted_by_kind(api: Api) -> None:
    await _quota(api, {"count/secrets": "1"})
    await api.create("secrets", "a")
    reply = await api.post("secrets", {"metadata": {"name": "b"}})

    assert reply.code == 403
    assert "exceeded quota: q, requested: count/secrets=1, used: count/secrets=1" in reply.message


async def test_the_quota_shows_what_is_used(api: Api) -> None:
    await _quota(api, {"pods": "2", "limits.memory": "1Gi"})
    await api.create("pods", "a", spec=_sized("256Mi"))

    async def shows() -> bool:
        status = (await api.get("resourcequotas", "q")).body["status"]
        return bool(status["used"] == {"pods": "1", "limits.memory": "256Mi"})

    await api.until(shows)


async def test_a_namespace_that_goes_takes_its_objects_and_accepts_no_more(api: Api) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{api.namespace}-x"}}
    await api.call("POST", "/api/v1/namespaces", body)
    path = f"/api/v1/namespaces/{api.namespace}-x"
    held = {"name": "held", "finalizers": ["contract.example.org/hold"]}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": held}
    await api.call("POST", f"{path}/configmaps", config)
    deleted = await api.call("DELETE", path)
    refused = await api.call("POST", f"{path}/configmaps", config | {"metadata": {"name": "late"}})

    assert deleted.code == 200
    assert deleted.body["status"]["phase"] == "Terminating"
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert refused.message == (
        f'configmaps "late" is forbidden: unable to create new content in namespace '
        f"{api.namespace}-x because it is being terminated"
    )
    assert refused.details["causes"][0]["reason"] == "NamespaceTerminating"

    patch = {"metadata": {"finalizers": None}}
    media_type = "application/merge-patch+json"
    await api.call("PATCH", f"{path}/configmaps/held", patch, media_type=media_type)

    async def is_gone() -> bool:
        return (await api.call("GET", path)).code == 404

    await api.until(is_gone)
