"""Which objects a list holds, as of when, in which pages."""

import pytest
from tests.contract.client import Api, pod


async def _make(api: Api, *names: str) -> None:
    for name in names:
        await api.create("configmaps", name, metadata={"labels": {"name": name}})


async def _names(api: Api, plural: str = "configmaps", **query: str) -> list[str]:
    """Names in a list, without the ConfigMap that the real server puts into each namespace."""
    reply = await api.list(plural, **query)
    assert reply.code == 200, reply.body
    return [name for name in reply.names if name != "kube-root-ca.crt"]


async def test_items_are_sorted_by_name(api: Api) -> None:
    await _make(api, "c", "a", "b")

    assert await _names(api) == ["a", "b", "c"]


async def test_items_of_built_in_kinds_have_no_kind_and_those_of_custom_kinds_have_one(
    api: Api,
) -> None:
    await api.create("pods", "a", spec=pod())
    await api.create("things", "a", spec={"size": 1})
    pods, things = await api.list("pods"), await api.list("things")

    assert (pods.body["kind"], pods.body["apiVersion"]) == ("PodList", "v1")
    assert "kind" not in pods.body["items"][0]
    assert things.body["kind"] == "ThingList"
    assert things.body["items"][0]["kind"] == "Thing"


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=a", ["one"]),
        ("app==a,tier!=x", ["one"]),
        ("app!=a", ["three", "two"]),
        ("app in (a, b)", ["one", "two"]),
        ("app notin (a)", ["three", "two"]),
        ("app", ["one", "two"]),
        ("!app", ["three"]),
    ],
)
async def test_label_selectors(api: Api, selector: str, expected: list[str]) -> None:
    await api.create("pods", "one", metadata={"labels": {"app": "a"}}, spec=pod())
    await api.create("pods", "two", metadata={"labels": {"app": "b"}}, spec=pod())
    await api.create("pods", "three", spec=pod())

    assert await _names(api, "pods", labelSelector=selector) == expected


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("metadata.name=one", ["one"]),
        ("metadata.name!=one", ["two"]),
        ("spec.nodeName=n1", ["one"]),
        ("spec.nodeName=", ["two"]),
        ("status.phase=Pending,spec.restartPolicy=Never", ["two"]),
        ("status.phase!=Pending", []),
    ],
)
async def test_field_selectors_of_pods(api: Api, selector: str, expected: list[str]) -> None:
    await api.create("pods", "one", spec=pod(nodeName="n1"))
    await api.create("pods", "two", spec=pod(restartPolicy="Never"))

    assert await _names(api, "pods", fieldSelector=selector) == expected


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("spec.mode=Slow", ["slow"]),
        ("status.phase=READY", ["fast", "slow"]),
        ("status.finished=true", ["slow"]),
        ("status.finished!=true", ["fast"]),
        ("status.finished=", ["fast"]),
    ],
)
async def test_selectable_fields_of_custom_kinds(
    api: Api, selector: str, expected: list[str]
) -> None:
    await api.create("things", "fast", spec={"size": 1})
    await api.create("things", "slow", spec={"size": 1, "mode": "Slow"})
    await api.patch("things", "slow", {"status": {"finished": True}}, "status")

    assert await _names(api, "things", fieldSelector=selector) == expected


async def test_a_field_that_is_not_selectable_is_a_bad_request(api: Api) -> None:
    reply = await api.list("things", fieldSelector="spec.size=1")

    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert "field label not supported: spec.size" in reply.message


async def test_a_label_selector_that_cannot_be_read_is_a_bad_request(api: Api) -> None:
    reply = await api.list("pods", labelSelector="a b")

    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert "unable to parse requirement" in reply.message


async def test_pages_hold_together_though_objects_come_and_go(api: Api) -> None:
    await _make(api, "a", "b", "c", "d")
    first = await api.list("configmaps", limit="2")
    await api.delete("configmaps", "c")
    await _make(api, "ab")
    rest = await api.list("configmaps", limit="5", continue_=first.metadata["continue"])

    assert first.names == ["a", "b"]
    assert [name for name in rest.names if name != "kube-root-ca.crt"] == ["c", "d"]
    assert "continue" not in rest.metadata
    assert rest.version == first.version


