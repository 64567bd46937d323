"""How tests reach the cluster of a kubeconfig."""

import base64
from pathlib import Path

import pytest
import yaml
from tests.cluster_tool.errors import ClusterToolError
from tests.support.reach import by_kubeconfig


def kubeconfig(folder: Path, **user: str) -> Path:
    """A kubeconfig with one cluster and one user."""
    authority = base64.b64encode(b"authority").decode()
    cluster = {"server": "https://127.0.0.1:6443", "certificate-authority-data": authority}
    content = {"clusters": [{"cluster": cluster}], "users": [{"user": user}]}
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    return path


def test_its_keys_become_files_that_only_their_owner_reads(tmp_path: Path) -> None:
    certificate, key = (base64.b64encode(text).decode() for text in (b"certificate", b"key"))
    user = {"client-certificate-data": certificate, "client-key-data": key}

    reached = by_kubeconfig(kubeconfig(tmp_path, **user), tmp_path)

    assert reached.url == "https://127.0.0.1:6443"
    assert reached.ca.read_bytes() == b"authority"
    assert reached.admin.certificate.read_bytes() == b"certificate"
    assert reached.admin.key.read_bytes() == b"key"
    assert reached.admin.key.stat().st_mode & 0o777 == 0o600


def test_one_without_a_client_certificate_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ClusterToolError, match="client-certificate-data"):
        by_kubeconfig(kubeconfig(tmp_path, token="secret"), tmp_path)
