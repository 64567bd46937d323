"""The control plane is in trouble as a whole: the operator stays and catches up.

On a control plane of its own: after an outage scheduler and simulated kubelets, which are not
ours, need up to a minute to come back.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.chart.helm import NAMESPACE, RELEASE
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.support.etcd import Etcd
from tests.support.fleet import Fleet, calm
from tests.support.history import POD, RUN
from tests.support.operators import install_rights
from tests.support.recorder import Recorder
from tests.support.workspace import Admin, Workspace

from actor_operator.constants import GROUP

pytestmark = pytest.mark.cluster

NO_KINDS_SECONDS = 8.0
"""How long the CRDs are missing."""

DOWN_SECONDS = 30.0
"""How long the API server is away."""

LONG_SECONDS = 300.0
"""The same, where there is time."""

BACK_SECONDS = 120.0
"""How long scheduler and simulated kubelets may take to come back after an outage."""

ETCD_MEGABYTES = 48
"""What etcd may hold."""

FULL_SECONDS = 15.0
"""How long it is full: longer than the Lease."""

OTHER_LEASE = "another"
"""Lease of an operator that does not know of the others."""

KINDS = [f"{kind}.actor-operator.dev" for kind in ("actorruns", "actors", "actoraccounts")]
"""Names of CRDs."""


@dataclass(frozen=True)
class Site:
    """A control plane and what belongs to it."""

    control_plane: ControlPlane
    fleet: Fleet
    admin: Admin
    recorder: Recorder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A control plane with the operator's rights, but without its kinds."""
    folder = tmp_path_factory.mktemp("away")
    quota = [f"--quota-backend-bytes={ETCD_MEGABYTES * 2**20}"]
    plane = ControlPlane(simulated_nodes=1, extra={"etcd": quota})
    try:
        plane.start()
    except ClusterToolError as error:
        plane.stop()
        pytest.skip(f"no control plane: {error}")
    fleet, admin = Fleet(plane, folder), Admin(plane)
    try:
        install_rights(plane, without=frozenset({"CustomResourceDefinition"}))
        with Recorder(plane, folder / "history.jsonl") as recorder:
            yield Site(plane, fleet, admin, recorder)
    finally:
        admin.close()
        fleet.stop()
        plane.stop()


@pytest.fixture(scope="module")
def recorder(site: Site) -> Recorder:
    """Of this control plane, not of the one of the other tests."""
    return site.recorder


@pytest.fixture
def kinds(site: Site) -> None:
    """The kinds are there, whichever tests ran before."""
    groups = site.admin.must("GET", "/apis")["groups"]
    if not any(group["name"] == GROUP for group in groups):
        install_rights(site.control_plane)


def test_an_operator_that_starts_before_its_kinds_exist_waits_for_them(site: Site) -> None:
    replica = site.fleet.start()
    replica.wait_serving()

    with calm(replica):
        time.sleep(NO_KINDS_SECONDS)
        install_rights(site.control_plane)
        replica.wait_leading()
    workspace = Workspace(site.admin, site.recorder)
    workspace.actor("quick")
    workspace.run("first")

    assert workspace.wait("first")["phase"] == "SUCCEEDED"


@pytest.mark.usefixtures("kinds")
@pytest.mark.fault("C1")
@pytest.mark.parametrize(
    "seconds", [DOWN_SECONDS, pytest.param(LONG_SECONDS, marks=pytest.mark.long)]
)
def test_an_api_server_that_was_killed_is_waited_for(
    site: Site, report: Callable[[str], None], seconds: float
) -> None:
    replicas = site.fleet.ensure(2)
    workspace = Workspace(site.admin, site.recorder)
    workspace.actor("endless", "endless")
    names = [workspace.run(f"long-{number}", "endless") for number in range(5)]
    workspace.run("overdue", "endless", timeoutSecs=int(seconds / 2))
    workspace.run("unwanted", "endless")
    for name in (*names, "overdue", "unwanted"):
        workspace.wait(name, "RUNNING")

    with calm(*replicas):
        workspace.abort("unwanted")
        site.control_plane.kill_api_server()
        time.sleep(seconds)
        site.control_plane.start_api_server()
        back = time.monotonic()
        workspace.run("afterwards", "endless")
        site.recorder.wait("the next pod is made", lambda: has_pod(workspace, "afterwards"))
        needed = time.monotonic() - back
        for name in names:
            assert workspace.end_pod(name).accepted
        workspace.abort("afterwards")
        workspace.wait_all([*names, "afterwards", "overdue", "unwanted"], 120)

    report(f"API server away for {seconds:.0f} s → next pod made {needed:.1f} s after")
    history = workspace.history()
    assert all(workspace.phase(name) == "SUCCEEDED" for name in names)
    assert history.phases("overdue") == ["READY", "RUNNING", "TIMING-OUT", "TIMED-OUT"]
    assert history.phases("unwanted") == ["READY", "RUNNING", "ABORTING", "ABORTED"]