async def test_a_page_says_how_many_are_left(api: Api) -> None:
    for name in "abc":
        await api.create("things", name, spec={"size": 1})
    page = await api.list("things", limit="1")

    assert page.metadata["remainingItemCount"] == 2


async def test_an_expired_page_is_410_with_a_token_to_go_on_with(api: Api) -> None:
    for name in "abc":
        await api.create("things", name, spec={"size": 1})
    first = await api.list("things", limit="1")
    await api.create("things", "d", spec={"size": 1})
    await api.compact()
    reply = await api.list("things", limit="5", continue_=first.metadata["continue"])

    assert (reply.code, reply.reason) == (410, "Expired")
    assert reply.message.startswith("The provided continue parameter is too old")
    assert reply.body["code"] == 410
    rest = await api.list("things", limit="5", continue_=reply.metadata["continue"])
    assert rest.names == ["b", "c", "d"]


async def test_a_token_that_is_none_is_a_bad_request(api: Api) -> None:
    reply = await api.list("things", limit="5", continue_="nonsense")

    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert "continue key is not valid" in reply.message


async def test_a_token_goes_with_no_resource_version(api: Api) -> None:
    for name in "ab":
        await api.create("things", name, spec={"size": 1})
    first = await api.list("things", limit="1")
    reply = await api.list(
        "things", continue_=first.metadata["continue"], resourceVersion=first.version
    )

    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert reply.message == "specifying resource version is not allowed when using continue"


async def test_version_zero_is_whatever_the_server_has(api: Api) -> None:
    await _make(api, "a")

    assert (await api.list("configmaps", resourceVersion="0")).code == 200


async def test_a_version_is_at_least_that_old(api: Api) -> None:
    await _make(api, "a")
    before = await api.list("configmaps")
    await _make(api, "b")

    assert await _names(api, resourceVersion=before.version) == ["a", "b"]


async def test_an_exact_version_is_the_past(api: Api) -> None:
    await _make(api, "a", "b")
    before = await api.list("configmaps")
    await api.delete("configmaps", "a")
    await _make(api, "c")
    names = await _names(api, resourceVersion=before.version, resourceVersionMatch="Exact")

    assert names == ["a", "b"]


async def test_a_version_with_a_limit_is_exact_too(api: Api) -> None:
    await _make(api, "a")
    before = await api.list("configmaps")
    await _make(api, "b")

    assert await _names(api, resourceVersion=before.version, limit="500") == ["a"]


async def test_an_exact_version_that_is_compacted_is_410(api: Api) -> None:
    await _make(api, "a")
    before = await api.list("configmaps")
    await _make(api, "b")
    await api.compact()
    reply = await api.list(
        "configmaps", resourceVersion=before.version, resourceVersionMatch="Exact"
    )

    assert (reply.code, reply.reason) == (410, "Expired")


async def test_a_version_of_the_future_is_a_timeout(api: Api) -> None:
    newest = await api.list("configmaps")
    reply = await api.list("configmaps", resourceVersion=str(int(newest.version) + 1_000_000))

    assert (reply.code, reply.reason) == (504, "Timeout")
    assert "Too large resource version" in reply.message
    assert reply.details["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert reply.details["retryAfterSeconds"] == 1


async def test_a_version_that_is_no_number_is_refused(api: Api) -> None:
    reply = await api.list("configmaps", resourceVersion="abc")

    assert reply.code == 400


async def test_a_match_without_version_is_invalid(api: Api) -> None:
    reply = await api.list("configmaps", resourceVersionMatch="Exact")

    assert (reply.code, reply.reason) == (422, "Invalid")
    assert "resourceVersionMatch is forbidden unless resourceVersion is provided" in reply.message


async def test_a_list_over_all_namespaces(api: Api) -> None:
    await _make(api, "a")
    reply = await api.call("GET", "/api/v1/configmaps", fieldSelector="metadata.name=a")

    namespaces = [item["metadata"]["namespace"] for item in reply.body["items"]]
    assert api.namespace in namespaces
