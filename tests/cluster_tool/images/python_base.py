"""A base image with Python 3.11 and pip, made of Debian's packages.

It stands in for `python:3.11-slim` where no image can be pulled: the same Python version, `pip`,
`venv` and certificates, with busybox instead of Debian's shell and tools.
"""

import zipfile
from pathlib import Path

from tests.cluster_tool import debian
from tests.cluster_tool.images import slim_root
from tests.cluster_tool.images.catalog import Image
from tests.cluster_tool.images.oci import ImageConfig

REFERENCE = "localhost/actor-operator/python-base:3.11"
"""Name of the image."""

_SUITE = "bookworm"
"""The Debian release whose Python is 3.11."""

_LIBRARIES = (
    "libbz2-1.0 libc6 libcom-err2 libcrypt1 libdb5.3 libexpat1 libffi8 libgcc-s1 libgssapi-krb5-2 "
    "libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 liblzma5 libncursesw6 libnsl2 "
    "libreadline8 libsqlite3-0 libssl3 libstdc++6 libtinfo6 libtirpc3 libuuid1 zlib1g"
)
_PYTHON = (
    "libpython3.11-minimal libpython3.11-stdlib python3.11 python3.11-minimal python3.11-venv "
    "python3-pip-whl python3-setuptools-whl"
)
PACKAGES = (*_LIBRARIES.split(), *_PYTHON.split(), *slim_root.PACKAGES)
"""Debian packages in the image; their install scripts are not run."""

_UNNEEDED = (
    "usr/lib/python3.11/EXTERNALLY-MANAGED",
    "usr/lib/python3.11/idlelib",
    "usr/lib/python3.11/lib2to3",
    "usr/lib/python3.11/pydoc_data",
)


def _source() -> Path:
    return debian.unpacked(_SUITE, PACKAGES)


def _fill(root: Path, source: Path) -> None:
    slim_root.fill(root, source)
    slim_root.remove(root, _UNNEEDED)
    for name in ("python3", "python"):
        (root / "usr/bin" / name).unlink(missing_ok=True)
        (root / "usr/bin" / name).symlink_to("python3.11")
    # The build of an image mounts the machine's settings over it.
    (root / "etc/pip.conf").write_text("")
    _add_pip(root)


def _add_pip(root: Path) -> None:
    """pip, unpacked from the wheel that Debian ships for `venv`."""
    wheel = next((root / "usr/share/python-wheels").glob("pip-*.whl"))
    packages = root / "usr/local/lib/python3.11/dist-packages"
    packages.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    script = root / "usr/local/bin/pip"
    script.write_text('#!/bin/sh\nexec python3.11 -m pip "$@"\n')
    script.chmod(0o755)
    (root / "usr/local/bin/pip3").symlink_to("pip")


PYTHON_BASE = Image(
    ImageConfig(REFERENCE, command=("python3",), environment=("LANG=C.UTF-8",)), _source, _fill
)
"""The image."""
