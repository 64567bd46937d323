"""The JavaScript client from npm, unmodified, called by tests in a process of its own."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.cluster_tool import toolchain
from tests.cluster_tool.cache import made_once
from tests.cluster_tool.commands import run
from tests.cluster_tool.images import npm_settings, pip_settings
from tests.cluster_tool.paths import cache_dir

SOURCE = Path(__file__).parent
"""Folder with the driver, and with what it needs."""

FILES = ("package.json", "package-lock.json", "driver.mjs")
"""What is installed together."""


class NodeClientError(Exception):
    """The client threw an error.

    Attributes
    ----------
    name
        Class of the error, such as ``ApifyApiError``.
    type
        ``error.type`` of the server's answer, or None.
    status
        HTTP status of the answer, or None when there was none.
    """

    def __init__(self, thrown: dict[str, Any]) -> None:
        super().__init__(f"{thrown.get('name')}: {thrown.get('message')}")
        self.name: str | None = thrown.get("name")
        self.type: str | None = thrown.get("type")
        self.status: int | None = thrown.get("statusCode")


@dataclass(frozen=True)
class NodeClient:
    """A client of one API server with one token."""

    base_url: str
    token: str

    def __call__(self, *chain: tuple[Any, ...], seconds: float = 120) -> Any:
        """Call methods, one of what the last returned; returns the answer of the last one.

        Parameters
        ----------
        chain
            Each a method's name and its arguments: ``("run", "abc"), ("abort", {"gracefully":
            True})``. Bytes may be among the arguments.
        seconds
            When the process is given up.

        Raises
        ------
        NodeClientError
            The client threw an error.
        subprocess.TimeoutExpired
            It did not come back.
        """
        with self.start(*chain) as process:
            try:
                out, _ = process.communicate(timeout=seconds)
            finally:
                process.kill()
        return result(out)

    def start(self, *chain: tuple[Any, ...]) -> subprocess.Popen[str]:
        """Begin a chain of calls, to do something else meanwhile; `result` reads its output."""
        command = {"baseUrl": self.base_url, "token": self.token, "chain": chain}
        with tempfile.TemporaryFile("w+") as stdin:
            json.dump(command, stdin, default=_bytes)
            stdin.seek(0)
            return subprocess.Popen(
                [toolchain.ensure_node(), installed() / "driver.mjs"],
                stdin=stdin,
                stdout=subprocess.PIPE,
                text=True,
            )


def result(output: str) -> Any:
    """The answer in a driver's output.

    Raises
    ------
    NodeClientError
        The client threw an error.
    """
    answer = json.loads(output, object_hook=_unpacked)
    if "error" in answer:
        raise NodeClientError(answer["error"])
    return answer["result"]


def installed() -> Path:
    """Folder with the driver and the client, installed now if the cache does not have it."""
    digest = hashlib.sha256()
    for name in FILES:
        digest.update((SOURCE / name).read_bytes())
    path = cache_dir() / "node" / f"clients-{digest.hexdigest()[:16]}"
    return made_once(path, partial(npm_ci, SOURCE, FILES))


def npm_ci(source: Path, files: tuple[str, ...], folder: Path) -> None:
    """Copy files, among them a lock file, and install exactly what that says.

    The settings are the machine's: its registry, its proxy, its certificates.

    Raises
    ------
    CommandError
        npm failed.
    """
    folder.mkdir()
    for name in files:
        shutil.copy2(source / name, folder / name)
    node = toolchain.ensure_node()
    with tempfile.TemporaryDirectory() as work:
        settings = Path(work) / "npmrc"
        settings.write_text(npm_settings.read(str(pip_settings.certificates())))
        argv = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        argv += [f"--userconfig={settings}", f"--cache={work}/cache"]
        run(
            [node, toolchain.npm_program(node), *argv],
            cwd=folder,
            env={"PATH": f"{node.parent}:{os.environ.get('PATH', '')}"},
            advice="npm's registry must be reachable; `npm config get registry` shows it.",
        )


def _bytes(value: object) -> dict[str, str]:
    """Bytes as the driver takes them."""
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} has no form in JSON.")


def _unpacked(value: dict[str, Any]) -> Any:
    """Bytes as the driver prints them."""
    return base64.b64decode(value["$bytes"]) if set(value) == {"$bytes"} else value
