"""The machine's npm settings, for an npm that runs elsewhere: in an image's build, or a test's."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cluster_tool import toolchain
from tests.cluster_tool.commands import run
from tests.cluster_tool.images import pip_settings
from tests.cluster_tool.images.node_base import NPM_SETTINGS
from tests.cluster_tool.images.slim_root import CERTIFICATES

_COPIED = (
    "fetch-retries",
    "fetch-timeout",
    "https-proxy",
    "noproxy",
    "proxy",
    "registry",
    "strict-ssl",
)
"""Settings that mean the same elsewhere; so do the registries of scopes (`@scope:registry`)."""


def volumes(work: Path) -> list[str]:
    """Mounts that make npm inside reach what npm on the machine reaches.

    Mounted, not copied: nothing of it becomes a part of the image.

    Parameters
    ----------
    work
        Folder that lives as long as the build.
    """
    config = work / "npmrc"
    config.write_text(read(CERTIFICATES))
    mounts = [f"{config}:{NPM_SETTINGS}:ro"]
    bundle = pip_settings.certificates()
    if bundle.is_file():
        mounts.append(f"{bundle}:{CERTIFICATES}:ro")
    return mounts


def read(certificates: str) -> str:
    """An npmrc with the machine's settings.

    Parameters
    ----------
    certificates
        Path of the certificate authorities where the settings are used.
    """
    settings = json.loads(run([*_npm(), "config", "list", "--json"]))
    own = Path(settings.get("userconfig") or "~/.npmrc").expanduser()
    return render(settings, own.read_text() if own.is_file() else "", certificates)


def render(settings: Mapping[str, Any], own: str, certificates: str) -> str:
    """An npmrc from what npm tells and the user's own file.

    Parameters
    ----------
    settings
        What `npm config list --json` prints: everything but credentials.
    own
        Text of the user's npmrc, which has the credentials, each in a line that begins with the
        address it is for.
    certificates
        Path of the certificate authorities.
    """
    names = [name for name in settings if name in _COPIED or name.startswith("@")]
    lines = [f"{name}={_text(settings[name])}" for name in names if settings[name] is not None]
    lines += [line for line in own.splitlines() if line.startswith("//")]
    return "\n".join([f"cafile={certificates}", *lines]) + "\n"


def _text(value: Any) -> str:
    """A value as npmrc has it."""
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _npm() -> list[str | Path]:
    """The machine's npm, which knows all of its settings; else ours."""
    found = shutil.which("npm")
    if found:
        return [found]
    node = toolchain.ensure_node()
    return [node, toolchain.npm_program(node)]
