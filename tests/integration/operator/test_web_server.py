"""Every run has a URL: its Service and route come with the pod, are kept, and go at the end."""

from datetime import timedelta
from typing import Any

import pytest
from tests.integration.operator.bench import SETTINGS, Bench, Workload, is_work
from tests.support.apiserver import on
from tests.support.apiserver.deletion import DeleteOptions

from actor_operator.reconcile import web_servers
from actor_operator.settings import Settings
from actor_operator.settings_web import (
    GatewaySettings,
    IngressSettings,
    NetworkSettings,
    WebServerMode,
    WebServerSettings,
)

STATUS = "update actorruns/status"

ROUTES = {WebServerMode.INGRESS: "ingresses", WebServerMode.HTTP_ROUTE: "httproutes"}
"""The kind of the route in each mode."""


def in_mode(mode: WebServerMode, **web: Any) -> Settings:
    """The settings with URLs."""
    return SETTINGS.model_copy(
        update={
            "web_server": WebServerSettings(
                mode=mode,
                domain="runs.example",
                ingress=IngressSettings(class_name="web"),
                gateway=GatewaySettings(name="front", namespace="gateways"),
                **web,
            ),
            "network": NetworkSettings(policy=False),
        }
    )


INGRESS = in_mode(WebServerMode.INGRESS)


def has_class(bench: Bench, name: str = "web") -> None:
    bench.server.create("ingressclasses", {"metadata": {"name": name}})


def only(bench: Bench, kind: str) -> dict[str, Any]:
    """The one object of a kind."""
    (found,) = bench.server.objects(kind, "default")
    return found


def web_server_ready(bench: Bench, name: str = "subject") -> tuple[str, str]:
    """Status and reason of WebServerReady."""
    conditions = bench.status(name).get("conditions", [])
    found = [c for c in conditions if c["type"] == "WebServerReady"]
    return (found[0]["status"], found[0]["reason"]) if found else ("", "")


async def reachable(bench: Bench, name: str = "subject") -> None:
    ready = ("True", "EndpointReady")
    await bench.until("it can be reached", lambda: web_server_ready(bench, name) == ready)


def writes_of(mode: WebServerMode) -> list[str]:
    """The writes of a run that succeeds, in their order."""
    route = ROUTES[mode]
    return [
        "create secrets",
        "create pods",
        "create services",
        f"create {route}",
        STATUS,
        "delete secrets",
        f"delete {route}",
        "delete services",
        STATUS,
    ]


@pytest.mark.parametrize("mode", ROUTES)
async def test_a_run_with_a_url_makes_nine_writes(bench: Bench, mode: WebServerMode) -> None:
    has_class(bench)
    await bench.leading(bench.start(in_mode(mode)))

    await bench.drive(Workload())

    assert bench.writes() == writes_of(mode)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("nth", range(9))
async def test_a_run_ends_as_ever_when_the_operator_crashes(
    bench: Bench, nth: int, moment: str
) -> None:
    has_class(bench)
    first = bench.start(INGRESS)
    await bench.leading(first)
    await bench.drive(Workload(), "reference")
    bench.server.faults.call(
        first.crash, on("write", when=is_work, nth=nth + 1), applied=moment == "after"
    )

    bench.expect_crash(first, INGRESS)
    await bench.drive(Workload())

    assert first.crashed
    assert bench.server.objects("services", "default") == []
    assert bench.server.objects("ingresses", "default") == []
    assert bench.status()["containerUrl"].startswith("https://")
    assert bench.status()["phase"] == "SUCCEEDED"
    assert bench.pods_made() == 1


