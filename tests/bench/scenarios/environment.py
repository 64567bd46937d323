"""Variables in a Secret beside variables in the pod, on a real kubelet."""

import base64
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.bench.load import Send, send
from tests.bench.plan import Plan
from tests.bench.report import Outcome, columns
from tests.cluster_tool import http_probe, members
from tests.cluster_tool.images.catalog import BUSYBOX
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.paths import state_dir
from tests.cluster_tool.ports import free_ports
from tests.cluster_tool.progress import step
from tests.support.operators import cpu_seconds
from tests.support.reach import Reached, by_kubeconfig
from tests.support.rest import RestClient

CLUSTER = "bench-environment"
"""Name of the cluster; another one of this name is taken down."""

VARIABLES = {f"ACTOR_VARIABLE_{number}": "x" * 30 for number in range(40)}
"""As many as a run has."""

PODS = 60
"""A node takes 110."""

POLL_SECONDS = 2.0
"""How often is looked whether all have ended."""

SETTLE_SECONDS = 5.0
"""Until the kubelet has given up its watches."""

REQUESTS = re.compile(
    r'^apiserver_request_total\{.*?,resource="(?P<resource>[^"]*)".*?,verb="(?P<verb>[A-Z]+)".*?\}'
    r" (?P<count>\S+)$",
    re.MULTILINE,
)
"""The API server's count of requests."""

COUNTED = frozenset({"pods", "secrets", "events"})
"""What is asked because of a pod."""


@dataclass(frozen=True)
class Spent:
    """Processor time of the API server in seconds, and requests by verb and resource."""

    cpu: float
    requests: Counter[str]


def run(plan: Plan) -> Outcome:
    """60 pods with 40 variables: in an immutable Secret, and in the pod (root; a real kubelet)."""
    count = plan.sized(PODS)
    ways: dict[str, Callable[[str, int], list[Send]]] = {"Secret": _by_secret, "pod": _in_pod}
    found: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    _cluster_tool("down")
    try:
        with step("Starting a cluster with a real node"):
            ports = (f"--{which}-port={port}" for which, port in _ports().items())
            _cluster_tool("up", *ports)
        kubeconfig = state_dir(CLUSTER) / "kubeconfig"
        reached = by_kubeconfig(kubeconfig, plan.folder)
        for number in range(plan.rounds + 1):  # the first round is not counted
            for way, requests in ways.items():
                with step(f"{count} pods with their variables in the {way}"):
                    place = f"{way.lower()}-{number}"
                    spent = _measure(reached, Kubectl(kubeconfig), place, requests(place, count))
                found[way] += [_figures(spent, count)] if number else []
    finally:
        _cluster_tool("down")
    named = {
        f"{way}, {number}": figures
        for number in range(plan.rounds)
        for way, figures in ((way, rounds[number]) for way, rounds in found.items())
    }
    return Outcome([columns(f"{count} pods, 40 variables; for each pod", named)], [], found)


def _measure(reached: Reached, kubectl: Kubectl, place: str, requests: list[Send]) -> Spent:
    kubectl.run("create", "namespace", place)
    kubectl.run("wait", "--for=create", "serviceaccount/default", f"--namespace={place}")
    time.sleep(SETTLE_SECONDS)
    before = _spent(reached)
    send(reached, requests)
    client = RestClient(reached)
    pods = f"/api/v1/namespaces/{place}/pods"
    while not all(
        p["status"]["phase"] == "Succeeded" for p in client.call("GET", pods).body["items"]
    ):
        time.sleep(POLL_SECONDS)
    time.sleep(SETTLE_SECONDS)
    after = _spent(reached)
    kubectl.run("delete", "namespace", place)
    client.close()
    return Spent(after.cpu - before.cpu, after.requests - before.requests)


def _spent(reached: Reached) -> Spent:
    # Those that only lead into its namespaces have the same role, and need no time.
    cpu = sum(
        cpu_seconds(member.pid)
        for member in members.find(state_dir(CLUSTER))
        if member.role == "control-plane/kube-apiserver"
    )
    context = http_probe.tls_context(reached.ca, reached.admin)
    _, text = http_probe.get(f"{reached.url}/metrics", context)
    requests: Counter[str] = Counter()
    for found in REQUESTS.finditer(text):
        if found["resource"] in COUNTED:
            requests[f"{found['verb']} {found['resource']}"] += int(float(found["count"]))
    return Spent(cpu, requests)


def _figures(spent: Spent, count: int) -> dict[str, float]:
    requests = {call: number / count for call, number in sorted(spent.requests.items())}
    return {"CPU of kube-apiserver, ms": spent.cpu / count * 1000, **requests}


def _by_secret(place: str, count: int) -> list[Send]:
    data = {name: base64.b64encode(text.encode()).decode() for name, text in VARIABLES.items()}
    found = []
    for number in range(count):
        name = f"x-{number}"
        secret = {"metadata": {"name": name}, "immutable": True, "data": data}
        path = f"/api/v1/namespaces/{place}/secrets"
        found.append(Send(f"{place}/secret-{number}", "POST", path, secret))
        found.append(_pod(place, name, {"envFrom": [{"secretRef": {"name": name}}]}))
    return found


def _in_pod(place: str, count: int) -> list[Send]:
    env = [{"name": name, "value": text} for name, text in VARIABLES.items()]
    return [_pod(place, f"x-{number}", {"env": env}) for number in range(count)]


def _pod(place: str, name: str, environment: dict[str, Any]) -> Send:
    container = {"name": "actor", "image": BUSYBOX, "command": ["sleep", "1"], **environment}
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "containers": [container],
    }
    body = {"metadata": {"name": name}, "spec": spec}
    return Send(f"{place}/{name}", "POST", f"/api/v1/namespaces/{place}/pods", body)


def _ports() -> dict[str, int]:
    return dict(zip(("api", "http"), free_ports(2), strict=True))


def _cluster_tool(*arguments: str) -> None:
    """Run the cluster tool as its users do: what it starts outlives it."""
    argv = [sys.executable, "-m", "tests.cluster_tool", f"--name={CLUSTER}", *arguments]
    subprocess.run([*argv[:3], "--provider=local", *argv[3:]], check=True)
