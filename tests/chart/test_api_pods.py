"""The pods of the API server: safe, apart from the operator's, and on what they keep."""

from typing import Any

import pytest
from tests.chart.helm import BUCKET, DATABASE, RELEASE, WITHOUT_API, objects, one

from actor_operator.constants import KEYS_SECRET
from actor_operator.settings import Settings

pytestmark = pytest.mark.chart

API, EVENTS = f"{RELEASE}-api", f"{RELEASE}-events"

HOST_PATH = "--set=api.storage.persistence.hostPath=/srv/actors"
"""The value with which everything is kept in a folder of a node."""

each_part = pytest.mark.parametrize("name", [API, EVENTS], ids=["api", "events"])


def deployment(name: str, *arguments: str) -> dict[str, Any]:
    """The specification of a Deployment."""
    spec: dict[str, Any] = one("Deployment", name, *arguments)["spec"]
    return spec


def pod(name: str, *arguments: str) -> dict[str, Any]:
    """The specification of its pods."""
    spec: dict[str, Any] = deployment(name, *arguments)["template"]["spec"]
    return spec


def container(name: str, *arguments: str) -> dict[str, Any]:
    """The one container of its pods."""
    (found,) = pod(name, *arguments)["containers"]
    result: dict[str, Any] = found
    return result


def volumes(name: str, *arguments: str) -> dict[str, dict[str, Any]]:
    """The volumes of its pods, by where they are mounted."""
    named = {volume["name"]: volume for volume in pod(name, *arguments)["volumes"]}
    mounts = container(name, *arguments)["volumeMounts"]
    assert {mount["name"] for mount in mounts} == set(named)
    return {mount["mountPath"]: named[mount["name"]] for mount in mounts}


def of_part(part: str, *arguments: str) -> list[tuple[str, str]]:
    """Kind and name of the objects that belong to a part of the API server."""
    label = "app.kubernetes.io/component"
    return [
        (o["kind"], o["metadata"]["name"])
        for o in objects(*arguments)
        if o["metadata"].get("labels", {}).get(label) == part
    ]


def test_without_the_api_server_nothing_of_it_is_there() -> None:
    found = objects(WITHOUT_API)

    assert of_part("api", WITHOUT_API) == of_part("events", WITHOUT_API) == []
    assert {o["metadata"]["name"] for o in found if o["kind"] == "Deployment"} == {RELEASE}
    assert "server" not in str([o["metadata"]["name"] for o in found])
    assert "storages" not in str([o["rules"] for o in found if "rules" in o])


@each_part
def test_pods_meet_the_pod_security_standard_restricted(name: str) -> None:
    security = container(name)["securityContext"]
    kinds = {kind for volume in pod(name)["volumes"] for kind in volume if kind != "name"}

    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod(name).keys()
    assert kinds <= {"configMap", "secret", "emptyDir", "persistentVolumeClaim"}
    assert pod(name)["securityContext"]["runAsNonRoot"] is True
    assert pod(name)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert security == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_each_part_runs_what_it_is_there_for_with_the_settings_of_the_chart() -> None:
    file = ["--settings", "/etc/actor-operator/settings.yaml"]

    assert container(API)["args"] == ["server", *file]
    assert container(EVENTS)["args"] == ["server", "--only", "events", *file]
    for name in (API, EVENTS):
        assert volumes(name)["/etc/actor-operator"]["configMap"] == {"name": RELEASE}
        assert container(name)["image"] == container(RELEASE)["image"]


@each_part
def test_keys_are_a_mounted_secret_that_the_pod_waits_for(name: str) -> None:
    moved = volumes(name, "--set=settings.api.keysFolder=/keys")["/keys"]["secret"]
    secret = volumes(name)[str(Settings().api.keys_folder)]["secret"]

    assert secret == moved == {"secretName": KEYS_SECRET, "defaultMode": 0o440}
    assert pod(name)["securityContext"]["fsGroup"] == pod(name)["securityContext"]["runAsGroup"]


@each_part
def test_only_a_temporary_folder_and_the_storage_can_be_written(name: str) -> None:
    writable = {
        mount["mountPath"] for mount in container(name)["volumeMounts"] if not mount.get("readOnly")
    }

    assert writable == {"/tmp"} | ({"/var/lib/actor-operator"} if name == API else set())


