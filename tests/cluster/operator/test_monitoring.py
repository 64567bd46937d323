"""What the operator tells of runs to people and to Prometheus, while everything befalls them."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.chart.helm import NAMESPACE
from tests.chart.monitoring import SERVICE, alerts, queries, rule_groups
from tests.cluster.operator.conftest import MakeWorkspace
from tests.cluster_tool.commands import run
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.debian_programs import ensure_prometheus
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.support.attempts import ENDED
from tests.support.fleet import Fleet
from tests.support.history import RUN, Object
from tests.support.prometheus import SCRAPE_SECONDS, Prometheus
from tests.support.rest import GROUP_PATH
from tests.support.workspace import Workspace

pytestmark = pytest.mark.cluster

API = "actor_operator_api_"
"""How metrics of the API server begin."""

RATE_INTERVAL = "30s"
"""What Grafana would fill in for this interval of scrapes."""

ACCOUNT_MBYTES = 1024
"""Memory of the account in which a run must wait."""

EVENTS = {
    "succeeds": set[str](),
    "fails": {"Warning/ContainerFailed"},
    "times-out": {"Warning/TimingOut", "Warning/TimedOut"},
    "aborted": {"Normal/Aborted"},
    "never-starts": {"Warning/ImagePullRetry", "Warning/ImagePullFailed"},
    "disturbed": {"Warning/Disrupted", "Normal/Rebooted", "Normal/Aborted"},
    "restarts": {"Warning/Restarted", "Warning/ContainerFailed"},
    "again": {"Warning/ContainerFailed", "Normal/Resurrected"},
}
"""Runs, and type and reason of the Events about each."""


@dataclass
class World:
    """A namespace in which everything has befallen runs, and Prometheus, which saw it."""

    workspace: Workspace
    crowded: Workspace
    """A namespace with room for one run, in which another one waited."""

    prometheus: Prometheus
    since: float
    """When it began."""


@pytest.fixture(scope="module")
def world(fleet: Fleet, make_workspace: MakeWorkspace, folder: Path) -> Iterator[World]:
    """Everything befalls runs while Prometheus looks on."""
    try:
        ensure_prometheus()
    except ClusterToolError as error:
        pytest.skip(f"no Prometheus: {error}")
    replicas = fleet.ensure(2)
    prometheus = Prometheus(
        folder / "prometheus",
        targets=[replica.metrics_address for replica in replicas],
        labels={"namespace": NAMESPACE, "service": SERVICE},
        groups=rule_groups(),
    )
    with prometheus:
        since = time.time()
        time.sleep(3 * SCRAPE_SECONDS)  # a rate needs to have seen the zero before
        world = World(make_workspace(), make_workspace(), prometheus, since)
        befall(world.workspace)
        crowd(world.crowded)
        disturb(world.workspace)
        world.workspace.wait_all(EVENTS, seconds=120)
        world.workspace.patch("again", {"spec": {"resurrect": {"attempt": 2}}})
        world.workspace.recorder.wait(
            "the second attempt has ended",
            lambda: (
                world.workspace.status("again").get("attempt") == 2
                and world.workspace.phase("again") in ENDED
            ),
            60,
        )
        world.crowded.wait_all(["first", "second"])
        time.sleep(3 * SCRAPE_SECONDS)
        yield world


def befall(workspace: Workspace) -> None:
    """Make the runs that need no help."""
    workspace.actor("fails", "simulate-0.5s-exit-3")
    workspace.actor("endless", "endless")
    workspace.actor("unpullable", "simulate-pull-error")
    workspace.run("succeeds")
    workspace.run("fails", "fails")
    workspace.run("again", "fails")
    workspace.run("times-out", "endless", timeoutSecs=2)
    workspace.run("aborted", "endless")
    workspace.run("disturbed", "endless")
    workspace.run("never-starts", "unpullable")
    workspace.run("restarts", "fails", restartOnError=True)
    workspace.wait("aborted", "RUNNING")
    workspace.abort("aborted")


def disturb(workspace: Workspace) -> None:
    """Take a run's pod away, then reboot it, then abort it."""
    first = workspace.wait("disturbed", "RUNNING")["podName"]
    workspace.delete("pods", first, core=True)
    second = wait_for_pod_after(workspace, first)
    workspace.patch("disturbed", {"spec": {"reboot": {"attempt": 1, "count": 1}}})
    wait_for_pod_after(workspace, second)
    workspace.abort("disturbed")


def wait_for_pod_after(workspace: Workspace, name: str) -> str:
    """Wait until the disturbed run runs in another pod; returns its name."""

    def moved() -> bool:
        status = workspace.status("disturbed")
        scheduled = [c for c in status["conditions"] if c["type"] == "PodScheduled"]
        return bool(status["podName"] != name and scheduled[0]["status"] == "True")

    workspace.recorder.wait(f"{workspace.namespace}/disturbed leaves {name}", moved, 60)
    return str(workspace.status("disturbed")["podName"])


