"""What keeps a run from its pod, or the pod from its node: each cause once, all at the same time.

The operator's pending limit is short here, so that what never passes ends.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from tests.cluster.operator.conftest import SIMULATED_NODES, MakeWorkspace
from tests.cluster_tool.control_plane import ControlPlane
from tests.support.fleet import Fleet
from tests.support.history import RUN, Object, condition, status_of
from tests.support.workspace import Admin, Workspace

from actor_operator.desired.names import pod_name

pytestmark = pytest.mark.cluster

PENDING_SECONDS = 15
"""The pending limit: longer than a cause must last until it is told as an Event."""

MANY = 50
"""Runs that one ResourceQuota counts at the same time."""

AT_ONCE = 10
"""How many of them are created at the same time."""

LABEL = "test.actor-operator.dev/refuses"
"""Label of a namespace with the name of the policy or webhook that holds there."""

ADMISSION = "/apis/admissionregistration.k8s.io/v1"

NOBODY = "https://127.0.0.1:1/"
"""Address of a webhook that does not answer."""

PODS = {
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["pods"],
}


@dataclass(frozen=True)
class Case:
    """How a run fails that cannot start."""

    rows: tuple[str, ...]
    kind: str
    """The condition that says what it waits for."""

    waits: str | None
    """Status and reason of that condition meanwhile; None: it fails at once."""

    reason: str
    """Reason of its condition Succeeded."""

    events: tuple[str, ...]


NO_ROOM = Case(
    ("A7", "B19"),
    "PodScheduled",
    "False/Unschedulable",
    "NotScheduled",
    ("Warning/Unschedulable", "Warning/NotScheduled"),
)

CASES = {
    "no-room": NO_ROOM,
    "no-room-with-a-timeout": NO_ROOM,
    "no-quota": Case(
        ("A10",),
        "Admitted",
        "False/QuotaExceeded",
        "QuotaExceeded",
        ("Warning/QuotaExceeded",),
    ),
    "no-webhook": Case(
        ("A12",),
        "Admitted",
        "Unknown/AdmissionUnavailable",
        "AdmissionUnavailable",
        ("Warning/AdmissionUnavailable",),
    ),
    "denied": Case(("A13",), "Admitted", None, "PodRejected", ("Warning/PodRejected",)),
    "no-account": Case(
        ("A15",), "Admitted", "False/PodRejected", "PodRejected", ("Warning/PodRejected",)
    ),
    "name-taken": Case(
        ("A18",), "PodScheduled", "False/NameTaken", "NameTaken", ("Warning/NameTaken",)
    ),
}
"""Runs, by their names."""


class Scene:
    """The namespaces of all runs."""

    def __init__(self, make_workspace: MakeWorkspace, control_plane: ControlPlane) -> None:
        self._make = make_workspace
        self._control_plane = control_plane
        self._of: dict[str, Workspace] = {}

    def __getitem__(self, run: str) -> Workspace:
        return self._of[run]

    def make(self, *runs: str, **options: Any) -> Workspace:
        """Make a namespace for runs."""
        workspace = self._make(**options)
        self._of |= dict.fromkeys(runs, workspace)
        return workspace

    @contextmanager
    def without_controllers(self) -> Iterator[None]:
        """Nobody makes ServiceAccounts in the body."""
        pid = self._control_plane.pid("kube-controller-manager")
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def scene(
    fleet: Fleet, make_workspace: MakeWorkspace, control_plane: ControlPlane, admin: Admin
) -> Iterator[Scene]:
    """All of them have ended but those that only wait."""
    scene = Scene(make_workspace, control_plane)
    with (
        fleet.configured(f"--set=settings.limits.pendingSeconds={PENDING_SECONDS}"),
        refused(admin),
        crowded_nodes(scene.make("no-room", "no-room-with-a-timeout")),
    ):
        fleet.ensure(2)
        begin(scene)
        with scene.without_controllers():
            scene.make("no-account", "late-account").run("no-account")
            for name in CASES:
                scene[name].wait(name, seconds=60)
            scene["late-account"].run("late-account")
            scene["late-account"].wait_reason("late-account", "Admitted", "PodRejected")
        for name in ("late-account", *(f"counted-{n}" for n in range(MANY))):
            scene[name].wait(name, seconds=60)
        yield scene


def begin(scene: Scene) -> None:
    """Make all runs that need controllers around them."""
    counted = [f"counted-{number}" for number in range(MANY)]
    for runs, pods in ((["no-quota"], "0"), (counted, "200")):
        quota = {"metadata": {"name": "narrow"}, "spec": {"hard": {"pods": pods}}}
        workspace = scene.make(*runs)
        workspace.admin.must("POST", workspace.path("resourcequotas", core=True), quota)
        until_counted(workspace)
    for name in ("no-webhook", "denied"):
        until_refused(scene.make(name, labels={LABEL: name}))
    take_name(scene.make("name-taken"), "name-taken")
    for name in ("no-quota", "no-webhook", "denied"):
        scene[name].run(name)
    scene["no-room"].run("no-room", memoryMbytes=32768)
    scene["no-room"].run("no-room-with-a-timeout", memoryMbytes=32768, timeoutSecs=2)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: create(scene[name], name), counted))


def create(workspace: Workspace, name: str) -> None:
    """Create a run over a connection of its own."""
    admin = Admin(workspace.admin.control_plane)
    workspace.seen_by(admin).run(name, memoryMbytes=128)
    admin.close()


def take_name(workspace: Workspace, name: str) -> None:
    """Make a run, and before it may have a pod, somebody else's pod of that name."""
    workspace.run(name, "late")
    run = workspace.admin.must("GET", workspace.path("actorruns", name))
    taken = a_pod(pod_name(name, run["metadata"]["uid"], 1))
    workspace.admin.must("POST", workspace.path("pods", core=True), taken)
    workspace.actor("late")


