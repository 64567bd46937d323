"""Every run has a URL: its Service and route on a real API server."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.chart.helm import HTTP_ROUTE, INGRESS
from tests.cluster_tool.addons import apply_gateway_crds
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.kubectl import Kubectl
from tests.support import history
from tests.support.audit import AuditLog, Entry
from tests.support.fleet import Fleet, wait_until_one_leads
from tests.support.history import Object
from tests.support.invariants_urls import REPAIR_SECONDS, hosts_of
from tests.support.operators import USER, OperatorProcess, install_rights
from tests.support.rest import MERGE_PATCH, RestClient
from tests.support.workspace import Admin, Workspace

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("urls")]

RUNS = 200
"""Runs at once."""

LEFT_SECONDS = 60.0
"""So long after the last end nothing of them may be left."""

AT_ONCE = 8
"""Connections over which runs are made and ended."""

CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"

PATHS = {
    history.SERVICE: "/api/v1/namespaces/{}/services",
    history.INGRESS: "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
}
"""Where each kind is."""

LOOK_SECONDS = 2.0
"""How long a new leader may take to look at a few runs."""


@pytest.fixture(scope="module")
def urls(
    request: pytest.FixtureRequest, control_plane: ControlPlane, fleet: Fleet, admin: Admin
) -> Iterator[None]:
    """Runs have URLs: by Ingresses, unless a test says otherwise."""
    values = getattr(request, "param", INGRESS)
    if values is HTTP_ROUTE:
        apply_gateway_crds(Kubectl(control_plane.kubeconfig))
    install_rights(control_plane, *values)
    has_class(admin)
    with fleet.configured(*values):
        yield
    admin.call("DELETE", f"{CLASSES}/web")


def has_class(admin: Admin) -> None:
    """Create the IngressClass of the settings, which no controller serves here."""
    body = {"metadata": {"name": "web"}, "spec": {"controller": "example.com/none"}}
    admin.must("POST", CLASSES, body)


def only(workspace: Workspace, kind: str) -> Object:
    """The one object of a kind."""
    (found,) = workspace.recorder.all(kind, workspace.namespace)
    return found


def reachable(workspace: Workspace, name: str) -> None:
    """Wait until a run says that requests would reach it."""
    workspace.wait_reason(name, "WebServerReady", "EndpointReady")


def start(workspace: Workspace, *names: str) -> None:
    """Start runs that do not end by themselves, and wait until they can be reached."""
    workspace.actor("endless", "endless")
    for name in names:
        workspace.run(name, "endless", memoryMbytes=128)
    for name in names:
        reachable(workspace, name)


def for_all(
    workspace: Workspace, names: Iterable[str], do: Callable[[Workspace, str], Any]
) -> None:
    """Do something for each name, over several connections."""
    groups = [list(names)[number::AT_ONCE] for number in range(AT_ONCE)]

    def work(group: list[str]) -> None:
        admin = Admin(workspace.admin.control_plane)
        for name in group:
            do(workspace.seen_by(admin), name)
        admin.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, groups))


@pytest.mark.timeout(600)
def test_two_hundred_runs_at_once_have_each_their_own_url_and_leave_nothing(
    workspace: Workspace, audit: AuditLog, report: Callable[[str], None]
) -> None:
    workspace.actor("endless", "endless")
    names = [f"many-{number}" for number in range(RUNS)]
    for_all(workspace, names, lambda w, name: w.run(name, "endless", memoryMbytes=128))
    for name in names:
        workspace.wait_reason(name, "WebServerReady", "EndpointReady", 180)

    space, recorder = workspace.namespace, workspace.recorder
    told = {urlsplit(workspace.status(name)["containerUrl"]).hostname for name in names}
    routed = [host for found in recorder.all(history.INGRESS, space) for host in hosts_of(found)]
    assert len(told) == RUNS
    assert sorted(routed) == sorted(map(str, told))
    assert len(recorder.all(history.SERVICE, space)) == RUNS

    for_all(workspace, names, lambda w, name: w.end_pod(name))
    workspace.wait_all(names, 180)
    ended, kinds = time.monotonic(), (history.SERVICE, history.INGRESS)
    recorder.wait(
        "nothing is left",
        lambda: not any(recorder.all(kind, space) for kind in kinds),
        LEFT_SECONDS,
    )
    report(
        f"{RUNS} runs with URLs: nothing left {time.monotonic() - ended:.1f} s after the last end"
    )

    workspace.history()
    writes = [w for w in audit.writes(space) if not w.resource.startswith(("actors", "network"))]
    assert Counter((w.verb, w.resource, w.code) for w in writes) == {
        ("create", "secrets", 201): RUNS,
        ("create", "pods", 201): RUNS,
        ("create", "services", 201): RUNS,
        ("create", "ingresses", 201): RUNS,
        ("update", "actorruns/status", 200): 2 * RUNS,
        ("delete", "secrets", 200): RUNS,
        ("delete", "ingresses", 200): RUNS,
        ("delete", "services", 200): RUNS,
    }


@pytest.mark.parametrize("kind", PATHS)
@pytest.mark.fault("B25")
def test_what_is_deleted_by_hand_is_made_again(
    workspace: Workspace, control_plane: ControlPlane, kind: str
) -> None:
    start(workspace, "endless")
    before = only(workspace, kind)
    name, here = before["metadata"]["name"], f"--namespace={workspace.namespace}"

    Kubectl(control_plane.kubeconfig).run("delete", kind.lower(), name, here)

    def made_again() -> bool:
        found = workspace.recorder.find(kind, workspace.namespace, name)
        return found is not None and found["metadata"]["uid"] != before["metadata"]["uid"]

    workspace.recorder.wait("it is made again", made_again, REPAIR_SECONDS)
    assert without_addresses(only(workspace, kind)) == without_addresses(before)
    workspace.wait_events("endless", ["Normal/Recreated"])
    workspace.abort("endless")
    workspace.wait("endless")


EDITS: dict[str, tuple[str, Object]] = {
    "a port of the nodes": (history.SERVICE, {"type": "NodePort"}),
    "a load balancer": (history.SERVICE, {"type": "LoadBalancer"}),
    "another name": (
        history.SERVICE,
        {"type": "ExternalName", "externalName": "a.example", "clusterIP": "", "clusterIPs": None},
    ),
    "an outside address": (history.SERVICE, {"externalIPs": ["203.0.113.1"]}),
    "affinity": (history.SERVICE, {"sessionAffinity": "ClientIP"}),
    "all addresses": (history.SERVICE, {"publishNotReadyAddresses": True}),
    "other pods": (history.SERVICE, {"selector": {"app": "another"}}),
    "another host": (history.INGRESS, {"rules": [{"host": "a.example"}]}),
    "another class": (history.INGRESS, {"ingressClassName": "another"}),
    "no TLS": (history.INGRESS, {"tls": None}),
}
"""What somebody changes in a specification whom no policy keeps from it."""


@pytest.fixture
def unhindered(control_plane: ControlPlane) -> Iterator[RestClient]:
    """Somebody to whom the chart's admission policies do not apply, as where they are off."""
    client = RestClient(control_plane, user=USER)
    yield client
    client.close()


