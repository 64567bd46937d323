"""How tests reach the API server of a cluster: as its administrator, by a client certificate."""

import base64
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import yaml
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.pki import KeyPair


class Reachable(Protocol):
    """An API server and its administrator; a `ControlPlane` is one."""

    @property
    def url(self) -> str:
        """Address of the API server."""

    @property
    def ca(self) -> Path:
        """Certificate that signed the API server's."""

    @property
    def admin(self) -> KeyPair:
        """Client certificate of the administrator."""


@dataclass(frozen=True)
class Reached:
    """What a kubeconfig says."""

    url: str
    ca: Path
    admin: KeyPair


def by_kubeconfig(kubeconfig: Path, folder: Path) -> Reached:
    """The cluster of a kubeconfig's only context; its keys are written to a folder.

    Raises
    ------
    ClusterToolError
        The kubeconfig has no client certificate inside.
    """
    content = yaml.safe_load(kubeconfig.read_text())
    cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
    try:
        ca = _write(folder / "ca.crt", cluster["certificate-authority-data"])
        certificate = _write(folder / "admin.crt", user["client-certificate-data"])
        key = _write(folder / "admin.key", user["client-key-data"])
    except KeyError as error:
        raise ClusterToolError(
            f"The kubeconfig has no {error}: these tests need the cluster's certificate and a"
            " client certificate in it."
        ) from error
    return Reached(cluster["server"], ca, KeyPair(certificate, key))


def tls_context(of: Reachable) -> ssl.SSLContext:
    """TLS settings of the administrator's connections."""
    context = ssl.create_default_context(cafile=str(of.ca))
    context.load_cert_chain(str(of.admin.certificate), str(of.admin.key))
    return context


def _write(path: Path, encoded: str) -> Path:
    path.touch(mode=0o600)
    path.write_bytes(base64.b64decode(encoded))
    return path
