"""Ask a server over HTTP(S) whether it is ready, with the standard library only."""

import http.client
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.pki import KeyPair

_POLL_SECONDS = 0.1


def tls_context(ca: Path | None, client: KeyPair | None = None) -> ssl.SSLContext:
    """TLS settings for one cluster; without a CA the server's certificate is not checked."""
    context = ssl.create_default_context(cafile=str(ca) if ca else None)
    if ca is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if client:
        context.load_cert_chain(client.certificate, client.key)
    return context


def get(url: str, context: ssl.SSLContext | None = None, host: str = "") -> tuple[int, str]:
    """Status and body of one GET; (0, reason) if no answer came within 2 s."""
    parts = urlsplit(url)
    address, port = parts.hostname or "", parts.port
    if context is None:
        connection = http.client.HTTPConnection(address, port, timeout=2)
    else:
        connection = http.client.HTTPSConnection(address, port, timeout=2, context=context)
    try:
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request("GET", path, headers={"Host": host} if host else {})
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


def wait_until(
    what: str, ready: Callable[[], bool], *, seconds: float, explain: Callable[[], str]
) -> None:
    """Poll until `ready` is true.

    Parameters
    ----------
    what
        What is waited for, for the error's message.
    seconds
        How long to wait at most.
    explain
        Called when the time is over, or to end the wait early by raising: why it is not ready.

    Raises
    ------
    ClusterToolError
        It did not become ready in time.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise ClusterToolError(f"{what} was not ready after {seconds:.0f} s. {explain()}")
        time.sleep(_POLL_SECONDS)
