"""What run pods reach and who reaches them, where a network plugin enforces NetworkPolicies.

Beside each run there is a pod without the policy's label: what it reaches shows that the way is
there, and that it is the policy that closes it.
"""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.cluster_tool import argv, network
from tests.cluster_tool.errors import CommandError
from tests.cluster_tool.kubectl import Kubectl
from tests.node.conftest import NAME, Installed, cluster_tool
from tests.support.installation import REGISTRY
from tests.support.outside import answering_at
from tests.support.reach import Reached
from tests.support.recorder import Recorder
from tests.support.web_client import Site
from tests.support.web_runs import WebRuns
from tests.support.workspace import Admin, Workspace

pytestmark = [pytest.mark.node, pytest.mark.timeout(240)]

INTERNET = "203.0.113.7"
"""An address that stands for the internet."""

PRIVATE = "192.168.77.7"
"""An address of a private network."""

METADATA = "169.254.169.254"
"""Where clouds tell a machine its secrets."""

WEB_PORT, OTHER_PORT = 4321, 4322
"""Ports on which the run listens, and so do the pods beside it; the first one is the run's own."""

ENFORCED_SECONDS = 20.0
"""How soon a pod is under its policy."""

POLICY = "actor-operator-runs"

LISTEN = """
import socketserver, sys, threading
class Answer(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.sendall(b"here")
socketserver.ThreadingTCPServer.allow_reuse_address = True
for port in sys.argv[1:]:
    server = socketserver.ThreadingTCPServer(("", int(port)), Answer)
    threading.Thread(target=server.serve_forever).start()
"""
"""Program that listens on some ports."""

CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3).close()
    print("reached")
except OSError as error:
    print(error)
"""
"""Program that tries to connect to an address and a port."""


class Pods:
    """Pods that are asked to connect to others."""

    def __init__(self, kubectl: Kubectl) -> None:
        self.kubectl = kubectl
        self._made: list[tuple[str, str]] = []

    def make(self, namespace: str, name: str) -> str:
        """Make a pod that is no run's and listens on both ports; returns its address."""
        container = {
            "name": "main",
            "image": f"{REGISTRY}/web-server:1",
            "imagePullPolicy": "IfNotPresent",
            "command": ["python3", "-c", LISTEN, str(WEB_PORT), str(OTHER_PORT)],
        }
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container]},
        }
        self.kubectl.apply(json.dumps(pod))
        self._made.append((namespace, name))
        self.kubectl.run(
            "wait", "-n", namespace, "--for=condition=Ready", f"pod/{name}", "--timeout=60s"
        )
        return self.address(namespace, name)

    def address(self, namespace: str, name: str) -> str:
        """The address of a pod."""
        return self.kubectl.run("get", "-n", namespace, "pod", name, "-o=jsonpath={.status.podIP}")

    def reaches(self, place: tuple[str, str], address: str, port: int) -> bool:
        """Whether a pod, by namespace and name, can connect to an address."""
        namespace, name = place
        command = ("python3", "-c", CONNECT, address, str(port))
        said = self.kubectl.run("exec", "-n", namespace, name, "--", *command).strip()
        assert said in {"reached", "timed out"} or "refused" in said, said
        return said == "reached"

    def remove(self) -> None:
        """Remove all that were made."""
        for namespace, name in self._made:
            self.kubectl.run("delete", "-n", namespace, "pod", name, "--now")


class World:
    """A run under its policy, and pods beside it."""

    def __init__(self, runs: WebRuns, pods: Pods) -> None:
        self.pods = pods
        self.runs = runs
        self.site: Site = runs.start("guarded", memoryMbytes=1024)
        runs.wait_page("guarded")
        namespace = runs.workspace.namespace
        self.run = (namespace, runs.workspace.status("guarded")["podName"])
        self.free = (namespace, "free")
        self.stranger = ("default", "stranger")
        self.controller = ("traefik", "beside-traefik")
        self.addresses = {place: pods.make(*place) for place in (self.free, self.stranger)}
        pods.make(*self.controller)
        self.addresses[self.run] = pods.address(*self.run)
        self._listen_beside()
        self._wait_enforced()

    def _listen_beside(self) -> None:
        """Let something in the run's container listen on a port that is not its web server's."""
        namespace, name = self.run
        start = f"python3 -c '{LISTEN}' {OTHER_PORT} </dev/null >/dev/null 2>&1 &"
        self.pods.kubectl.run("exec", "-n", namespace, name, "--", "sh", "-c", start)

    def _wait_enforced(self) -> None:
        deadline = time.monotonic() + ENFORCED_SECONDS
        while self.pods.reaches(self.run, PRIVATE, 80):
            assert time.monotonic() < deadline, "nothing enforces the policy"


