"""Where the API server keeps what it is given: volume, database, bucket."""

from typing import Any

import pytest
from tests.chart.helm import BUCKET, DATABASE, RELEASE, HelmError, objects, one
from tests.chart.test_api_pods import API, EVENTS, HOST_PATH, container, pod, volumes

pytestmark = pytest.mark.chart

FOLDER = "/var/lib/actor-operator"
"""Where the volume is mounted."""


def claims(*arguments: str) -> list[dict[str, Any]]:
    """The claims that the chart makes."""
    return [o for o in objects(*arguments) if o["kind"] == "PersistentVolumeClaim"]


def test_by_default_a_claim_is_made_that_stays_when_the_release_goes() -> None:
    (claim,) = claims()

    assert volumes(API)[FOLDER]["persistentVolumeClaim"] == {"claimName": API}
    assert claim["metadata"]["name"] == API
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "10Gi"}},
    }


def test_the_claim_has_the_size_and_the_class_of_the_values() -> None:
    (claim,) = claims(
        "--set=api.storage.persistence.size=1Ti", "--set=api.storage.persistence.storageClass=fast"
    )

    assert claim["spec"]["resources"] == {"requests": {"storage": "1Ti"}}
    assert claim["spec"]["storageClassName"] == "fast"


def test_a_claim_that_exists_is_used_and_none_is_made() -> None:
    mine = "--set=api.storage.persistence.existingClaim=mine"

    assert volumes(API, mine)[FOLDER]["persistentVolumeClaim"] == {"claimName": "mine"}
    assert claims(mine) == []


def test_without_persistence_everything_is_lost_with_the_pod() -> None:
    off = "--set=api.storage.persistence.enabled=false"

    assert volumes(API, off)[FOLDER]["emptyDir"] == {}
    assert claims(off) == []
    assert "initContainers" not in pod(API, off, HOST_PATH)


def test_a_folder_of_a_node_is_given_to_the_server_before_it_starts() -> None:
    (first,) = pod(API, HOST_PATH)["initContainers"]

    assert volumes(API, HOST_PATH)[FOLDER]["hostPath"] == {
        "path": "/srv/actors",
        "type": "DirectoryOrCreate",
    }
    assert claims(HOST_PATH) == []
    owner = pod(API, HOST_PATH)["securityContext"]["runAsUser"]
    assert first["command"][:2] == ["python", "-c"]
    assert f"os.chown(sys.argv[1], {owner}, {owner})" in first["command"][2]
    assert first["command"][3:] == [FOLDER]
    assert first["volumeMounts"] == [{"name": "storage", "mountPath": FOLDER}]
    assert first["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["CHOWN"]}


def test_the_volume_is_where_the_settings_say() -> None:
    assert (
        "persistentVolumeClaim" in volumes(API, "--set=settings.api.storage.folder=/data")["/data"]
    )


@pytest.mark.parametrize("values", [(DATABASE,), BUCKET], ids=["a database", "a bucket"])
def test_one_of_database_and_bucket_still_needs_the_volume(values: tuple[str, ...]) -> None:
    assert FOLDER in volumes(API, *values)
    assert claims(*values)


def test_with_a_database_and_a_bucket_there_is_no_volume() -> None:
    assert FOLDER not in volumes(API, DATABASE, *BUCKET, HOST_PATH)
    assert "initContainers" not in pod(API, DATABASE, *BUCKET, HOST_PATH)
    assert claims(DATABASE, *BUCKET) == []


def test_the_url_of_the_database_is_a_file_in_the_pod_of_the_api_alone() -> None:
    folder = "/etc/actor-operator-database"

    assert volumes(API, DATABASE)[folder]["secret"] == {"secretName": "pg", "defaultMode": 0o440}
    assert folder not in volumes(EVENTS, DATABASE)
    assert folder not in volumes(API)
    assert "pg" not in str(one("Deployment", RELEASE, DATABASE))


def test_credentials_of_the_bucket_are_in_the_environment_of_the_api_alone() -> None:
    secret = "--set=api.bucket.existingSecret=bucket"
    variables = {
        variable["name"]: variable["valueFrom"]["secretKeyRef"]
        for variable in container(API, *BUCKET, secret)["env"]
    }

    assert variables == {
        name: {"name": "bucket", "key": name}
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    }
    assert "env" not in container(API, *BUCKET)
    assert "env" not in container(EVENTS, *BUCKET, secret)


def test_the_events_keep_nothing_and_are_told_the_ca_of_kubelets() -> None:
    values = ("--set=api.kubeletCA.configMap=kubelets", "--set=api.kubeletCA.key=ca.pem")

    assert volumes(EVENTS, *values)["/etc/actor-operator-kubelet-ca"]["configMap"] == {
        "name": "kubelets"
    }
    assert set(volumes(EVENTS)) == {"/etc/actor-operator", "/etc/actor-operator-keys", "/tmp"}


@pytest.mark.parametrize(
    "values",
    [(), (DATABASE,), BUCKET],
    ids=["SQLite and a folder", "a database and a folder", "SQLite and a bucket"],
)
def test_two_servers_are_refused_where_they_cannot_share(values: tuple[str, ...]) -> None:
    with pytest.raises(HelmError, match=r"api\.replicas can be more than 1 only with a PostgreSQL"):
        objects(*values, "--set=api.replicas=2")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            ("--set=settings.api.storage.objects=s3",),
            "settings.api.storage.bucket.name must name the bucket",
        ),
        (
            (HOST_PATH, "--set=api.storage.persistence.existingClaim=mine"),
            "api.storage.persistence.existingClaim and .hostPath exclude each other",
        ),
    ],
    ids=["a bucket without a name", "a claim and a folder"],
)
def test_values_that_cannot_work_are_refused(values: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(HelmError) as refused:
        objects(*values)

    assert sentence in str(refused.value)
