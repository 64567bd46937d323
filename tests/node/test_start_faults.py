"""What keeps real containers from their start, and what they do to their node: all at once.

Phases, reason, exit code and Events are those of docs/fault-table.md.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from tests.cluster_tool.commands import DIE_WITH_PARENT
from tests.cluster_tool.hosts import Host
from tests.cluster_tool.images.build import Build, build
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.paths import state_dir
from tests.node.conftest import IMAGES, NAME, NODES, Installed
from tests.support import registry
from tests.support.history import condition
from tests.support.installation import NAMESPACE, REGISTRY, RELEASE
from tests.support.node_faults import frozen_shim
from tests.support.workspace import Admin, Workspace

pytestmark = [pytest.mark.node, pytest.mark.timeout(400)]

END_SECONDS = 240
"""Longest life of a run here: twice the time that an image is waited for."""

PORT = 5099
"""Port on each node of a registry without the image that is missing."""

LATE_PORT = 5100
"""Port on each node of a registry that is down at first."""

LATE = IMAGES / "late"
"""What the image is made of that both registries have."""

ADMISSION = "/apis/admissionregistration.k8s.io/v1"

Act = Callable[[Workspace, str], None]
"""What is done to a run of a name."""


def nothing(_workspace: Workspace, _name: str) -> None:
    """It is left alone."""


def bring_registry_back(workspace: Workspace, name: str) -> None:
    """Start the registry once it was told that an image cannot be fetched."""
    workspace.wait_events(name, ["Warning/ImagePullRetry"], END_SECONDS)
    workspace.wait_events("robbed", ["Warning/ImagePullRetry"], END_SECONDS)
    rob(workspace, "robbed")
    with serving(LATE_PORT, "late"):
        workspace.wait(name, seconds=END_SECONDS)
        workspace.wait("robbed", seconds=END_SECONDS)


def rob(workspace: Workspace, name: str) -> None:
    """Delete the Secret of a run's pod."""
    metadata = (workspace.pod(name) or {})["metadata"]
    suffix = metadata["labels"]["actor-operator.dev/environment"]
    workspace.delete("secrets", f"{metadata['name']}-{suffix}", core=True)


def abort_what_cannot_be_stopped(workspace: Workspace, name: str) -> None:
    """Abort a run whose container does not end, until that was told."""
    workspace.wait_started(name)
    with frozen_shim(workspace.status(name)["runId"]):
        workspace.abort(name)
        workspace.wait(name, "ABORTED", END_SECONDS)
        assert workspace.status(name)["cleanup"] == ["PodStuckTerminating"]
        assert workspace.pod(name) is not None


@dataclass(frozen=True)
class Case:
    """A run, what is done to it, and how it ends."""

    row: str
    image: str
    phases: str
    reason: str
    """Reason of its condition Succeeded."""

    exit_codes: tuple[int | None, ...] = (None,)
    events: tuple[str, ...] = ()
    act: Act = nothing
    env: list[dict[str, Any]] = field(default_factory=list)
    started: str | None = None
    """Reason of its condition Started that was told meanwhile."""


KEY = {"name": "nobody", "key": "token"}

FAILED = "READY FAILED"

SUCCEEDED = "READY RUNNING SUCCEEDED"

CASES = {
    "missing": Case(
        "A1",
        f"127.0.0.1:{PORT}/missing:1",
        FAILED,
        "ImagePullFailed",
        events=("Warning/ImagePullRetry", "Warning/ImagePullFailed"),
        started="ImagePullBackOff",
    ),
    "late": Case(
        "A2",
        f"127.0.0.1:{LATE_PORT}/late:1",
        SUCCEEDED,
        "Completed",
        (0,),
        ("Warning/ImagePullRetry", "Normal/Started"),
        bring_registry_back,
        started="ImagePullBackOff",
    ),
    "unreadable": Case(
        "A3",
        f"{REGISTRY}/hello-world@sha256:abc",
        FAILED,
        "InvalidImage",
        events=("Warning/InvalidImage",),
    ),
    "keyless": Case(
        "A4",
        f"{REGISTRY}/hello-world:1",
        FAILED,
        "ContainerConfigError",
        events=("Warning/ContainerConfigError",),
        env=[{"name": "TOKEN", "secretKeyRef": KEY}],
        started="ContainerConfigError",
    ),
    "no-entry": Case(
        "A5",
        f"{REGISTRY}/no-entry:1",
        FAILED,
        "StartError",
        (127, 128),
        ("Warning/StartError",),
    ),
    "init-fails": Case(
        "A16",
        f"{REGISTRY}/hello-world:1",
        FAILED,
        "InitFailed",
        events=("Warning/InitFailed",),
    ),
    "init-out-of-memory": Case(
        "A16",
        f"{REGISTRY}/hello-world:1",
        FAILED,
        "InitOOMKilled",
        events=("Warning/InitOOMKilled",),
    ),
    "stuck": Case(
        "B16",
        f"{REGISTRY}/sleeper:1",
        "READY RUNNING ABORTING ABORTED",
        "Aborted",
        events=("Normal/Aborted", "Warning/PodStuckTerminating"),
        act=abort_what_cannot_be_stopped,
    ),
    "fork-bomb": Case(
        "B30",
        f"{REGISTRY}/fork-bomb:1",
        "READY RUNNING FAILED",
        "ContainerFailed",
        (9,),
        ("Warning/ContainerFailed",),
    ),
}


