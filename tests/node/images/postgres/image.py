"""PostgreSQL's server, made of Debian's packages like the Python base image.

In a world with a registry it would be `postgres:15`.
"""

import hashlib
import shutil
from pathlib import Path

from tests.cluster_tool import debian
from tests.cluster_tool.images import catalog, slim_root
from tests.cluster_tool.images.oci import ImageConfig
from tests.support.installation import REGISTRY

_SUITE = "bookworm"

_VERSION = 15
"""The only one that this release has."""

PACKAGES = (*slim_root.PACKAGES, f"postgresql-{_VERSION}")
"""What is asked for; what these depend on comes with them."""

_UNNEEDED = (
    # A compiler for statements, which the server's settings turn off, and what Debian's own
    # commands around PostgreSQL are written in.
    f"usr/lib/postgresql/{_VERSION}/lib/bitcode",
    "usr/lib/*-linux-gnu/libLLVM-*",
    "usr/lib/*-linux-gnu/libz3.so*",
    "usr/lib/*-linux-gnu/perl*",
    "usr/share/i18n",
    "usr/share/perl*",
)
"""Two thirds of the image's size."""

_START = Path(__file__).with_name("start.sh")

_BIN = f"/usr/lib/postgresql/{_VERSION}/bin"

REFERENCE = f"{REGISTRY}/postgres:{hashlib.sha256(_START.read_bytes()).hexdigest()[:12]}"
"""Name of the image; its tag tells one start from the next, in the cache and on the nodes."""


def _source() -> Path:
    return debian.unpacked(_SUITE, PACKAGES, with_dependencies=True)


def _fill(root: Path, source: Path) -> None:
    slim_root.fill(root, source)
    slim_root.remove(root, _UNNEEDED)
    for program in (root / _BIN.lstrip("/")).iterdir():
        (root / "usr/local/bin" / program.name).symlink_to(f"{_BIN}/{program.name}")
    shutil.copy2(_START, root / "start.sh")
    (root / "start.sh").chmod(0o755)


POSTGRES = catalog.Image(
    ImageConfig(REFERENCE, entrypoint=("/bin/sh", "/start.sh")), _source, _fill
)
"""The image."""
