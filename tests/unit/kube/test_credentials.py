"""Kubeconfigs and service accounts become connections."""

import base64
import datetime as dt
import ssl
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typing_extensions import override

from actor_operator.errors import ConfigurationError
from actor_operator.kube.credentials import connect, from_service_account


def a_certificate() -> tuple[bytes, bytes]:
    """A self-signed certificate and its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(tz=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )


CERTIFICATE, KEY = a_certificate()


class Home:
    """A folder with a kubeconfig."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "config"
        self.user: dict[str, Any] = {"token": "secret-1"}
        self.cluster: dict[str, Any] = {"server": "https://127.0.0.1:6443/"}
        self.context: dict[str, Any] = {"cluster": "c", "user": "u", "namespace": "team-a"}

    def write(self, **fields: Any) -> str:
        """Write it; returns its path."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "dev",
            "contexts": [
                {"name": "dev", "context": self.context},
                {"name": "plain", "context": {"cluster": "c", "user": "u"}},
            ],
            "clusters": [{"name": "c", "cluster": self.cluster}],
            "users": [{"name": "u", "user": self.user}],
        }
        self.path.write_text(yaml.safe_dump(config | fields))
        return str(self.path)

    def file(self, name: str, content: bytes) -> str:
        """Write another file beside it; returns its name."""
        (self.folder / name).write_bytes(content)
        return name


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return Home(tmp_path)


def test_the_current_context_says_server_namespace_and_token(home: Home) -> None:
    connection = connect(home.write())
    assert connection.url == "https://127.0.0.1:6443"
    assert connection.namespace == "team-a"
    assert connection.authorization() == "Bearer secret-1"
    assert isinstance(connection.ssl, ssl.SSLContext)
    assert connection.ssl.verify_mode is ssl.CERT_REQUIRED
    assert connection.proxy is None


def test_another_context_can_be_chosen_also_without_a_current_one(home: Home) -> None:
    path = home.write(**{"current-context": ""})
    assert connect(path, context="plain").namespace == "default"


def test_the_environment_names_the_kubeconfig(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", home.write())
    assert connect().namespace == "team-a"


def test_without_any_wish_it_is_the_one_in_the_home_folder(home: Home) -> None:
    (home.folder / ".kube").mkdir()
    home.path = home.folder / ".kube" / "config"
    home.write()
    assert connect().namespace == "team-a"


def test_certificates_are_files_beside_the_kubeconfig(home: Home) -> None:
    home.user = {
        "client-certificate": home.file("client.crt", CERTIFICATE),
        "client-key": home.file("client.key", KEY),
    }
    home.cluster["certificate-authority"] = home.file("ca.crt", CERTIFICATE)
    connection = connect(home.write())
    assert connection.authorization() is None
    assert isinstance(connection.ssl, ssl.SSLContext)
    assert len(connection.ssl.get_ca_certs()) == 1


def test_certificates_can_be_inside_the_kubeconfig(home: Home) -> None:
    home.user = {
        "client-certificate-data": base64.b64encode(CERTIFICATE).decode(),
        "client-key-data": base64.b64encode(KEY).decode(),
    }
    home.cluster["certificate-authority-data"] = base64.b64encode(CERTIFICATE).decode()
    home.cluster["tls-server-name"] = "kubernetes.default"
    home.cluster["proxy-url"] = "http://127.0.0.1:3128"
    connection = connect(home.write())
    assert connection.server_hostname == "kubernetes.default"
    assert connection.proxy == "http://127.0.0.1:3128"


def test_checking_of_certificates_can_be_switched_off(home: Home) -> None:
    home.cluster["insecure-skip-tls-verify"] = True
    connection = connect(home.write())
    assert isinstance(connection.ssl, ssl.SSLContext)
    assert connection.ssl.verify_mode is ssl.CERT_NONE
    assert not connection.ssl.check_hostname


def test_a_server_without_tls_needs_no_certificates(home: Home) -> None:
    home.cluster["server"] = "http://127.0.0.1:8001"
    assert connect(home.write()).ssl is False


def test_a_token_file_is_read_anew_on_reload(home: Home) -> None:
    home.user = {"tokenFile": home.file("token", b"first")}
    connection = connect(home.write())
    assert connection.authorization() == "Bearer first"
    home.file("token", b"second")
    assert connection.reload().authorization() == "Bearer second"


def test_an_exec_plugin_gives_the_token_and_is_run_again_on_reload(home: Home) -> None:
    counter = home.folder / "count"
    home.user = {"exec": plugin(home, f'echo x >> {counter}; token="t$(wc -l < {counter})"')}
    connection = connect(home.write())
    assert connection.authorization() == "Bearer t1"
    assert connection.reload().authorization() == "Bearer t2"


def test_an_exec_plugin_that_fails_is_an_error_and_not_nobody(home: Home) -> None:
    home.user = {"exec": plugin(home, "exit 3")}
    with pytest.raises(ConfigurationError, match="exec plugin of user 'u' gave no credentials"):
        connect(home.write())


def plugin(home: Home, script: str) -> dict[str, Any]:
    """An exec plugin."""
    version = "client.authentication.k8s.io/v1"
    program = home.folder / "plugin"
    answer = (
        f'{{"apiVersion":"{version}","kind":"ExecCredential","status":{{"token":"\'$token\'"}}}}'
    )
    program.write_text(f"#!/bin/sh\n{script}\necho '{answer}'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"apiVersion": version, "command": str(program), "interactiveMode": "Never"}


@pytest.mark.parametrize(
    ("fields", "context", "sentence"),
    [
        ({}, "prod", "there is no context 'prod'; there are: dev, plain"),
        ({"clusters": []}, None, "clusters"),
        ({"current-context": "gone"}, None, "gone"),
        ({"contexts": []}, "dev", "there is no context 'dev'; there are: none"),
    ],
)
def test_an_incomplete_kubeconfig_is_refused_with_what_is_missing(
    home: Home, fields: dict[str, Any], context: str | None, sentence: str
) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        connect(home.write(**fields), context)


def test_a_kubeconfig_that_is_not_there_is_named(home: Home) -> None:
    with pytest.raises(ConfigurationError, match=r"no kubeconfig at .*/nowhere\.$"):
        connect(str(home.folder / "nowhere"))
    with pytest.raises(ConfigurationError, match=r"no kubeconfig at ~/.kube/config, and no serv"):
        connect()


@pytest.mark.parametrize("content", ["", "[1, 2]", "a: [", "contexts: 5\nclusters: 1\nusers: 2"])
def test_a_file_that_is_no_kubeconfig_is_refused(home: Home, content: str) -> None:
    home.path.write_text(content)
    with pytest.raises(ConfigurationError, match="is not usable"):
        connect(str(home.path))


def test_a_certificate_that_is_missing_is_named(home: Home) -> None:
    home.cluster["certificate-authority"] = "gone.crt"
    with pytest.raises(ConfigurationError, match=r"gone\.crt"):
        connect(home.write())


@pytest.fixture
def pod(home: Home, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the kubelet gives to a pod."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    home.file("token", b"token-1\n")
    home.file("ca.crt", CERTIFICATE)
    home.file("namespace", b"actor-operator-system")
    return home.folder


def test_a_pod_uses_its_service_account(pod: Path) -> None:
    connection = from_service_account(pod)
    assert connection.url == "https://10.96.0.1:443"
    assert connection.namespace == "actor-operator-system"
    assert connection.authorization() == "bearer token-1"
    assert isinstance(connection.ssl, ssl.SSLContext)
    assert len(connection.ssl.get_ca_certs()) == 1


def test_a_rotated_token_is_seen_within_a_minute_and_at_once_on_reload(
    pod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = from_service_account(pod)
    (pod / "token").write_text("token-2")
    assert connection.authorization() == "bearer token-1"
    assert connection.reload().authorization() == "bearer token-2"
    later = dt.datetime.now() + dt.timedelta(seconds=61)  # noqa: DTZ005 -- as the library

    class Later(dt.datetime):
        @classmethod
        @override
        def now(cls, tz: dt.tzinfo | None = None) -> "Later":
            return cls.fromtimestamp(later.timestamp())

    monkeypatch.setattr("kubernetes.config.incluster_config.datetime.datetime", Later)
    assert connection.authorization() == "bearer token-2"


@pytest.mark.parametrize("missing", ["token", "ca.crt", "namespace"])
def test_an_incomplete_service_account_is_refused(pod: Path, missing: str) -> None:
    (pod / missing).unlink()
    with pytest.raises(ConfigurationError, match="service account"):
        from_service_account(pod)


def test_in_a_pod_a_kubeconfig_is_used_only_when_asked_for(
    home: Home, pod: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_pod = from_service_account(pod)
    monkeypatch.setattr("actor_operator.kube.credentials.from_service_account", lambda: in_pod)
    assert connect() is in_pod
    assert connect(home.write()).namespace == "team-a"
