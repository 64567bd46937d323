"""The machine's pip settings, for a pip that runs inside an image's build."""

import ast
import os
import sys
from pathlib import Path

from tests.cluster_tool.commands import run
from tests.cluster_tool.images.slim_root import CERTIFICATES

_COPIED = (
    "extra-index-url",
    "index-url",
    "proxy",
    "retries",
    "timeout",
    "default-timeout",
    "trusted-host",
)
"""Settings that mean the same inside; others name paths of the machine."""


def volumes(work: Path) -> list[str]:
    """Mounts that make pip inside reach what pip on the machine reaches.

    Mounted, not copied: nothing of it becomes a part of the image.

    Parameters
    ----------
    work
        Folder that lives as long as the build.
    """
    settings = _machine()
    config = work / "pip.conf"
    config.write_text(render(settings))
    mounts = [f"{config}:/etc/pip.conf:ro"]
    bundle = certificates()
    if bundle.is_file():
        mounts.append(f"{bundle}:{CERTIFICATES}:ro")
    return mounts


def certificates() -> Path:
    """File of the certificate authorities that the machine's pip trusts."""
    return Path(_machine().get("cert") or os.environ.get("SSL_CERT_FILE") or CERTIFICATES)


def _machine() -> dict[str, str]:
    return parse(run([sys.executable, "-m", "pip", "config", "list"]))


def parse(listing: str) -> dict[str, str]:
    """Settings by name, from the output of `pip config list`; the environment wins."""
    settings: dict[str, str] = {}
    for line in sorted(listing.splitlines(), key=lambda line: line.startswith(":env:")):
        name, separator, value = line.partition("=")
        if separator:
            settings[name.rpartition(".")[2]] = str(ast.literal_eval(value))
    return settings


def render(settings: dict[str, str]) -> str:
    """A pip.conf with those settings that mean the same inside an image's build."""
    lines = ["[global]", f"cert = {CERTIFICATES}"]
    for name in _COPIED:
        if name in settings:
            key = name.removeprefix("default-")
            # A value of several lines stays one value when its lines are indented.
            value = "\n    ".join(settings[name].split())
            lines.append(f"{key} = {value}")
    return "\n".join(lines) + "\n"
