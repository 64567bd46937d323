"""The chart, the manifests and the samples on a real API server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.chart.helm import CHART, NAMESPACE, RELEASE, ROOT, WITHOUT_API, HelmError, run_helm
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import CommandError
from tests.cluster_tool.kubectl import Kubectl

from actor_operator.constants import KEYS_SECRET

pytestmark = pytest.mark.cluster

SAMPLES = ROOT / "manifests" / "samples"
"""What users copy from."""

SERVICE_ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
"""The operator, as the API server names it."""

NEVER_CHANGES = (
    r"spec.input never changes; make a new run|never changes \(.*\binput\); make a new run"
)
"""The sentence of the policy, or that of the CRD."""


class Cluster:
    """kubectl and helm against one control plane."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.kubectl = Kubectl(control_plane.kubeconfig)
        self._kubeconfig = f"--kubeconfig={control_plane.kubeconfig}"

    def helm(self, *arguments: str) -> str:
        """Run helm against the cluster."""
        return run_helm(*arguments, self._kubeconfig)

    def install(self, release: str, namespace: str, *arguments: str) -> str:
        """Install the chart without the API server and wait until its pods are ready."""
        where = (f"--namespace={namespace}", "--create-namespace", "--wait", "--timeout=60s")
        return self.helm("install", release, str(CHART), *where, WITHOUT_API, *arguments)

    def may(self, who: str, verb: str, resource: str, *arguments: str) -> bool:
        """Whether the user has the right."""
        try:
            self.kubectl.run("auth", "can-i", verb, resource, f"--as={who}", *arguments)
        except CommandError:
            return False
        return True


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster with the chart and every sample."""
    with ControlPlane(simulated_nodes=2) as control_plane:
        found = Cluster(control_plane)
        found.install(RELEASE, NAMESPACE)
        found.kubectl.run("apply", f"--filename={SAMPLES}")
        yield found


@pytest.fixture
def empty_cluster() -> Iterator[Cluster]:
    """A cluster without the chart."""
    with ControlPlane(simulated_nodes=1) as control_plane:
        yield Cluster(control_plane)


def test_each_sample_is_accepted_and_applying_it_again_changes_nothing(cluster: Cluster) -> None:
    for path in sorted(SAMPLES.glob("*.yaml")):
        lines = cluster.kubectl.run("apply", f"--filename={path}").splitlines()

        assert lines
        # stringData of a Secret is written anew by each client-side apply.
        assert all("unchanged" in line for line in lines if not line.startswith("secret/")), lines


def test_an_upgrade_with_the_same_chart_changes_nothing(cluster: Cluster) -> None:
    get = ("get", "deploy,crd,cm,svc,clusterrole,role,validatingadmissionpolicy", "-A", "-o=json")
    before = _without_status(cluster.kubectl.run(*get))

    cluster.helm("upgrade", RELEASE, str(CHART), f"--namespace={NAMESPACE}", "--wait")

    assert _without_status(cluster.kubectl.run(*get)) == before


def test_both_replicas_are_admitted_where_pods_must_be_restricted(cluster: Cluster) -> None:
    enforce = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl.run("label", "namespace", NAMESPACE, enforce)
    cluster.kubectl.run("-n", NAMESPACE, "rollout", "restart", f"deployment/{RELEASE}")
    cluster.kubectl.run(
        "-n", NAMESPACE, "rollout", "status", f"deployment/{RELEASE}", "--timeout=60s"
    )

    nodes = cluster.kubectl.run(
        "-n",
        NAMESPACE,
        "get",
        "pods",
        "-o=jsonpath={.items[*].spec.nodeName}",
        "--field-selector=status.phase=Running",
    ).split()
    assert len(set(nodes)) == 2


@pytest.mark.parametrize(
    ("name", "kind", "patch"),
    [
        ("hello", "merge", '{"spec": {"input": {"message": "another"}}}'),
        ("hello", "merge", '{"spec": {"input": {"further": 1}}}'),
        ("hello", "json", '[{"op": "remove", "path": "/spec/input"}]'),
        (
            "hello",
            "json",
            '[{"op": "move", "from": "/spec/input/message", "path": "/spec/input/m"}]',
        ),
        ("out-of-memory", "merge", '{"spec": {"input": {}}}'),
    ],
    ids=["a value changes", "a key comes", "it goes", "a key is renamed", "it comes"],
)
def test_the_input_of_a_run_cannot_change_when(
    cluster: Cluster, name: str, kind: str, patch: str
) -> None:
    # Its coming and going is seen by a rule of the CRD, the rest by the policy of the chart.
    with pytest.raises(CommandError, match=NEVER_CHANGES):
        cluster.kubectl.run("patch", "actorrun", name, f"--type={kind}", f"--patch={patch}")


@pytest.mark.parametrize(
    "patch",
    [
        '{"metadata": {"labels": {"team": "a"}}}',
        '{"spec": {"ttlSecondsAfterFinished": 60}}',
        '{"spec": {"input": {"message": "Kubernetes"}}}',
    ],
    ids=["a label", "its retention", "the same input again"],
)
def test_what_may_change_of_a_run_is_not_hindered(cluster: Cluster, patch: str) -> None:
    cluster.kubectl.run("patch", "actorrun", "hello", "--type=merge", f"--patch={patch}")


def test_the_largest_input_can_be_compared(cluster: Cluster, tmp_path: Path) -> None:
    items = ", ".join(f'"{number:058}"' for number in range(1000))
    run = tmp_path / "run.yaml"
    run.write_text(
        "{apiVersion: actor-operator.dev/v1alpha1, kind: ActorRun, metadata: {name: large},"
        f" spec: {{actor: hello-world, input: {{items: [{items}]}}}}}}"
    )
    cluster.kubectl.run("create", f"--filename={run}")

    cluster.kubectl.run("label", "actorrun", "large", "team=a")


def test_the_api_server_finds_no_fault_in_the_policy(cluster: Cluster) -> None:
    checked = cluster.kubectl.run(
        "get",
        "validatingadmissionpolicy",
        f"{RELEASE}-immutable-input",
        "-o=jsonpath={.status.typeChecking.expressionWarnings}",
    )

    assert checked == ""


def _without_status(objects: str) -> list[Any]:
    """What was asked for, without what controllers and the API server wrote."""
    found = json.loads(objects)["items"]
    for one in found:
        one.pop("status", None)
        for written in ("managedFields", "resourceVersion"):
            one["metadata"].pop(written, None)
    return list(found)


@pytest.mark.fault("B28")
def test_users_may_do_what_their_cluster_role_says(cluster: Cluster) -> None:
    for role in ("view", "edit", "admin"):
        cluster.kubectl.run(
            "create", "rolebinding", f"the-{role}er", f"--clusterrole={role}", f"--user={role}"
        )
    expected = {
        ("get", "actorruns"): {"view", "edit", "admin"},
        ("list", "actors"): {"view", "edit", "admin"},
        ("create", "actorruns"): {"edit", "admin"},
        ("patch", "actorruns"): {"edit", "admin"},
        ("delete", "actorruns"): {"edit", "admin"},
        ("create", "actors"): {"admin"},
        ("patch", "actors"): {"admin"},
        ("update", "actorruns", "--subresource=status"): set[str](),
        ("patch", "actors", "--subresource=status"): set[str](),
        ("create", "actoraccounts"): set[str](),
    }
    found = {
        right: {who for who in ("view", "edit", "admin") if cluster.may(who, *right)}
        for right in expected
    }

    assert found == expected


def test_the_operator_reads_its_keys_and_no_other_secret(cluster: Cluster) -> None:
    here = f"--namespace={NAMESPACE}"

    assert cluster.may(SERVICE_ACCOUNT, "create", "secrets")
    assert cluster.may(SERVICE_ACCOUNT, "delete", "secrets")
    assert cluster.may(SERVICE_ACCOUNT, "get", f"secrets/{KEYS_SECRET}", here)
    for verb in ("get", "list", "watch", "deletecollection"):
        assert not cluster.may(SERVICE_ACCOUNT, verb, "secrets")
        assert not cluster.may(SERVICE_ACCOUNT, verb, "secrets", here)


def test_one_for_some_namespaces_stands_beside_one_of_its_name_for_the_cluster(
    cluster: Cluster,
) -> None:
    """With the commands of docs/install.md."""
    label = "actor-operator.dev/install"
    for namespace in ("team-a", "team-b"):
        cluster.kubectl.run("create", "namespace", namespace)
    cluster.kubectl.run("label", "namespace", "team-a", "team-b", f"{label}=team-operator")
    told = cluster.install(
        RELEASE,
        "team-operator",
        "--set=crds.install=false",
        "--set=settings.namespaces={team-a,team-b}",
    )
    operator = f"system:serviceaccount:team-operator:{RELEASE}"

    assert f"kubectl label namespace team-b {label}=team-operator" in told
    for right in (("delete", "actorruns"), ("create", "pods"), ("list", "actors")):
        assert cluster.may(operator, *right, "--namespace=team-a")
        assert not cluster.may(operator, *right, "--namespace=default")
        assert not cluster.may(operator, *right, "--all-namespaces")
    assert cluster.may(operator, "list", "actoraccounts")
    assert cluster.may(operator, "update", "actoraccounts/team-a", "--subresource=status")
    assert not cluster.may(operator, "update", "actoraccounts/default", "--subresource=status")

    cluster.helm("uninstall", RELEASE, "--namespace=team-operator", "--wait")
    cluster.kubectl.run("label", "namespace", "team-a", "team-b", f"{label}-")
    assert cluster.may(SERVICE_ACCOUNT, "create", "pods", "--namespace=team-a")


def test_uninstall_keeps_runs_and_another_release_can_take_over(empty_cluster: Cluster) -> None:
    cluster = empty_cluster
    cluster.install("first", "one")
    cluster.kubectl.run("apply", f"--filename={SAMPLES / 'actor.yaml'}")
    cluster.helm("uninstall", "first", "--namespace=one", "--wait")

    assert cluster.kubectl.run("get", "actors", "-o=name").split() == [
        "actor.actor-operator.dev/hello-world"
    ]
    with pytest.raises(HelmError, match="invalid ownership metadata"):
        cluster.install("second", "two")
    cluster.install("second", "two", "--take-ownership")
    # From then on without the flag.
    values = (WITHOUT_API, "--set=replicas=1")
    cluster.helm("upgrade", "second", str(CHART), "--namespace=two", *values, "--wait")


def test_a_second_release_stands_beside_the_first_without_the_crds(empty_cluster: Cluster) -> None:
    empty_cluster.install("first", "one")

    empty_cluster.install("second", "two", "--set=crds.install=false")


def test_the_install_manifest_is_applied_and_helm_can_take_it_over(empty_cluster: Cluster) -> None:
    cluster = empty_cluster
    cluster.kubectl.run("apply", "--server-side", f"--kustomize={ROOT / 'manifests'}")
    rollout = ("-n", NAMESPACE, "rollout", "status", f"deployment/{RELEASE}", "--timeout=60s")
    cluster.kubectl.run(*rollout)

    # The API server is in the manifest, but nothing here makes a volume for it to wait for.
    cluster.helm("install", RELEASE, str(CHART), f"--namespace={NAMESPACE}", "--take-ownership")

    cluster.kubectl.run(*rollout)


def test_the_manifests_fit_client_side_apply_too(empty_cluster: Cluster) -> None:
    # It keeps the whole object in an annotation, which may hold 256 KiB.
    empty_cluster.kubectl.run("apply", f"--filename={ROOT / 'manifests' / 'install.yaml'}")
