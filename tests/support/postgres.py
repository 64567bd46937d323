"""A PostgreSQL server of its own for tests, without a network and without anything left behind."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDERS = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/bin"))
"""Where distributions put the server's programs."""

USER = "nobody"
"""Who runs the server when the tests are run by root, which PostgreSQL refuses."""

WAIT_SECONDS = "60"
"""How long the server may take to start or stop."""


@contextlib.contextmanager
def postgres_server(*options: str) -> Iterator[str]:
    """Run a server, and give its URL without a database's name.

    Parameters
    ----------
    options
        Settings of the server, as ``name=value``.
    """
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed (apt-get install postgresql)")
    with tempfile.TemporaryDirectory(
        prefix="postgres-", dir="/tmp", ignore_cleanup_errors=True
    ) as temporary:
        folder = Path(temporary)
        _give_away(folder)
        data = folder / "data"
        _run(programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync")
        settings = ["listen_addresses=", f"unix_socket_directories={folder}", *options]
        words = " ".join(f"-c {setting}" for setting in settings)
        control = (programs / "pg_ctl", "-D", data, "-w", "-t", WAIT_SECONDS)
        _run(*control, "-l", folder / "log", "-o", words, "start")
        with _stopped_at_the_end(folder, *control, "-m", "immediate", "stop"):
            yield f"postgresql://postgres@/%s?host={folder}"


@contextlib.contextmanager
def _stopped_at_the_end(folder: Path, *stop: str | Path) -> Iterator[None]:
    """Stop the server at the end, also when this process is killed: then its pipe is closed."""
    waiting = subprocess.Popen(
        ["sh", "-c", 'read _; "$@"; rm -rf "$0"', str(folder), *map(str, stop)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=_user(),
        cwd="/",
        start_new_session=True,  # else Ctrl-C ends it before the server
    )
    try:
        yield
    finally:
        waiting.communicate()


def _user() -> str | None:
    return USER if os.getuid() == 0 else None


def _programs() -> Path | None:
    found = shutil.which("initdb")
    folders = [*FOLDERS, *([Path(found).parent] if found else [])]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def _give_away(folder: Path) -> None:
    """Let the server's user have the folder."""
    if os.getuid() == 0:
        shutil.chown(folder, USER)


def _run(*words: str | Path) -> None:
    subprocess.run(
        [str(word) for word in words],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # else the server keeps our pipe open
        stderr=subprocess.DEVNULL,
        user=_user(),
        cwd="/",
    )