@pytest.fixture(scope="module")
def ended(installed: Installed, workspace: Workspace) -> Iterator[Workspace]:
    """A namespace in which every case has ended."""
    for name, case in CASES.items():
        workspace.actor(name, case.image, env=case.env)
    with ExitStack() as stack:
        stack.enter_context(serving(PORT, "other"))
        stack.enter_context(meshes_allowed(workspace.admin))
        for run, init in INIT_CONTAINERS.items():
            stack.enter_context(injected(workspace, run, init))
        workspace.run("robbed", "late", memoryMbytes=128)
        for name in CASES:
            workspace.run(name, name, memoryMbytes=1024 if name == "fork-bomb" else 128)
        with ThreadPoolExecutor(len(CASES)) as pool:
            for acting in [pool.submit(act, workspace, name) for name in CASES]:
                acting.result()
        workspace.wait_all(CASES, seconds=END_SECONDS)
        for name in CASES:
            cleaned = partial(is_clean, workspace, name)
            workspace.recorder.wait(f"nothing is left of {name}", cleaned, 60)
        yield workspace


def is_clean(workspace: Workspace, name: str) -> bool:
    """Whether nothing of a run may run any more."""
    return not workspace.status(name).get("cleanup")


def act(workspace: Workspace, name: str) -> None:
    """Do to a run what is to be done, over a connection of its own."""
    admin = Admin(workspace.admin.control_plane)
    CASES[name].act(workspace.seen_by(admin), name)
    admin.close()


@contextmanager
def serving(port: int, name: str) -> Iterator[None]:
    """Let a registry with one image be reached on every node."""
    archive = build(Build(f"{REGISTRY}/late:1", LATE / "Dockerfile", LATE))
    script = [sys.executable, "-I", "-S", registry.__file__, str(port), name, str(archive)]
    hosts = [Host(node, state_dir(NAME)) for node in NODES]
    servers = [
        subprocess.Popen(
            [*host.enter("--net"), *DIE_WITH_PARENT, *script],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for host in hosts
    ]
    try:
        yield
    finally:
        for server in servers:
            server.kill()
            server.wait()


INIT_CONTAINERS = {
    "init-fails": '["sh", "-c", "exit 1"]',
    "init-out-of-memory": '["sh", "-c", "exec tail /dev/zero"]',
}
"""Commands of the init containers that something puts into pods of runs."""


@contextmanager
def meshes_allowed(admin: Admin) -> Iterator[None]:
    """Let pods of runs have more than their one container, as by admissionPolicies.podContents."""
    bindings = f"{ADMISSION}/validatingadmissionpolicybindings"
    binding = admin.must("GET", f"{bindings}/{RELEASE}-run-pod-contents")
    admin.must("DELETE", f"{bindings}/{RELEASE}-run-pod-contents")
    try:
        yield
    finally:
        kept = {name: binding["metadata"][name] for name in ("name", "labels", "annotations")}
        admin.must("POST", bindings, {"metadata": kept, "spec": binding["spec"]})


@contextmanager
def injected(workspace: Workspace, run: str, command: str) -> Iterator[None]:
    """A policy that puts an init container into the pods of a run, as service meshes do."""
    # As a map: the API server 1.36 panics at a list of objects with types.
    container = (
        f'{{"name": dyn("mesh"), "image": dyn("{REGISTRY}/busybox:1"), "command": dyn({command}),'
        ' "resources": dyn({"limits": {"memory": "32Mi"}})}'
    )
    patch = f'[JSONPatch{{op: "add", path: "/spec/initContainers", value: [{container}]}}]'
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}
    mine = f"object.metadata.name.startsWith('{run}-')"
    policy = {
        "metadata": {"name": run},
        "spec": {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": {"resourceRules": [{**pods, "resources": ["pods"]}]},
            "matchConditions": [{"name": "mine", "expression": mine}],
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": patch}}],
        },
    }
    here = {"kubernetes.io/metadata.name": workspace.namespace}
    binding = {
        "metadata": {"name": run},
        "spec": {
            "policyName": run,
            "matchResources": {"namespaceSelector": {"matchLabels": here}},
        },
    }
    made: dict[str, Any] = {
        "mutatingadmissionpolicies": policy,
        "mutatingadmissionpolicybindings": binding,
    }
    for plural, body in made.items():
        workspace.admin.must("POST", f"{ADMISSION}/{plural}", body)
    try:
        until_injected(workspace, run)
        yield
    finally:
        for plural in made:
            workspace.admin.must("DELETE", f"{ADMISSION}/{plural}/{run}")