def crowd(workspace: Workspace) -> None:
    """Let a run wait for the memory that another one has, until that is aborted."""
    account = {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorAccount",
        "metadata": {"name": workspace.namespace},
        "spec": {"memoryLimitMbytes": ACCOUNT_MBYTES},
    }
    workspace.admin.must("POST", f"{GROUP_PATH}/actoraccounts", account)
    workspace.actor("endless", "endless")
    workspace.run("first", "endless", memoryMbytes=ACCOUNT_MBYTES)
    workspace.wait("first", "RUNNING")
    workspace.run("second", memoryMbytes=ACCOUNT_MBYTES)
    workspace.wait_reason("second", "Admitted", "WaitingForAccountMemory")
    time.sleep(6)  # so that it is worth an Event
    workspace.abort("first")


def events_of(workspace: Workspace) -> list[Object]:
    """The Events about runs of a namespace."""
    path = f"/apis/events.k8s.io/v1/namespaces/{workspace.namespace}/events"
    found: list[Object] = workspace.admin.must("GET", path)["items"]
    return [event for event in found if event["regarding"]["kind"] == RUN]


def words(workspace: Workspace, name: str) -> set[str]:
    """Type and reason of each Event about a run."""
    about = (event for event in events_of(workspace) if event["regarding"]["name"] == name)
    return {f"{event['type']}/{event['reason']}" for event in about}


@pytest.mark.parametrize("name", EVENTS)
def test_the_events_of_a_run(world: World, name: str) -> None:
    assert words(world.workspace, name) == EVENTS[name]


def test_a_run_that_waits_for_memory_says_so_once_it_has_waited_for_a_while(world: World) -> None:
    assert words(world.crowded, "second") == {"Normal/WaitingForAccountMemory"}
    assert words(world.crowded, "first") == {"Normal/Aborted"}


def test_actorctl_describes_a_run_with_its_events(
    world: World, control_plane: ControlPlane
) -> None:
    command = [sys.executable, "-m", "actor_operator", "describe", "disturbed"]
    where = [f"--namespace={world.workspace.namespace}"]
    said = run([*command, *where], env={"KUBECONFIG": str(control_plane.kubeconfig)})

    events = said.partition("\nEvents:")[2]
    assert all(word in events for word in ("Disrupted", "Rebooted", "Aborted", "The next pod is"))


def test_kubectl_lists_what_went_wrong_in_all_namespaces(
    world: World, control_plane: ControlPlane
) -> None:
    selector = "--field-selector=involvedObject.kind=ActorRun,type=Warning"
    said = Kubectl(control_plane.kubeconfig).run("get", "events", "--all-namespaces", selector)
    ours = [line for line in said.splitlines() if line.startswith(f"{world.workspace.namespace} ")]

    assert {line.split()[3] for line in ours} >= {"Disrupted", "ContainerFailed", "TimedOut"}
    assert not [line for line in ours if "Normal" in line.split()]


def test_every_query_of_the_dashboard_has_data(world: World) -> None:
    empty = [
        f"{query.panel}: {query.expr}"
        for query in queries()
        # There is no API server here; its metrics are known by their names (tests/chart).
        if API not in query.expr
        and not world.prometheus.values(
            query.filled_in(rate_interval=RATE_INTERVAL), since=world.since
        )
    ]

    assert empty == []


def test_every_alert_is_evaluated(world: World) -> None:
    rules = world.prometheus.rules()

    assert {rule["name"] for rule in rules} == {alert["alert"] for alert in alerts()}
    assert [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] != "ok"] == []
    for alert in alerts():
        world.prometheus.query(alert["expr"])


def test_a_healthy_operator_raises_no_alarm(world: World) -> None:
    states = {rule["name"]: rule["state"] for rule in world.prometheus.rules()}

    assert {name for name, state in states.items() if state == "firing"} == set()
    assert states["ActorOperatorHasNoLeader"] == states["ActorOperatorHasTwoLeaders"] == "inactive"


def test_what_was_counted_is_what_happened(world: World) -> None:
    def most(expr: str) -> float:
        return max(world.prometheus.values(expr, since=world.since))

    assert most("actor_operator_run_reboots_total") >= 1
    assert most("actor_operator_run_resurrections_total") >= 1
    assert most("actor_operator_run_restarts_total") >= 1
    assert most("sum(actor_operator_run_migrations_total)") >= 1
    assert most("actor_operator_account_runs_waiting") == 1
    assert not world.prometheus.query('actor_operator_events_total{result!="written"} > 0')
