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
    with tempfile.TemporaryDirectory(prefix="postgres-", dir="/tmp") as temporary:
        folder = Path(temporary)
        _give_away(folder)
        data = folder / "data"
        _run(programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--no-sync")
        settings = ["listen_addresses=", f"unix_socket_directories={folder}", *options]
        words = " ".join(f"-c {setting}" for setting in settings)
        control = (programs / "pg_ctl", "-D", data, "-w", "-t", WAIT_SECONDS)
        _run(*control, "-l", folder / "log", "-o", words, "start")
        try:
            yield f"postgresql://postgres@/%s?host={folder}"
        finally:
            _run(*control, "-m", "immediate", "stop")


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
        user=USER if os.getuid() == 0 else None,
        cwd="/",
    )