def has_pod(workspace: Workspace, run: str) -> bool:
    """Whether a run has a pod."""
    labels = [pod["metadata"]["labels"] for pod in workspace.pods()]
    return any(found.get("actor-operator.dev/run") == run for found in labels)


@pytest.mark.usefixtures("kinds")
@pytest.mark.fault("C6")
@pytest.mark.breaks("I22", "what one of them tells, the other tells, too")
def test_two_operators_that_do_not_know_each_other_make_one_pod_and_one_verdict(
    site: Site, tmp_path: Path
) -> None:
    (first,) = site.fleet.ensure(1)
    grant_lease(site.admin, OTHER_LEASE)
    others = Fleet(site.control_plane, tmp_path, lease=OTHER_LEASE)
    try:
        (second,) = others.ensure(1)
        workspace = Workspace(site.admin, site.recorder)
        workspace.actor("quick")
        workspace.actor("endless", "endless")
        short = [workspace.run(f"short-{number}") for number in range(20)]
        timed = [workspace.run(f"timed-{n}", "endless", timeoutSecs=1) for n in range(5)]
        aborted = [workspace.run(f"aborted-{number}", "endless") for number in range(5)]
        for name in aborted:
            workspace.wait(name, "RUNNING", BACK_SECONDS)
            workspace.abort(name)
        workspace.wait_all([*short, *timed, *aborted], BACK_SECONDS)
        assert (first.leads, second.leads) == (True, True)
    finally:
        others.stop()

    history = workspace.history()
    for names, end in ((short, "SUCCEEDED"), (timed, "TIMED-OUT"), (aborted, "ABORTED")):
        for name in names:
            assert history.phases(name)[-1] == end
            assert len(history.children(POD, history.life(RUN, name)[0].uid)) == 1


def grant_lease(admin: Admin, name: str) -> None:
    """Let operators hold another Lease than the chart gives them."""
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
    rule = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["*"]}
    role = {"metadata": {"name": name}, "rules": [rule]}
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": RELEASE, "namespace": NAMESPACE}],
    }
    admin.must("POST", f"{rbac}/roles", role)
    admin.must("POST", f"{rbac}/rolebindings", binding)


@pytest.mark.usefixtures("kinds")
@pytest.mark.fault("C10")
def test_runs_go_with_their_kind_and_the_operator_works_on_when_it_is_back(site: Site) -> None:
    replicas = site.fleet.ensure(1)
    workspace = Workspace(site.admin, site.recorder)
    workspace.actor("endless", "endless")
    workspace.run("lost", "endless")
    workspace.wait("lost", "RUNNING", BACK_SECONDS)
    kubectl = Kubectl(site.control_plane.kubeconfig)

    with calm(*replicas):
        kubectl.run("delete", "crd", *KINDS, "--timeout=60s")
        site.recorder.wait("its pod is gone", lambda: not workspace.pods(), 60)
        install_rights(site.control_plane)
        again = Workspace(site.admin, site.recorder)
        again.actor("quick")
        again.run("next")
        again.wait("next", seconds=BACK_SECONDS)

    assert again.history().phases("next") == ["READY", "RUNNING", "SUCCEEDED"]


@pytest.mark.usefixtures("kinds")
@pytest.mark.fault("C2")
def test_an_etcd_that_is_full_changes_no_run(site: Site) -> None:
    """The last one here: kwok does not outlast it, so ends of containers are written by hand."""
    replicas, etcd = site.fleet.ensure(2), Etcd(site.control_plane.etcd_url)
    workspace = Workspace(site.admin, site.recorder)
    workspace.actor("endless", "endless")
    names = [workspace.run(f"run-{number}", "endless") for number in range(3)]
    for name in names:
        workspace.wait(name, "RUNNING", BACK_SECONDS)

    with calm(*replicas):
        fill(workspace)
        assert etcd.is_full
        before = [workspace.status(name) for name in names]
        time.sleep(FULL_SECONDS)
        assert [workspace.status(name) for name in names] == before
        etcd.make_room(f"/registry/configmaps/{workspace.namespace}/")
        workspace.run("afterwards", "endless")
        for code, name in enumerate(names):
            assert workspace.end_pod(name, code).accepted
        workspace.wait_all(names)
        site.recorder.wait("the next pod is made", lambda: has_pod(workspace, "afterwards"))

    history = workspace.history()
    assert history.phases(names[0]) == ["READY", "RUNNING", "SUCCEEDED"]
    assert all(history.phases(name) == ["READY", "RUNNING", "FAILED"] for name in names[1:])


def fill(workspace: Workspace) -> None:
    """Write until etcd takes nothing any more."""
    path, text = workspace.path("configmaps", core=True), "x" * 900_000
    for number in range(2 * ETCD_MEGABYTES):
        body = {"metadata": {"name": f"filler-{number}"}, "data": {"text": text}}
        answer = workspace.admin.call("POST", path, body)
        if not answer.accepted:
            assert "database space exceeded" in str(answer.body)
            return
    raise AssertionError("etcd is never full")
