"""Kubeconfig files with the keys inside, so that they can be copied."""

import base64
from pathlib import Path

import yaml
from tests.cluster_tool.pki import KeyPair


def write(path: Path, *, server: str, ca: Path, client: KeyPair, name: str) -> Path:
    """Write a kubeconfig of one cluster, one user and one context, readable by its owner only."""
    cluster = {"server": server, "certificate-authority-data": _encoded(ca)}
    user = {
        "client-certificate-data": _encoded(client.certificate),
        "client-key-data": _encoded(client.key),
    }
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
