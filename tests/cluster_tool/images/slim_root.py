"""What the base images for actors have in common: Debian's files, busybox, users, certificates."""

import shutil
from pathlib import Path

from tests.cluster_tool.commands import run

PACKAGES = ("base-files", "busybox-static", "ca-certificates", "media-types", "tzdata")
"""Debian packages in each of them; their install scripts are not run."""

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian keeps the certificate authorities, on the machine and in the base images."""

_UNNEEDED = (
    "usr/share/bug",
    "usr/share/doc",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/zoneinfo/posix",
    "usr/share/zoneinfo/right",
)

_USERS = """\
root:x:0:0:root:/root:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/bin/false
"""


def fill(root: Path, source: Path) -> None:
    """Fill a root folder from the folder of unpacked Debian packages."""
    shutil.copytree(source, root, symlinks=True, dirs_exist_ok=True)
    remove(root, _UNNEEDED)
    _add_folders(root)
    _add_busybox(root)
    _add_settings(root)


def remove(root: Path, names: tuple[str, ...]) -> None:
    """Remove files and folders that nothing needs, by patterns of their names."""
    for name in names:
        for path in list(root.glob(name)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


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


def _add_settings(root: Path) -> None:
    """What the packages' install scripts would have made."""
    etc = root / "etc"
    (etc / "passwd").write_text(_USERS)
    (etc / "group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (etc / "nsswitch.conf").write_text("hosts: files dns\n")
    (etc / "ssl/certs").mkdir(parents=True, exist_ok=True)
    authorities = sorted((root / "usr/share/ca-certificates/mozilla").glob("*.crt"))
    bundle = "".join(path.read_text() for path in authorities)
    (root / CERTIFICATES.lstrip("/")).write_text(bundle)