@each_part
def test_probes_ask_the_port_that_the_world_does_not_reach(name: str) -> None:
    found = container(name, "--set=settings.api.port=8001", "--set=settings.api.metricsPort=9191")

    assert found["ports"] == [
        {"name": "http", "containerPort": 8001},
        {"name": "metrics", "containerPort": 9191},
    ]
    assert found["startupProbe"]["httpGet"] == {"path": "/healthz", "port": "metrics"}
    assert found["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "metrics"}
    assert found["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "metrics"}


@each_part
def test_what_is_open_is_finished_when_a_pod_goes(name: str) -> None:
    assert pod(name)["terminationGracePeriodSeconds"] == 60


def test_no_selector_takes_a_pod_of_another_deployment() -> None:
    deployments = [o["spec"] for o in objects() if o["kind"] == "Deployment"]
    selectors = [
        o["spec"]["selector"].get("matchLabels", o["spec"]["selector"])
        for o in objects("--set=networkPolicy.enabled=true")
        if o["kind"] in {"Deployment", "Service", "PodDisruptionBudget"}
    ]

    assert len(deployments) == 3
    for selector in selectors:
        taken = [
            d["template"]["metadata"]["labels"]["app.kubernetes.io/name"]
            for d in deployments
            if selector.items() <= d["template"]["metadata"]["labels"].items()
        ]
        assert len(set(taken)) == 1, selector
        assert len(taken) == 1 or taken == ["actor-operator-server"] * 2


def test_no_label_of_a_pod_is_one_that_only_pods_of_runs_have() -> None:
    for found in objects("--set=podLabels.team=a"):
        if found["kind"] == "Deployment":
            labels = found["spec"]["template"]["metadata"]["labels"]
            assert not [key for key in labels if "actor-operator.dev" in key]
            assert labels["team"] == "a"


def test_services_lead_to_the_pods_and_have_the_port_of_the_values() -> None:
    for name in (API, EVENTS):
        service = one("Service", name, "--set=api.service.port=8080")["spec"]

        assert service["ports"] == [{"name": "http", "port": 8080, "targetPort": "http"}]
        assert service["selector"] == deployment(name)["selector"]["matchLabels"]


def test_prometheus_finds_the_metrics_of_both_parts() -> None:
    port = "--set=settings.api.metricsPort=9191"
    service = one("Service", f"{RELEASE}-server-metrics", port)
    monitor = one("ServiceMonitor", RELEASE, "--set=serviceMonitor.enabled=true")

    selected = monitor["spec"]["selector"]["matchLabels"]
    assert selected.items() <= service["metadata"]["labels"].items()
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["ports"] == [{"name": "metrics", "port": 9191, "targetPort": "metrics"}]
    for name in (API, EVENTS):
        labels = deployment(name)["template"]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()


def test_one_server_goes_before_the_next_comes_unless_a_database_and_a_bucket_keep_all() -> None:
    recreate = {"type": "Recreate"}

    assert deployment(API)["strategy"] == recreate
    assert deployment(API, DATABASE)["strategy"] == recreate
    assert deployment(API, *BUCKET)["strategy"] == recreate
    assert deployment(API, DATABASE, *BUCKET)["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }


def test_the_events_are_never_away_during_an_upgrade_or_a_drain() -> None:
    found = deployment(EVENTS)
    budget = one("PodDisruptionBudget", EVENTS)["spec"]

    assert found["replicas"] == 2
    assert found["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert container(EVENTS)["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == found["selector"]
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_a_pod_that_others_stand_beside_takes_requests_until_all_know_that_it_goes() -> None:
    assert "lifecycle" not in container(API)
    assert "lifecycle" in container(API, DATABASE, *BUCKET)


@each_part
def test_pods_spread_over_nodes(name: str) -> None:
    (spread,) = pod(name)["topologySpreadConstraints"]

    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert spread["whenUnsatisfiable"] == "ScheduleAnyway"
    assert spread["labelSelector"] == deployment(name)["selector"]


@each_part
def test_placement_pull_values_and_new_settings_reach_the_pods(name: str) -> None:
    template = deployment(
        name,
        "--set=nodeSelector.disk=fast",
        '--set-json=tolerations=[{"operator":"Exists"}]',
        "--set=priorityClassName=high",
        '--set-json=imagePullSecrets=["mine"]',
        "--set=podAnnotations.note=x",
        "--set=settings.engine.workers=8",
    )["template"]
    before = deployment(name)["template"]["metadata"]["annotations"]["checksum/settings"]

    assert template["spec"]["nodeSelector"] == {"disk": "fast"}
    assert template["spec"]["tolerations"] == [{"operator": "Exists"}]
    assert template["spec"]["priorityClassName"] == "high"
    assert template["spec"]["imagePullSecrets"] == [{"name": "mine"}]
    assert template["spec"]["enableServiceLinks"] is False
    assert template["metadata"]["annotations"]["note"] == "x"
    assert template["metadata"]["annotations"]["checksum/settings"] != before


def test_the_api_alone_can_be_placed_by_values_of_its_own() -> None:
    values = (
        "--set=nodeSelector.disk=fast",
        "--set=nodeSelector.zone=a",
        "--set=api.nodeSelector.zone=b",
        '--set-json=api.affinity={"nodeAffinity":{}}',
    )

    assert pod(API, *values)["nodeSelector"] == {"disk": "fast", "zone": "b"}
    assert pod(API, *values)["affinity"] == {"nodeAffinity": {}}
    assert pod(EVENTS, *values)["nodeSelector"] == {"disk": "fast", "zone": "a"}
    assert "affinity" not in pod(EVENTS, *values)


def test_each_part_has_the_resources_and_replicas_of_its_values() -> None:
    many = (DATABASE, *BUCKET, "--set=api.replicas=3", "--set=api.events.replicas=4")
    values = (*many, "--set=api.resources.limits.memory=2Gi", "--set=api.events.resources=null")

    assert deployment(API, *values)["replicas"] == 3
    assert deployment(EVENTS, *values)["replicas"] == 4
    assert container(API, *values)["resources"]["limits"] == {"memory": "2Gi"}
    assert not container(EVENTS, *values)["resources"]


@each_part
def test_each_part_has_a_service_account_whose_token_only_its_pods_get(name: str) -> None:
    account = one("ServiceAccount", name)

    assert pod(name)["serviceAccountName"] == name
    assert pod(name)["automountServiceAccountToken"] is True
    assert account["automountServiceAccountToken"] is False


def test_the_service_account_of_the_api_can_carry_an_identity_of_the_cloud() -> None:
    annotated = "--set=api.serviceAccount.annotations.role=writer"

    assert one("ServiceAccount", API, annotated)["metadata"]["annotations"] == {"role": "writer"}
    assert "annotations" not in one("ServiceAccount", EVENTS, annotated)["metadata"]
