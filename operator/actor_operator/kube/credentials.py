"""Where the API server is and how to identify ourselves: kubeconfig or the pod's own account.

The reading is left to the ``kubernetes`` package, so that whatever works with kubectl works here:
contexts, client certificates, token files, exec plugins. Importing it takes 0.6 s and 40 MB, so it
is imported when a connection is made and not before.
"""

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actor_operator.errors import ConfigurationError

if TYPE_CHECKING:
    from kubernetes.client.configuration import Configuration

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet puts a pod's token, CA and namespace."""

DEFAULT_KUBECONFIG = "~/.kube/config"
"""Where kubectl looks when ``KUBECONFIG`` is not set."""

TOKEN = "BearerToken"  # noqa: S105 -- the key of the kubernetes package, not a token
"""Under which the kubernetes package keeps the Authorization header."""


MALFORMED = (OSError, ValueError, TypeError, KeyError, AttributeError)
"""What the kubernetes package raises beside its own error for a file with surprising content."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Everything a client needs to know to talk to one API server.

    Parameters
    ----------
    url
        Scheme, host, port and perhaps a path, without a slash at the end.
    ssl
        How TLS is checked; ``False`` checks nothing (``insecure-skip-tls-verify``).
    namespace
        The namespace of the context, or of the pod.
    authorization
        The value of the Authorization header now, ``None`` without one. Reads the token file of a
        pod again once a minute, for the kubelet rotates it; raises ``OSError`` or
        ``ConfigurationError`` when it cannot.
    reload
        Reads everything anew (blocking: exec plugins are programs); for answers of 401.
    server_hostname
        Name to expect in the server's certificate, when it is not the host of the URL.
    proxy
        URL of an HTTP proxy.
    """

    url: str
    ssl: ssl.SSLContext | bool
    namespace: str
    authorization: Callable[[], str | None]
    reload: Callable[[], "Connection"]
    server_hostname: str | None = None
    proxy: str | None = None


def connect(kubeconfig: str | None = None, context: str | None = None) -> Connection:
    """Find the cluster as kubectl does.

    Parameters
    ----------
    kubeconfig
        Path of a kubeconfig, or several joined by the path separator. By default ``KUBECONFIG``;
        without it the pod's own account if there is one; else ``~/.kube/config``.
    context
        Context of the kubeconfig; by default its current one.

    Raises
    ------
    ConfigurationError
        With a sentence that says which file or context is missing or wrong.
    """
    chosen = kubeconfig or os.environ.get("KUBECONFIG")
    if chosen is None and context is None and os.environ.get("KUBERNETES_SERVICE_HOST"):
        return from_service_account()
    return from_kubeconfig(chosen or DEFAULT_KUBECONFIG, context)


def from_service_account(folder: Path = SERVICE_ACCOUNT) -> Connection:
    """The connection of a pod with its service account.

    Raises
    ------
    ConfigurationError
        When the folder lacks the token or the CA.
    """
    from kubernetes.client.configuration import Configuration
    from kubernetes.config import ConfigException
    from kubernetes.config.incluster_config import InClusterConfigLoader

    found = Configuration()
    loader = InClusterConfigLoader(
        token_filename=str(folder / "token"), cert_filename=str(folder / "ca.crt")
    )
    try:
        loader.load_and_set(found)
        namespace = (folder / "namespace").read_text().strip()
    except (ConfigException, OSError) as exc:
        raise ConfigurationError(f"The service account in {folder} is not usable: {exc}") from exc
    return Connection(
        url=found.host.rstrip("/"),
        ssl=_ssl_context(found),
        namespace=namespace,
        authorization=partial(_bearer, found),
        reload=partial(from_service_account, folder),
    )


def from_kubeconfig(path: str, context: str | None = None) -> Connection:
    """The connection that a kubeconfig describes.

    Parameters
    ----------
    path
        One file, or several joined by the path separator of the system.
    context
        Name of a context; by default the current one.

    Raises
    ------
    ConfigurationError
        When no file exists or can be read, or the context is unknown or incomplete.
    """
    import yaml
    from kubernetes.client.configuration import Configuration
    from kubernetes.config import ConfigException

    _require_readable(path)
    found = Configuration()
    try:
        chosen = _load(path, context, found)
        verified = _ssl_context(found)
    except (ConfigException, yaml.YAMLError, *MALFORMED) as exc:
        raise ConfigurationError(f"The kubeconfig {path} is not usable: {exc}") from exc
    header = found.api_key.get(TOKEN)
    return Connection(
        url=found.host.rstrip("/"),
        ssl=verified,
        namespace=chosen.get("namespace") or "default",
        authorization=lambda: header,
        reload=partial(from_kubeconfig, path, context),
        server_hostname=found.tls_server_name,
        proxy=found.proxy,
    )


def _bearer(configuration: "Configuration") -> str | None:
    from kubernetes.config import ConfigException

    try:
        header: str | None = configuration.get_api_key_with_prefix(TOKEN)
    except ConfigException as exc:
        raise ConfigurationError(str(exc)) from exc
    return header.strip() if header else None


def _require_readable(path: str) -> None:
    candidates = [Path(part).expanduser() for part in path.split(os.pathsep) if part]
    existing = [candidate for candidate in candidates if candidate.exists()]
    if not existing:
        nowhere = ", and no service account" if path == DEFAULT_KUBECONFIG else ""
        raise ConfigurationError(f"There is no kubeconfig at {path}{nowhere}.")
    for file in existing:
        if not os.access(file, os.R_OK):
            raise ConfigurationError(f"The kubeconfig {file} cannot be read.")


def _load(path: str, context: str | None, into: "Configuration") -> dict[str, Any]:
    """Fill the configuration and return the chosen context."""
    from kubernetes.config import ConfigException
    from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

    merged = KubeConfigMerger(path).config
    if merged is None:
        raise ConfigException("it is empty")
    names = [entry["name"] for entry in merged["contexts"].value]
    if context is not None and context not in names:
        known = ", ".join(sorted(names)) or "none"
        raise ConfigException(f"there is no context {context!r}; there are: {known}")
    # Without a base path the loader resolves relative paths against each file's own folder.
    loader = KubeConfigLoader(merged, active_context=context, config_base_path=None)
    loader.load_and_set(into)
    chosen: dict[str, Any] = loader.current_context["context"]
    _require_plugin_answer(merged, chosen.get("user"), into)
    return chosen


def _require_plugin_answer(merged: Any, user: str | None, loaded: "Configuration") -> None:
    """Refuse what the loader only logs: an exec plugin that failed, after which we are nobody."""
    from kubernetes.config import ConfigException

    entry = merged["users"].get_with_name(user, safe=True) if user else None
    if entry is None or "exec" not in (entry["user"].value or {}):
        return
    if TOKEN not in loaded.api_key and not loaded.cert_file:
        raise ConfigException(f"the exec plugin of user {user!r} gave no credentials")


def _ssl_context(found: "Configuration") -> ssl.SSLContext | bool:
    if not found.host.startswith("https"):
        return False
    verified = ssl.create_default_context(cafile=found.ssl_ca_cert)
    if not found.verify_ssl:
        verified.check_hostname = False
        verified.verify_mode = ssl.CERT_NONE
    if found.cert_file:
        verified.load_cert_chain(found.cert_file, found.key_file)
    return verified
