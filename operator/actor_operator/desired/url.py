"""The URL of a run's web server."""

from urllib.parse import urlsplit

from actor_operator.desired.keyring import Keyring
from actor_operator.desired.names import web_label
from actor_operator.settings_web import WebServerSettings


def container_url(key: bytes, uid: str, web: WebServerSettings) -> str:
    """``<scheme>://<label>.<domain>[:port]/``: 130 bits that nobody guesses, and no user's text."""
    port = f":{web.port}" if web.port is not None else ""
    return f"{web.scheme}://{web_label(key, uid)}.{web.domain}{port}/"


def is_url_of(url: str, uid: str, keyring: Keyring, web: WebServerSettings) -> bool:
    """Whether we have made a URL for a run, with any key that we know.

    What stands on a pod was written by us, but can be changed by whoever may change pods.
    """
    return any(url == container_url(key, uid, web) for key in keyring.keys.values())


def host_of(url: str) -> str:
    """The host of a URL."""
    return urlsplit(url).hostname or ""
