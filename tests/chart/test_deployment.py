"""The operator's pods: safe, watched, and on different nodes."""

from typing import Any

import pytest
from tests.chart.helm import RELEASE, one

pytestmark = pytest.mark.chart


def deployment(*arguments: str) -> dict[str, Any]:
    """The specification of the Deployment."""
    spec: dict[str, Any] = one("Deployment", RELEASE, *arguments)["spec"]
    return spec


def container(*arguments: str) -> dict[str, Any]:
    """The one container."""
    (found,) = deployment(*arguments)["template"]["spec"]["containers"]
    result: dict[str, Any] = found
    return result


def test_the_pod_meets_the_pod_security_standard_restricted() -> None:
    pod = deployment()["template"]["spec"]
    security = container()["securityContext"]

    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod.keys()
    assert {kind for volume in pod["volumes"] for kind in volume if kind != "name"} == {"configMap"}
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["allowPrivilegeEscalation"] is False
    assert "privileged" not in security
    assert not any("hostPort" in port for port in container()["ports"])


def test_the_root_file_system_is_read_only() -> None:
    assert container()["securityContext"]["readOnlyRootFilesystem"] is True
    assert all(mount["readOnly"] for mount in container()["volumeMounts"])


def test_the_operator_reads_the_mounted_settings() -> None:
    (mount,) = container()["volumeMounts"]
    (volume,) = deployment()["template"]["spec"]["volumes"]
    config = one("ConfigMap", RELEASE)

    assert container()["args"] == ["operator", "--settings", "/etc/actor-operator/settings.yaml"]
    assert f"{mount['mountPath']}/{next(iter(config['data']))}" == container()["args"][-1]
    assert volume["configMap"]["name"] == config["metadata"]["name"]


def test_liveness_and_readiness_ask_the_ports_of_the_settings() -> None:
    found = container(
        "--set=settings.probes.probesPort=8181", "--set=settings.probes.metricsPort=9191"
    )

    assert found["ports"] == [
        {"name": "probes", "containerPort": 8181},
        {"name": "metrics", "containerPort": 9191},
    ]
    assert found["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "probes"}
    assert found["startupProbe"]["httpGet"] == {"path": "/healthz", "port": "probes"}
    assert found["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "metrics"}


def test_no_service_variables_that_would_look_like_settings() -> None:
    assert deployment()["template"]["spec"]["enableServiceLinks"] is False


def test_an_upgrade_of_two_replicas_needs_no_room_and_one_replica_is_never_missing() -> None:
    assert deployment()["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert deployment("--set=replicas=1")["strategy"]["rollingUpdate"] == {
        "maxSurge": 1,
        "maxUnavailable": 0,
    }


def test_replicas_spread_over_nodes_but_run_on_one_when_there_is_only_one() -> None:
    (spread,) = deployment()["template"]["spec"]["topologySpreadConstraints"]

    assert deployment()["replicas"] == 2
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert spread["whenUnsatisfiable"] == "ScheduleAnyway"
    assert spread["labelSelector"] == deployment()["selector"]


def test_the_selector_never_changes_with_the_version() -> None:
    assert deployment()["selector"]["matchLabels"] == {
        "app.kubernetes.io/name": "actor-operator",
        "app.kubernetes.io/instance": "actor-operator",
    }
    template = deployment("--set=podLabels.team=a")["template"]["metadata"]["labels"]
    assert template.keys() - deployment()["selector"]["matchLabels"].keys() == {
        "team",
        "app.kubernetes.io/part-of",
    }


def test_a_drain_may_take_one_replica_and_any_that_does_not_work() -> None:
    budget = one("PodDisruptionBudget", RELEASE)["spec"]

    assert budget["maxUnavailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
    assert budget["selector"] == deployment()["selector"]


@pytest.mark.parametrize(
    ("arguments", "image"),
    [
        ((), "localhost/actor-operator/operator:0.1.0"),
        (("--set=image.tag=v7",), "localhost/actor-operator/operator:v7"),
        (("--set=image.repository=r.example:5000/o",), "r.example:5000/o:0.1.0"),
        (
            (f"--set=image.digest=sha256:{'0' * 64}", "--set=image.tag=v7"),
            f"localhost/actor-operator/operator@sha256:{'0' * 64}",
        ),
    ],
    ids=["the chart's version", "a tag", "a registry", "a digest wins"],
)
def test_the_image_is_named_by(arguments: tuple[str, ...], image: str) -> None:
    assert container(*arguments)["image"] == image


def test_placement_and_pull_values_reach_the_pod() -> None:
    pod = deployment(
        "--set=nodeSelector.disk=fast",
        '--set-json=tolerations=[{"operator":"Exists"}]',
        '--set-json=affinity={"podAntiAffinity":{}}',
        "--set=priorityClassName=high",
        '--set-json=imagePullSecrets=["mine"]',
        "--set=podAnnotations.note=x",
    )["template"]

    assert pod["spec"]["nodeSelector"] == {"disk": "fast"}
    assert pod["spec"]["tolerations"] == [{"operator": "Exists"}]
    assert pod["spec"]["affinity"] == {"podAntiAffinity": {}}
    assert pod["spec"]["priorityClassName"] == "high"
    assert pod["spec"]["imagePullSecrets"] == [{"name": "mine"}]
    assert pod["metadata"]["annotations"]["note"] == "x"


def test_only_the_operators_pod_gets_the_service_accounts_token() -> None:
    account = one("ServiceAccount", RELEASE)
    pod = deployment()["template"]["spec"]

    assert account["automountServiceAccountToken"] is False
    assert pod["automountServiceAccountToken"] is True
    assert pod["serviceAccountName"] == account["metadata"]["name"]