async def test_status_pod_and_route_have_the_same_url(bench: Bench) -> None:
    has_class(bench)
    await bench.leading(bench.start(INGRESS))
    bench.create(Workload("endless"))
    await reachable(bench)

    url = bench.status()["containerUrl"]
    (rule,) = only(bench, "ingresses")["spec"]["rules"]
    assert url == f"https://{rule['host']}/"
    label, _, domain = rule["host"].partition(".")
    assert (len(label), domain) == (26, "runs.example")
    (pod,) = bench.live_pods()
    assert (
        f'"containerUrl":"{url}"' in pod["metadata"]["annotations"]["actor-operator.dev/resolved"]
    )
    service = only(bench, "services")
    assert rule["http"]["paths"][0]["backend"]["service"]["name"] == service["metadata"]["name"]
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()


@pytest.mark.parametrize("kind", ["services", "ingresses"])
async def test_what_is_deleted_is_made_again(bench: Bench, kind: str) -> None:
    has_class(bench)
    await bench.leading(bench.start(INGRESS))
    bench.create(Workload("endless"))
    await reachable(bench)
    before, url = only(bench, kind), bench.status()["containerUrl"]

    bench.server.delete(kind, "default", before["metadata"]["name"])

    await bench.until("it is made again", lambda: bool(bench.server.objects(kind, "default")))
    again = only(bench, kind)
    assert again["metadata"]["uid"] != before["metadata"]["uid"]
    assert again["metadata"]["name"] == before["metadata"]["name"]
    assert bench.status()["containerUrl"] == url
    assert web_server_ready(bench) == ("True", "EndpointReady")


CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "another host": ("ingresses", {"spec": {"rules": [{"host": "other.example"}]}}),
    "another backend": (
        "ingresses",
        {"spec": {"defaultBackend": {"service": {"name": "x", "port": {"number": 1}}}}},
    ),
    "no label": ("ingresses", {"metadata": {"labels": {"actor-operator.dev/run-uid": None}}}),
    "another selector": ("services", {"spec": {"selector": {"app": "x"}}}),
    "an outside address": ("services", {"spec": {"externalIPs": ["203.0.113.1"]}}),
    "another port": ("services", {"spec": {"ports": [{"port": 81}]}}),
    "a name elsewhere": ("services", {"metadata": {"labels": {"actor-operator.dev/run": None}}}),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_is_changed_is_mended(bench: Bench, change: str) -> None:
    kind, patch = CHANGES[change]
    has_class(bench)
    await bench.leading(bench.start(INGRESS))
    bench.create(Workload("endless"))
    await reachable(bench)
    before = only(bench, kind)

    bench.server.patch(kind, "default", before["metadata"]["name"], patch)

    def mended() -> bool:
        now = only(bench, kind)
        return bool(
            now["spec"] == before["spec"]
            and now["metadata"]["labels"] == before["metadata"]["labels"]
        )

    assert not mended()
    await bench.until("it is mended", mended)
    assert only(bench, kind)["metadata"]["uid"] == before["metadata"]["uid"]


async def test_what_others_add_beside_it_stays(bench: Bench) -> None:
    has_class(bench)
    await bench.leading(bench.start(INGRESS))
    bench.create(Workload("endless"))
    await reachable(bench)
    name = only(bench, "ingresses")["metadata"]["name"]
    count = len(bench.writes())

    theirs = {"annotations": {"controller.example/state": "ok"}, "finalizers": ["example.dev/x"]}
    bench.server.patch("ingresses", "default", name, {"metadata": theirs})
    bench.server.patch("services", "default", name, {"spec": {"externalIPs": ["203.0.113.1"]}})
    await bench.until("it is mended", lambda: len(bench.writes()) > count)

    assert bench.writes()[count:] == ["patch services"]
    found = only(bench, "ingresses")["metadata"]
    assert (found["annotations"], found["finalizers"]) == (
        theirs["annotations"],
        theirs["finalizers"],
    )


async def test_without_its_ingress_class_a_run_goes_on_and_says_what_to_do(bench: Bench) -> None:
    await bench.leading(bench.start(INGRESS))
    bench.create(Workload("endless"))
    await bench.phase("RUNNING")
    await bench.until("it says so", lambda: web_server_ready(bench) == ("False", "NoIngress"))

    (condition,) = [c for c in bench.status()["conditions"] if c["type"] == "WebServerReady"]
    assert condition["message"] == (
        'There is no IngressClass "web". Create it with its controller, or correct'
        " webServer.ingress.className in the operator's settings."
    )
    has_class(bench, "other")
    has_class(bench)
    await reachable(bench)


