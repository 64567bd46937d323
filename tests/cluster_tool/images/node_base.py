"""A base image with Node.js 24 and npm, made of Debian's packages and Node's Python package.

It stands in for `node:24-slim` where no image can be pulled: Node and npm lie at the same paths,
with busybox instead of Debian's shell and tools. Debian's own Node is too old for the SDK.
"""

import shutil
from pathlib import Path

from tests.cluster_tool import debian, toolchain
from tests.cluster_tool.cache import made_once
from tests.cluster_tool.images import slim_root
from tests.cluster_tool.images.catalog import Image
from tests.cluster_tool.images.oci import ImageConfig
from tests.cluster_tool.paths import cache_dir

REFERENCE = "localhost/actor-operator/node-base:24"
"""Name of the image."""

NPM_SETTINGS = "/usr/local/etc/npmrc"
"""Where npm in the image has its global settings; the build of an image mounts the machine's."""

_SUITE = "bookworm"
"""The Debian release that `node:24-slim` is made of."""

PACKAGES = ("libatomic1", "libc6", "libgcc-s1", "libstdc++6", *slim_root.PACKAGES)
"""Debian packages in the image."""


def _source() -> Path:
    """A folder with a link to each of the two things that the image is made of."""
    packages, node = debian.unpacked(_SUITE, PACKAGES), toolchain.ensure_node().parents[1]

    def link(folder: Path) -> None:
        folder.mkdir()
        (folder / "debian").symlink_to(packages)
        (folder / "node").symlink_to(node)

    versions = f"{packages.name}-{node.parent.name}"
    return made_once(cache_dir() / "images" / f"node-base-source-{versions}", link)


def _fill(root: Path, source: Path) -> None:
    slim_root.fill(root, source / "debian")
    # npm's first line asks for this path.
    (root / "usr/bin/env").symlink_to("/bin/busybox")
    local = root / "usr/local"
    shutil.copy2(source / "node/bin/node", local / "bin/node")
    modules = local / "lib/node_modules"
    shutil.copytree(source / "node/lib/node_modules/npm", modules / "npm", symlinks=True)
    for name in ("npm", "npx"):
        program = modules / f"npm/bin/{name}-cli.js"
        program.chmod(0o755)
        (local / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{program.name}")
    settings = root / NPM_SETTINGS.lstrip("/")
    settings.parent.mkdir()
    settings.write_text("")


NODE_BASE = Image(
    ImageConfig(REFERENCE, command=("node",), environment=("LANG=C.UTF-8",)), _source, _fill
)
"""The image."""
