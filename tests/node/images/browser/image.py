"""An image with a headless browser, made of Debian's packages like the Python base image.

In a world with a registry it would be this Dockerfile:

    FROM python:3.11-slim
    RUN apt-get update && apt-get install -y --no-install-recommends chromium-headless-shell
    COPY main.py /main.py
    ENTRYPOINT ["python3", "/main.py"]
"""

import hashlib
import shutil
from pathlib import Path

from tests.cluster_tool import debian
from tests.cluster_tool.images import catalog, python_base, slim_root
from tests.cluster_tool.images.oci import ImageConfig
from tests.support.installation import REGISTRY

_SUITE = "bookworm"
"""The release of the Python base image."""

PACKAGES = (*python_base.PACKAGES, "chromium-headless-shell", "fonts-dejavu-core")
"""What is asked for; what these depend on comes with them."""

_UNNEEDED = (
    # Drivers of graphics cards, and a compiler for them: packages of X bring them, nothing
    # that runs here loads them.
    "usr/lib/*-linux-gnu/dri",
    "usr/lib/*-linux-gnu/libLLVM-*",
    "usr/lib/*-linux-gnu/libz3.so*",
    "usr/lib/chromium/libVk*",
    "usr/share/X11/locale",
)
"""A third of the image's size."""

_MAIN = Path(__file__).with_name("main.py")

REFERENCE = f"{REGISTRY}/browser:{hashlib.sha256(_MAIN.read_bytes()).hexdigest()[:12]}"
"""Name of the image; its tag tells one program from the next, in the cache and on the nodes."""


def _source() -> Path:
    return debian.unpacked(_SUITE, PACKAGES, with_dependencies=True)


def _fill(root: Path, source: Path) -> None:
    python_base.PYTHON_BASE.fill(root, source)
    slim_root.remove(root, _UNNEEDED)
    shutil.copy2(_MAIN, root / "main.py")


BROWSER = catalog.Image(
    ImageConfig(REFERENCE, entrypoint=("python3", "/main.py"), environment=("LANG=C.UTF-8",)),
    _source,
    _fill,
)
"""The image."""