def a_pod(name: str, **spec: object) -> Object:
    """Somebody's pod."""
    container = {"name": "main", "image": "registry.example/pod:endless"}
    return {"metadata": {"name": name}, "spec": {"containers": [container]} | spec}


@contextmanager
def crowded_nodes(workspace: Workspace) -> Iterator[None]:
    """Leave no node room for the largest run."""
    resources = {"requests": {"memory": "240Gi"}}
    container = {"name": "main", "image": "registry.example/pod:endless", "resources": resources}
    names = [f"simulated-{number}" for number in range(1, SIMULATED_NODES + 1)]
    for name in names:
        pod = a_pod(name, nodeName=name, containers=[container])
        workspace.admin.must("POST", workspace.path("pods", core=True), pod)
    try:
        yield
    finally:
        for name in names:
            workspace.delete("pods", name, core=True)


@contextmanager
def refused(admin: Admin) -> Iterator[None]:
    """A policy that denies all pods of some namespaces, and a webhook that nobody answers."""
    policy = {
        "metadata": {"name": "denied"},
        "spec": {
            "matchConstraints": {"resourceRules": [PODS]},
            "validations": [{"expression": "false", "message": "No pods here."}],
        },
    }
    binding = {
        "metadata": {"name": "denied"},
        "spec": {
            "policyName": "denied",
            "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {LABEL: "denied"}}},
        },
    }
    webhook = {
        "metadata": {"name": "no-webhook"},
        "webhooks": [
            {
                "name": "no-webhook.test.actor-operator.dev",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "clientConfig": {"url": NOBODY},
                "namespaceSelector": {"matchLabels": {LABEL: "no-webhook"}},
                "rules": [PODS],
            }
        ],
    }
    made: dict[str, Object] = {
        "validatingadmissionpolicies": policy,
        "validatingadmissionpolicybindings": binding,
        "validatingwebhookconfigurations": webhook,
    }
    for plural, body in made.items():
        admin.must("POST", f"{ADMISSION}/{plural}", body)
    try:
        yield
    finally:
        for plural, body in made.items():
            admin.must("DELETE", f"{ADMISSION}/{plural}/{body['metadata']['name']}")


def until_refused(workspace: Workspace) -> None:
    """Wait until the API server has heard of what refuses pods here."""
    path = workspace.path("pods", core=True) + "?dryRun=All"
    until(lambda: not workspace.admin.call("POST", path, a_pod("probe")).accepted, "it is refused")


def until_counted(workspace: Workspace) -> None:
    """Wait until the quota is in force."""
    path = workspace.path("resourcequotas", "narrow", core=True)
    until(lambda: "used" in workspace.admin.must("GET", path).get("status", {}), "it is counted")


def until(done: Callable[[], bool], what: str) -> None:
    """Wait for something of which no revision tells."""
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.fault(*case.rows)) for name, case in CASES.items()],
)
def test_a_run_that_can_never_start_fails_with_its_cause(scene: Scene, name: str) -> None:
    case, workspace = CASES[name], scene[name]
    status = workspace.status(name)

    assert workspace.history().phases(name) == ["READY", "FAILED"]
    assert condition({"status": status}, "Succeeded")["reason"] == case.reason
    assert status["failure"]["reason"] == case.reason
    assert not status.get("cleanup")
    assert (case.waits in waits(workspace, name, case.kind)) is (case.waits is not None)
    workspace.wait_events(name, case.events)


def waits(workspace: Workspace, name: str, kind: str) -> set[str | None]:
    """Status and reason of a condition in all revisions before the verdict."""
    life = workspace.history().life(RUN, name)
    before = [r.object for r in life if not status_of(r.object).get("finished")]
    told = [found for run in before if (found := condition(run, kind))]
    return {f"{found['status']}/{found['reason']}" for found in told}


@pytest.mark.fault("A13")
def test_what_is_denied_is_not_tried_again_and_says_why(scene: Scene) -> None:
    status = scene["denied"].status("denied")

    assert "No pods here." in status["failure"]["message"]
    assert waits(scene["denied"], "denied", "Admitted") == set()
    assert scene["denied"].pods() == []


@pytest.mark.fault("A11")
def test_runs_that_a_quota_counts_at_the_same_time_are_all_taken_without_a_word(
    scene: Scene,
) -> None:
    for name in (f"counted-{number}" for number in range(MANY)):
        workspace = scene[name]
        assert workspace.history().phases(name) == ["READY", "RUNNING", "SUCCEEDED"]
        assert workspace.events(name) == []


@pytest.mark.fault("A15")
def test_a_run_starts_when_its_namespace_has_a_service_account(scene: Scene) -> None:
    workspace = scene["late-account"]

    assert workspace.history().phases("late-account") == ["READY", "RUNNING", "SUCCEEDED"]


@pytest.mark.fault("A18")
def test_a_pod_of_a_stranger_is_left_alone(scene: Scene) -> None:
    workspace = scene["name-taken"]
    path = workspace.path("pods", core=True)

    (pod,) = workspace.admin.must("GET", path)["items"]

    assert "ownerReferences" not in pod["metadata"]
    assert "deletionTimestamp" not in pod["metadata"]
