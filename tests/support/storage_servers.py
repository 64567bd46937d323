"""PostgreSQL and SeaweedFS in a cluster, and what of them the API server is told."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.cluster_tool.images import catalog
from tests.cluster_tool.kubectl import Kubectl
from tests.node.images.postgres.image import POSTGRES
from tests.node.images.seaweedfs.image import SEAWEEDFS
from tests.support.installation import NAMESPACE, RELEASE
from tests.support.s3_request import ACCESS_KEY, REGION, SECRET_KEY

IMAGES = (POSTGRES, SEAWEEDFS)

PLACE = "storage-servers"
"""Their namespace."""

DATABASE_PORT, S3_PORT = 5432, 8333

BUCKET = "actors"

ENDPOINT = f"http://seaweedfs.{PLACE}:{S3_PORT}"

VALUES = (
    "api.enabled=true",
    "api.replicas=2",
    'api.database.existingSecret.name="actor-database"',
    'api.bucket.existingSecret="actor-bucket"',
    'settings.api.storage.objects="s3"',
    "settings.api.storage.bucket="
    + json.dumps(
        {"name": BUCKET, "region": REGION, "endpoint": ENDPOINT, "allowHttp": True},
    ),
)
"""Values of the chart, as docs/install.md tells them."""

NOBODY = {"runAsUser": 65534, "runAsGroup": 65534, "fsGroup": 65534}

SIZES = f"""
from obstore.store import S3Store

store = S3Store(
    "{BUCKET}", endpoint="{ENDPOINT}", region="{REGION}", client_options={{"allow_http": True}}
)
print(*(found["size"] for page in store.list() for found in page))
"""
"""Prints the sizes of all objects, with the credentials of its environment."""


class StorageServers:
    """Both servers, once they are there.

    Parameters
    ----------
    kubectl
        Of the cluster.
    """

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    def ask_database(self, statement: str) -> list[str]:
        """Lines that the database answers, without the API server."""
        words = ("psql", "-h", "/tmp", "-U", "actors", "-d", "postgres", "-A", "-t", "-c")
        url = ("-n", PLACE, "exec", "deploy/postgres", "--", "sh", "-c")
        login = 'PGPASSWORD="$(cat "$PASSWORD_FILE")" exec "$@"'
        return self._kubectl.run(*url, login, "sh", *words, statement).splitlines()

    def sizes(self) -> list[int]:
        """Sizes of all objects in the bucket, read with the credentials of the API server."""
        script = ("exec", f"deploy/{RELEASE}-api", "--", "python", "-c", SIZES)
        return [int(size) for size in self._kubectl.run("-n", NAMESPACE, *script).split()]


@contextmanager
def storage_servers(kubectl: Kubectl) -> Iterator[StorageServers]:
    """Run both servers, and make the Secrets that the chart's values name.

    Their images must be on the nodes.
    """
    password = secrets.token_hex(16)
    url = f"postgresql://actors:{password}@postgres.{PLACE}:{DATABASE_PORT}/postgres"
    keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    kubectl.run("create", "namespace", PLACE)
    try:
        secret(kubectl, PLACE, "postgres", {"password": password})
        secret(kubectl, PLACE, "seaweedfs", {"identities.json": _identities()})
        for manifest in (*_postgres(), *_seaweedfs()):
            kubectl.run("apply", "-f", "-", stdin=json.dumps(manifest))
        secret(kubectl, NAMESPACE, "actor-database", {"url": url})
        secret(kubectl, NAMESPACE, "actor-bucket", keys)
        ready = ("--for=condition=Available", "deployments", "--all", "--timeout=120s")
        kubectl.run("-n", PLACE, "wait", *ready)
        yield StorageServers(kubectl)
    finally:
        made = ("actor-database", "actor-bucket")
        kubectl.run("-n", NAMESPACE, "delete", "secret", "--ignore-not-found", *made)
        kubectl.run("delete", "namespace", PLACE, "--wait=false")


def secret(kubectl: Kubectl, namespace: str, name: str, data: dict[str, str]) -> None:
    """Make a Secret."""
    body = {"apiVersion": "v1", "kind": "Secret", "stringData": data}
    metadata = {"metadata": {"name": name, "namespace": namespace}}
    kubectl.run("apply", "-f", "-", stdin=json.dumps({**body, **metadata}))


def _identities() -> str:
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    return json.dumps(
        {"identities": [{"name": "api", "credentials": credentials, "actions": ["Admin"]}]}
    )


def _postgres() -> list[dict[str, Any]]:
    container = {
        "env": [
            {"name": "PGDATA", "value": "/data/postgres"},
            {"name": "PASSWORD_FILE", "value": "/secret/password"},
        ],
        "readinessProbe": {
            "exec": {"command": ["pg_isready", "-h", "127.0.0.1"]},
            "periodSeconds": 1,
        },
    }
    return _server("postgres", POSTGRES, DATABASE_PORT, container)


def _seaweedfs() -> list[dict[str, Any]]:
    container = {
        "args": [
            "-logtostderr",
            "server",
            "-dir=/data",
            "-ip=127.0.0.1",
            "-ip.bind=0.0.0.0",
            "-master.telemetry=false",
            "-master.electionTimeout=1s",
            "-master.volumeSizeLimitMB=64",
            "-volume.max=50",
            "-filer",
            "-s3",
            f"-s3.port={S3_PORT}",
            "-s3.config=/secret/identities.json",
            "-s3.autoCreateBucket=true",
        ],
        "readinessProbe": {"tcpSocket": {"port": S3_PORT}, "periodSeconds": 1},
    }
    return _server("seaweedfs", SEAWEEDFS, S3_PORT, container)


def _server(
    name: str, image: catalog.Image, port: int, container: dict[str, Any]
) -> list[dict[str, Any]]:
    """A Deployment of one pod with a volume and a Secret of its name, and a Service for it."""
    metadata: dict[str, Any] = {"name": name, "namespace": PLACE}
    labels = {"app": name}
    container |= {
        "name": name,
        "image": image.config.reference,
        "imagePullPolicy": "Never",
        "volumeMounts": [
            {"name": "data", "mountPath": "/data"},
            {"name": "secret", "mountPath": "/secret"},
        ],
    }
    pod = {
        "containers": [container],
        "securityContext": NOBODY,
        "terminationGracePeriodSeconds": 0,
        "volumes": [
            {"name": "data", "emptyDir": {}},
            {"name": "secret", "secret": {"secretName": name}},
        ],
    }
    template = {"metadata": {"labels": labels}, "spec": pod}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": labels, "ports": [{"port": port}]},
    }
    return [deployment, service]