@pytest.fixture(scope="module")
def world(installed: Installed, reached: Reached, recorder: Recorder) -> Iterator[World]:
    """The nodes enforce policies, and a host outside of the cluster answers."""
    admin, pods = Admin(reached), Pods(installed.kubectl)
    cluster_tool("network-policies", "on")
    try:
        with answering_at(NAME, [INTERNET, PRIVATE, METADATA]):
            runs = WebRuns(Workspace(admin, recorder), installed.kubectl, "ingress")
            yield World(runs, pods)
            runs.abort_all()
    finally:
        pods.remove()
        cluster_tool("network-policies", "off")
        admin.close()


def test_a_run_reaches_the_internet(world: World) -> None:
    assert world.pods.reaches(world.run, INTERNET, 80)


def test_a_run_resolves_names(world: World) -> None:
    namespace, name = world.run
    program = "import socket; print(socket.gethostbyname('kubernetes.default.svc.cluster.local'))"

    said = world.pods.kubectl.run("exec", "-n", namespace, name, "--", "python3", "-c", program)

    assert said.strip() == argv.API_SERVICE_ADDRESS


@pytest.mark.parametrize(
    ("address", "port"),
    [
        (PRIVATE, 80),
        (METADATA, 80),
        (argv.API_SERVICE_ADDRESS, 443),
        (network.CONTROL_PLANE_ADDRESS, 6443),
        (network.node_address(1), 10250),
        (network.node_address(2), 10250),
    ],
    ids=["private", "metadata", "API by its Service", "API", "kubelet", "another kubelet"],
)
def test_a_run_does_not_reach_what_is_not_of_the_internet(
    world: World, address: str, port: int
) -> None:
    assert world.pods.reaches(world.free, address, port)
    assert not world.pods.reaches(world.run, address, port)


def test_a_run_reaches_no_pod_of_its_namespace_or_of_another(world: World) -> None:
    for place in (world.free, world.stranger):
        assert world.pods.reaches(world.controller, world.addresses[place], WEB_PORT)
        assert not world.pods.reaches(world.run, world.addresses[place], WEB_PORT)


def test_the_web_server_is_reached_through_its_url(world: World) -> None:
    assert world.site.get("/").status == 200


def test_the_web_server_is_reached_from_the_ingress_controllers_namespace(world: World) -> None:
    assert world.pods.reaches(world.controller, world.addresses[world.run], WEB_PORT)


def test_the_web_server_is_reached_from_no_other_pod(world: World) -> None:
    for place in (world.free, world.stranger):
        assert not world.pods.reaches(place, world.addresses[world.run], WEB_PORT)


def test_another_port_is_reached_from_nowhere(world: World) -> None:
    # That something listens there shows at the run's own address, inside its pod.
    assert world.pods.reaches(world.run, "127.0.0.1", OTHER_PORT)
    for place in (world.controller, world.free, world.stranger):
        assert not world.pods.reaches(place, world.addresses[world.run], OTHER_PORT)


def test_a_policy_that_is_deleted_comes_back_and_holds(world: World) -> None:
    namespace, _ = world.run
    kubectl = world.pods.kubectl
    uid = ("get", "-n", namespace, "networkpolicy", POLICY, "-o=jsonpath={.metadata.uid}")
    before = kubectl.run(*uid)

    kubectl.run("delete", "-n", namespace, "networkpolicy", POLICY)
    deadline = time.monotonic() + 10
    while _get(kubectl, *uid) in {"", before}:
        assert time.monotonic() < deadline, "the policy does not come back"
        time.sleep(0.2)

    deadline = time.monotonic() + ENFORCED_SECONDS
    while world.pods.reaches(world.run, PRIVATE, 80):
        assert time.monotonic() < deadline, "the policy does not hold"


def _get(kubectl: Kubectl, *arguments: Any) -> str:
    """What kubectl prints, or nothing when the object is not there."""
    try:
        return kubectl.run(*arguments)
    except CommandError:
        return ""
