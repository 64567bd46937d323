"""The login: which API is used and with which token, kept in a file that only its owner reads."""

import contextlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

import msgspec

from actor_operator.cli.problems import CommandError

FILE = Path("actor-operator") / "login.json"
"""The file, in the folder of the user's settings."""

URL = re.compile(r"https?://[A-Za-z0-9.\-_\[\]:]{1,255}(/[A-Za-z0-9._~/-]*)?", re.ASCII)
"""Where an API may be: neither user, nor query, nor fragment."""


@dataclass(frozen=True, slots=True)
class Login:
    """An API and a token for it."""

    url: str
    """Address of the API, without ``/v2`` and without a slash at its end."""

    token: str
    """The token."""


def checked_url(text: str) -> str:
    """The address of an API, as it is kept: ``/v2`` may stand at its end and is left out.

    Raises
    ------
    ValueError
        When it is none.
    """
    url = text.strip().rstrip("/").removesuffix("/v2").rstrip("/")
    if URL.fullmatch(url) is None:
        raise ValueError(f"{text!r} is no address of an API, such as https://api.example.com")
    return url


def login_path() -> Path:
    """The file of the login."""
    chosen = os.environ.get("XDG_CONFIG_HOME", "")
    # A relative path there is not valid (XDG Base Directory Specification).
    folder = Path(chosen) if chosen.startswith("/") else Path.home() / ".config"
    return folder / FILE


def read_login() -> Login | None:
    """The login; None: there is none.

    Raises
    ------
    CommandError
        When the file is broken.
    """
    path = login_path()
    try:
        return msgspec.json.decode(path.read_bytes(), type=Login)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CommandError(
            f"The login in {path} cannot be read: {error}",
            "Log in again: actorctl login --url URL",
        ) from None


def write_login(login: Login) -> Path:
    """Keep a login, instead of the one before; returns the file.

    Raises
    ------
    CommandError
        When the file cannot be written.
    """
    path = login_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Such a file is its owner's alone (mode 0600) before anything is in it.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".login-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.encode(login))
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise CommandError(
            f"The login cannot be kept: {error}",
            "Set XDG_CONFIG_HOME to a folder of yours, or APIFY_API_BASE_URL and APIFY_TOKEN.",
        ) from None
    return path


def remove_login() -> bool:
    """Forget the login; whether there was one.

    Raises
    ------
    CommandError
        When the file cannot be removed.
    """
    try:
        login_path().unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise CommandError(f"The login cannot be removed: {error}") from None
    return True