def until_injected(workspace: Workspace, run: str) -> None:
    """Wait until the API server has heard of the policy."""
    path = workspace.path("pods", core=True) + "?dryRun=All"
    container = {"name": "main", "image": "x.example/x:1"}
    pod = {"metadata": {"name": f"{run}-probe"}, "spec": {"containers": [container]}}
    deadline = time.monotonic() + 30
    while "initContainers" not in workspace.admin.must("POST", path, pod)["spec"]:
        assert time.monotonic() < deadline, "the policy is never in force"
        time.sleep(0.2)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.fault(case.row)) for name, case in CASES.items()],
)
def test_run(ended: Workspace, name: str) -> None:
    case, status = CASES[name], ended.status(name)

    assert ended.history().phases(name) == case.phases.split()
    assert condition({"status": status}, "Succeeded")["reason"] == case.reason
    assert status.get("exitCode") in case.exit_codes
    assert not status.get("migrations")
    assert not status.get("cleanup")
    assert case.started is None or case.started in ended.reasons(name, "Started")
    ended.wait_events(name, case.events)


@pytest.mark.fault("A4")
def test_the_secret_of_a_pod_is_made_once_more(ended: Workspace) -> None:
    assert ended.history().phases("robbed") == SUCCEEDED.split()
    assert "migrations" not in ended.status("robbed")
    # That it is missing is told only if the kubelet takes long to look again.
    told = [event for event in ended.events("robbed") if "ConfigError" not in event]
    assert told == ["Warning/ImagePullRetry", "Normal/Started"]


@pytest.mark.fault("A3")
def test_a_name_that_is_none_is_refused_with_a_sentence(ended: Workspace) -> None:
    build = {"number": "1.0.1", "image": "UPPER:@"}
    body = {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "Actor",
        "metadata": {"name": "upper"},
        "spec": {"builds": [build]},
    }

    answer = ended.admin.call("POST", ended.path("actors"), body)

    assert not answer.accepted
    assert "an image is [HOST[:PORT]/]PATH" in str(answer.sentences)


@pytest.mark.fault("B30")
def test_the_nodes_and_the_operator_do_not_notice_a_fork_bomb(
    ended: Workspace, installed: Installed
) -> None:
    log = Kubectl(installed.kubeconfig).run(
        "logs", "-n", ended.namespace, ended.status("fork-bomb")["podName"]
    )

    assert "Resource temporarily unavailable" in log
    for node in read(installed, "nodes"):
        told = {c["type"]: c["status"] for c in node["status"]["conditions"]}
        assert (told["Ready"], told["PIDPressure"]) == ("True", "False")
    for pod in read(installed, "pods", "-n", NAMESPACE):
        assert [c["restartCount"] for c in pod["status"]["containerStatuses"]] == [0]


def read(installed: Installed, *what: str) -> list[dict[str, Any]]:
    """Objects of the cluster."""
    found: list[dict[str, Any]] = json.loads(installed.kubectl.run("get", *what, "-o", "json"))[
        "items"
    ]
    return found
