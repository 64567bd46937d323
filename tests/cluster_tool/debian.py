"""Debian packages: installed where the machine lacks them, or unpacked into the cache."""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.cluster_tool import interrupts
from tests.cluster_tool.cache import locked, made_once
from tests.cluster_tool.commands import run
from tests.cluster_tool.errors import MissingError
from tests.cluster_tool.paths import cache_dir

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""Keys that Debian signs its archive with."""

_ARCHIVE_URI = re.compile(
    r"(?:^URIs:\s*|^deb\s+(?:\[[^]]*\]\s*)?)(\S+/debian/?)(?=\s|$)", re.MULTILINE
)


def install_missing(packages: dict[str, str]) -> list[str]:
    """Install the packages whose program is not on PATH.

    Parameters
    ----------
    packages
        Debian package of each program, by the program's name or absolute path.

    Returns
    -------
    list of str
        The packages that were installed.
    """
    search = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = sorted({p for tool, p in packages.items() if not shutil.which(tool, path=search)})
    if missing:
        apt = _apt_get()
        environment = {"DEBIAN_FRONTEND": "noninteractive"}
        advice = f"Install these yourself: {' '.join(missing)}."
        install = [apt, "-qq", "install", "-y", "--no-install-recommends", *missing]
        # A package manager that is killed leaves the machine half set up.
        with interrupts.deferred():
            run([apt, "-qq", "update"], env=environment, advice=advice)
            run(install, env=environment, advice=advice, must_finish=True)
    return missing


def unpacked(suite: str, packages: Sequence[str], *, with_dependencies: bool = False) -> Path:
    """Folder with the files of packages of one Debian suite, without installing them.

    The folder is kept in the cache: delete the cache to get newer packages.

    Parameters
    ----------
    with_dependencies
        Also with all that the packages depend on.
    """

    def unpack(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="archives-") as archives:
            found = download(suite, packages, Path(archives), with_dependencies=with_dependencies)
            for archive in found:
                run(["dpkg-deb", "-x", archive, folder])

    extent = "-all" if with_dependencies else ""
    return made_once(cache_dir() / "debian" / f"{suite}-{_key(packages)}{extent}", unpack)


def download(
    suite: str, packages: Sequence[str], folder: Path, *, with_dependencies: bool = False
) -> list[Path]:
    """Download packages of a Debian suite, with apt's state in the cache, not the system's.

    Raises
    ------
    CommandError
        The archive cannot be reached or has no such package.
    MissingError
        This is not a Debian machine.
    """
    with locked(cache_dir() / "apt" / suite):
        options = _private_apt(suite)
        wanted = _closure(options, packages) if with_dependencies else packages
        run([_apt_get(), *options, "-qq", "download", *wanted], cwd=folder)
    return sorted(folder.glob("*.deb"))


def _closure(options: Sequence[str], packages: Sequence[str]) -> list[str]:
    """Packages and all that they depend on: what a machine without any would have to install."""
    empty_machine = "-oDir::State::status=/dev/null"
    install = ["--simulate", "--no-install-recommends", "install", *packages]
    plan = run([_apt_get(), *options, empty_machine, *install])
    return [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]


def _private_apt(suite: str) -> list[str]:
    """Options that make apt work on lists of its own, downloaded now."""
    state = cache_dir() / "apt" / suite
    for sub in ("lists/partial", "cache/archives/partial"):
        (state / sub).mkdir(parents=True, exist_ok=True)
    source = f"deb [signed-by={KEYRING}] {archive_address()} {suite} main\n"
    (state / "sources.list").write_text(source)
    options = [
        f"-oDir::Etc::sourcelist={state}/sources.list",
        "-oDir::Etc::sourceparts=/dev/null",
        f"-oDir::State::lists={state}/lists",
        f"-oDir::Cache={state}/cache",
        "-oAPT::Sandbox::User=root",
    ]
    run([_apt_get(), *options, "-qq", "update"], advice="Debian's archive must be reachable.")
    return options


def archive_address() -> str:
    """Address of the Debian archive that this machine is set up with.

    Raises
    ------
    MissingError
        No source of Debian's main archive is set up.
    """
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for path in files:
        if path.is_file() and (found := find_archive(path.read_text())):
            return found
    raise MissingError(
        "The local cluster takes etcd and containerd from Debian's archive, and apt on this "
        "machine has no source of it. Use Debian 12 or newer, or CLUSTER=kind, or "
        "CLUSTER=existing with your own KUBECONFIG."
    )


def find_archive(sources: str) -> str | None:
    """Address of Debian's main archive in a file of apt's sources, of the old or new format."""
    match = _ARCHIVE_URI.search(sources)
    return match.group(1) if match else None


def _apt_get() -> str:
    found = shutil.which("apt-get")
    if not found or not KEYRING.is_file():
        raise MissingError(
            "The local cluster needs Debian (apt-get and its archive's keys). Use CLUSTER=kind "
            "with a Docker engine, or CLUSTER=existing with your own KUBECONFIG."
        )
    return found


def _key(packages: Sequence[str]) -> str:
    return hashlib.sha256(" ".join(sorted(packages)).encode()).hexdigest()[:12]