def test_what_is_changed_by_hand_is_put_right(workspace: Workspace, unhindered: RestClient) -> None:
    start(workspace, "endless")
    for what, (kind, spec) in EDITS.items():
        before = only(workspace, kind)
        path = f"{PATHS[kind].format(workspace.namespace)}/{before['metadata']['name']}"
        changed = unhindered.call("PATCH", path, {"spec": spec}, content_type=MERGE_PATCH)
        assert changed.accepted, f"{what}: {changed.body}"
        assert changed.body["spec"] != before["spec"], what

        workspace.recorder.wait(
            f"{what} is put right",
            lambda kind=kind, before=before: (  # type: ignore[misc]
                without_addresses(only(workspace, kind)) == without_addresses(before)
                and int(only(workspace, kind)["metadata"]["resourceVersion"])
                > int(before["metadata"]["resourceVersion"])
            ),
            REPAIR_SECONDS,
        )
    workspace.abort("endless")
    workspace.wait("endless")


def without_addresses(obj: Object) -> Object:
    """A specification without what the API server chooses anew."""
    chosen = {"clusterIP", "clusterIPs"}
    return {name: value for name, value in obj["spec"].items() if name not in chosen}


@pytest.mark.fault("B26")
def test_without_its_ingress_class_a_run_runs_and_says_what_to_do(
    workspace: Workspace, admin: Admin
) -> None:
    admin.must("DELETE", f"{CLASSES}/web")
    try:
        workspace.actor("endless", "endless")
        workspace.run("endless", "endless")
        workspace.wait("endless", "RUNNING")
        workspace.wait_reason("endless", "WebServerReady", "NoIngress")
        workspace.wait_events("endless", ["Warning/NotReachable"])
    finally:
        has_class(admin)
    reachable(workspace, "endless")
    workspace.run("quick")
    workspace.wait("quick")
    workspace.abort("endless")
    workspace.wait("endless")


def test_a_new_leader_finds_everything_as_it_wants_it(
    replicas: list[OperatorProcess], workspace: Workspace, audit: AuditLog
) -> None:
    """What the API server stores, with its defaults, is what the operator builds."""
    assert written_by_a_new_leader(replicas, workspace, audit, history.INGRESS) == []


@pytest.mark.parametrize("urls", [HTTP_ROUTE], ids=["HTTPRoute"], indirect=True)
def test_so_it_does_with_the_gateway_api(
    replicas: list[OperatorProcess], workspace: Workspace, audit: AuditLog
) -> None:
    assert written_by_a_new_leader(replicas, workspace, audit, history.HTTP_ROUTE) == []


def written_by_a_new_leader(
    replicas: list[OperatorProcess], workspace: Workspace, audit: AuditLog, route: str
) -> list[Entry]:
    """What is written about live runs with a kind of route when the other replica leads."""
    workspace.actor("endless", "endless")
    names = [f"live-{number}" for number in range(5)]
    for name in names:
        workspace.run(name, "endless", memoryMbytes=128)
    for name in names:
        workspace.wait(name, "RUNNING")
    for kind in (history.SERVICE, route):
        assert len(workspace.recorder.all(kind, workspace.namespace)) == len(names)

    leader, heir = replicas
    began = time.time()
    leader.stop()
    wait_until_one_leads([heir])
    workspace.run("after", "endless", memoryMbytes=128)
    workspace.wait("after", "RUNNING")
    time.sleep(LOOK_SECONDS)

    # What was committed is heard of before it is answered.
    work = [e for e in audit.entries(since=began) if e.is_work and e.received > began]
    for name in [*names, "after"]:
        workspace.abort(name)
    workspace.wait_all([*names, "after"])
    return [entry for entry in work if entry.verb == "patch" or entry.name.startswith("live-")]