async def test_a_service_of_its_name_that_is_not_its_own_is_left_alone(bench: Bench) -> None:
    has_class(bench)
    first = bench.start(INGRESS)
    await bench.leading(first)
    bench.create(Workload("endless"))
    await reachable(bench)
    service = only(bench, "services")
    name = service["metadata"]["name"]
    await first.stop()
    bench.server.delete("services", "default", name)
    theirs = {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}
    bench.server.create("services", theirs)

    await bench.leading(bench.start(INGRESS))
    await bench.until("it says so", lambda: web_server_ready(bench) == ("False", "NoIngress"))

    bench.abort()
    await bench.phase("ABORTED")
    assert "labels" not in only(bench, "services")["metadata"]


async def test_with_another_key_live_runs_keep_their_urls(bench: Bench) -> None:
    has_class(bench)
    first = bench.start(INGRESS)
    await bench.leading(first)
    bench.create(Workload("endless"), "old")
    await reachable(bench, "old")
    url, namespace = bench.status("old")["containerUrl"], INGRESS.namespace
    ingress = only(bench, "ingresses")

    keys = {"k2": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=", "active": "azI="}
    bench.server.patch("secrets", namespace, "actor-operator-keys", {"data": keys})
    await first.stop()
    await bench.leading(bench.start(INGRESS))
    bench.create(Workload("endless"), "new")
    await reachable(bench, "new")

    assert bench.status("old")["containerUrl"] == url
    assert ingress in bench.server.objects("ingresses", "default")
    label = url.removeprefix("https://").partition(".")[0]
    assert label not in bench.status("new")["containerUrl"]


async def test_an_actor_without_a_web_server_has_no_url(bench: Bench) -> None:
    has_class(bench)
    await bench.leading(bench.start(INGRESS))
    bench.server.patch("actors", "default", "quick", {"spec": {"webServer": {"enabled": False}}})

    await bench.drive(Workload())

    assert web_server_ready(bench) == ("False", "Disabled")
    assert "containerUrl" not in bench.status()
    assert [write for write in bench.writes() if "secrets" not in write] == [
        "create pods",
        STATUS,
        STATUS,
    ]


async def test_a_run_that_is_deleted_without_its_children_leaves_nothing(bench: Bench) -> None:
    has_class(bench)
    await bench.leading(bench.start(INGRESS))
    bench.create(Workload("endless"))
    await reachable(bench)

    bench.server.delete("actorruns", "default", "subject", DeleteOptions(propagation="Orphan"))

    def left() -> list[dict[str, Any]]:
        objects = bench.server.objects
        return [*objects("services", "default"), *objects("ingresses", "default")]

    await bench.until("nothing is left", lambda: not left())


async def test_what_could_not_be_removed_is_removed_later_also_when_the_run_changes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_servers, "FIRST_PAUSE", timedelta(seconds=0.1))
    has_class(bench)
    await bench.leading(bench.start(INGRESS))
    bench.create(Workload("endless"))
    await reachable(bench)
    refused = bench.server.faults.fail(403, on("delete", "ingresses", times=None))
    bench.abort()
    await bench.phase("ABORTED")
    await bench.until("it is refused", lambda: len(refused.hits) > 1)
    assert [len(bench.server.objects(kind, "default")) for kind in ("services", "ingresses")] == [
        0,
        1,
    ]

    bench.server.patch("actorruns", "default", "subject", {"metadata": {"labels": {"a": "b"}}})
    tries = len(refused.hits)
    await bench.until("it is tried again", lambda: len(refused.hits) > tries + 1)
    bench.server.faults.clear()
    await bench.until("it is gone", lambda: not bench.server.objects("ingresses", "default"))
