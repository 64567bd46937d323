"""A base image with Python 3.11 and pip, made of Debian's packages.

It stands in for `python:3.11-slim` where no image can be pulled: the same Python version, `pip`,
`venv` and certificates, with busybox instead of Debian's shell and tools.
"""

import shutil
import zipfile
from pathlib import Path

from tests.cluster_tool import debian
from tests.cluster_tool.commands import run
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
_REST = "base-files busybox-static ca-certificates media-types tzdata"

PACKAGES = tuple(f"{_LIBRARIES} {_PYTHON} {_REST}".split())
"""Debian packages in the image; their install scripts are not run."""

_UNNEEDED = (
    "usr/share/bug",
    "usr/share/doc",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/zoneinfo/posix",
    "usr/share/zoneinfo/right",
    "usr/lib/python3.11/EXTERNALLY-MANAGED",
    "usr/lib/python3.11/idlelib",
    "usr/lib/python3.11/lib2to3",
    "usr/lib/python3.11/pydoc_data",
)

_USERS = """\
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
"""


def _source() -> Path:
    return debian.unpacked(_SUITE, PACKAGES)


def _fill(root: Path, source: Path) -> None:
    shutil.copytree(source, root, symlinks=True, dirs_exist_ok=True)
    for name in _UNNEEDED:
        path = root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    _add_folders(root)
    _add_busybox(root)
    _add_settings(root)
    _add_pip(root)


def _add_folders(root: Path) -> None:
    for name in ("dev", "proc", "root", "run", "sys", "tmp", "var/tmp", "usr/local/bin"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).chmod(0o1777)


def _add_busybox(root: Path) -> None:
    """The usual commands, where the packages brought none."""
    for name in run([root / "bin/busybox", "--list"]).split():
        if not any((root / folder / name).exists() for folder in ("bin", "usr/bin")):
            (root / "bin" / name).symlink_to("busybox")
    for name in ("python3", "python"):
        (root / "usr/bin" / name).unlink(missing_ok=True)
        (root / "usr/bin" / name).symlink_to("python3.11")


def _add_settings(root: Path) -> None:
    """What the packages' install scripts would have made."""
    etc = root / "etc"
    (etc / "passwd").write_text(_USERS)
    (etc / "group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (etc / "nsswitch.conf").write_text("hosts: files dns\n")
    # The build of an image mounts the machine's settings over it.
    (etc / "pip.conf").write_text("")
    (etc / "ssl/certs").mkdir(parents=True, exist_ok=True)
    authorities = sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    bundle = "".join(path.read_text() for path in authorities)
    (etc / "ssl/certs/ca-certificates.crt").write_text(bundle)


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
