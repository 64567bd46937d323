"""How runs end: each way once, all of them at the same time."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.cluster.operator.conftest import MakeWorkspace
from tests.support.fleet import Fleet
from tests.support.history import POD, RUN, Object, condition
from tests.support.workspace import Workspace

pytestmark = pytest.mark.cluster

LONGEST = 131_071
"""Longest value that an Actor takes; with its name it is more than Linux takes."""


@dataclass(frozen=True)
class Case:
    """A run and how it ends."""

    phases: str
    """The phases that it walks through."""

    reason: str
    """Reason of its condition Succeeded."""

    message: str = ""
    """Part of the sentence for the user."""

    actor: str = "quick"
    spec: dict[str, Any] = field(default_factory=dict)
    abort: tuple[str, str] | None = None
    """In which phase it is aborted, and how."""

    exit_code: int | None = None


ABORTED = "READY ABORTING ABORTED"
ABORTED_WHILE_RUNNING = "READY RUNNING ABORTING ABORTED"

CASES = {
    "succeeds": Case("READY RUNNING SUCCEEDED", "Completed", "exit code 0", exit_code=0),
    "fails": Case(
        "READY RUNNING FAILED", "ContainerFailed", "exit code 3", actor="fails", exit_code=3
    ),
    "out-of-memory": Case(
        "READY RUNNING FAILED",
        "OOMKilled",
        "more than its 256 MB",
        actor="hungry",
        spec={"memoryMbytes": 256},
        exit_code=137,
    ),
    "times-out": Case(
        "READY RUNNING TIMING-OUT TIMED-OUT",
        "TimedOut",
        "timeout of 2 s",
        actor="endless",
        spec={"timeoutSecs": 2},
        exit_code=143,
    ),
    "aborted-at-once": Case(
        ABORTED_WHILE_RUNNING, "Aborted", actor="endless", abort=("RUNNING", "Immediate")
    ),
    "aborted-gracefully": Case(
        ABORTED_WHILE_RUNNING,
        "Aborted",
        actor="endless",
        abort=("RUNNING", "Graceful"),
        exit_code=143,
    ),
    "ready-aborted-at-once": Case(
        ABORTED, "Aborted", actor="unpullable", abort=("READY", "Immediate")
    ),
    "ready-aborted-gracefully": Case(
        ABORTED, "Aborted", actor="unpullable", abort=("READY", "Graceful")
    ),
    "never-starts": Case(
        "READY FAILED", "ImagePullFailed", "Back-off pulling image", actor="unpullable"
    ),
    "no-actor": Case("READY FAILED", "ActorNotFound", 'no Actor "nobody"', actor="nobody"),
    "late-actor": Case("READY RUNNING SUCCEEDED", "Completed", actor="late", exit_code=0),
    "no-build": Case(
        "READY FAILED", "BuildNotFound", "It has the tags latest", spec={"build": "beta"}
    ),
    "private-foreign-actor": Case(
        "READY FAILED", "ActorNotFound", "no public Actor", actor="{other}/private"
    ),
    "public-foreign-actor": Case(
        "READY RUNNING SUCCEEDED", "Completed", actor="{other}/public", exit_code=0
    ),
    "foreign-secrets": Case(
        "READY FAILED",
        "ActorSecretsUnavailable",
        "takes TOKEN from Secrets",
        actor="{other}/secret",
    ),
    "large-input": Case(
        "READY FAILED", "InputTooLarge", "at most 65536", spec={"input": {"text": "x" * 65_536}}
    ),
    "large-variable": Case(
        "READY FAILED", "EnvironmentTooLarge", "variable LONG has", actor="wordy"
    ),
}


@pytest.fixture(scope="module")
def ended(fleet: Fleet, make_workspace: MakeWorkspace) -> Workspace:
    """A namespace in which every case has ended."""
    fleet.ensure(2)
    workspace, other = make_workspace(), make_workspace()
    make_actors(workspace, other)
    for name, case in CASES.items():
        workspace.run(name, case.actor.format(other=other.namespace), **case.spec)
    workspace.actor("late")
    # Those in READY first: they do not stay so for long.
    for abort, name in sorted((case.abort, name) for name, case in CASES.items() if case.abort):
        workspace.wait(name, abort[0])
        workspace.abort(name, abort[1])
    workspace.wait_all(CASES, seconds=60)
    return workspace


def make_actors(workspace: Workspace, other: Workspace) -> None:
    """Make the Actors that the cases name, but the late one."""
    workspace.actor("fails", "simulate-0.5s-exit-3")
    workspace.actor("hungry", "simulate-0.5s-exit-137-oom")
    workspace.actor("endless", "endless")
    workspace.actor("unpullable", "simulate-pull-error")
    workspace.actor("wordy", env=[{"name": "LONG", "value": "x" * LONGEST}])
    other.actor("private")
    other.actor("public", isPublic=True)
    reference = {"name": "keys", "key": "token"}
    secret = [{"name": "TOKEN", "secretKeyRef": reference}]
    other.actor("secret", isPublic=True, env=secret)


ABORTED_IN_READY = [name for name in CASES if name.startswith("ready-aborted")]


@pytest.mark.parametrize("name", CASES)
def test_run(ended: Workspace, name: str) -> None:
    case, status = CASES[name], ended.status(name)

    assert ended.history().phases(name) == case.phases.split()
    assert condition({"status": status}, "Succeeded")["reason"] == case.reason
    assert case.message in condition({"status": status}, "Finished")["message"]
    assert status.get("exitCode") == case.exit_code
    assert not status.get("cleanup")


@pytest.mark.fault("A19")
@pytest.mark.parametrize("name", ABORTED_IN_READY)
def test_a_run_that_was_aborted_in_ready_leaves_no_pod_and_says_so(
    ended: Workspace, name: str
) -> None:
    history = ended.history()
    (pod,) = history.children(POD, history.life(RUN, name)[0].uid)

    assert history.phases(name) == ABORTED.split()
    assert pod[-1].gone
    ended.wait_events(name, ["Normal/Aborted"])


def test_pods_are_left_only_where_they_ended_by_themselves(ended: Workspace) -> None:
    left = {pod["metadata"]["labels"]["actor-operator.dev/run"] for pod in ended.pods()}
    gone = {"never-starts", "aborted-at-once", "ready-aborted-at-once", "ready-aborted-gracefully"}

    assert left == {name for name, case in CASES.items() if "RUNNING" in case.phases} - gone


def test_no_secret_is_left(ended: Workspace) -> None:
    ended.history()

    assert secrets(ended) == []


def secrets(workspace: Workspace) -> list[Object]:
    """The environment Secrets of a namespace."""
    path = workspace.path("secrets", core=True)
    found: list[Object] = workspace.admin.must("GET", path)["items"]
    return [secret for secret in found if json.dumps(secret).count("run-uid")]
