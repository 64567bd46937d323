"""Build images from Dockerfiles with buildah, without a registry and without an engine."""

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.cluster_tool import debian
from tests.cluster_tool.cache import made_once
from tests.cluster_tool.commands import run
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.images import catalog, node_base, npm_settings, pip_settings, python_base
from tests.cluster_tool.paths import cache_dir
from tests.cluster_tool.progress import step

BASES = (python_base.PYTHON_BASE, catalog.BUSYBOX_IMAGE)
"""Images that every Dockerfile can start from."""

_NODE_ARGUMENT = "NODE_IMAGE"
"""A Dockerfile that declares this build argument gets the base image with Node.js for it."""

_OWN_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--")
"""So that no mount and no process is left when a build is killed."""


@dataclass(frozen=True)
class Build:
    """What one image is built from."""

    reference: str
    """Full name with tag; without a registry's name, `localhost/` is put before it."""
    dockerfile: Path
    context: Path
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Build arguments; unless given, BASE_IMAGE is the Python base image and NODE_IMAGE that with
    Node.js."""

    @property
    def full_reference(self) -> str:
        """Name under which nodes know the image."""
        first, slash, _ = self.reference.partition("/")
        has_registry = bool(slash) and (first == "localhost" or "." in first or ":" in first)
        name = self.reference if has_registry else f"localhost/{self.reference}"
        return name if ":" in name.rpartition("/")[2] else f"{name}:latest"

    @property
    def needs_node(self) -> bool:
        """Whether the Dockerfile asks for the base image with Node.js, which is fetched for it."""
        declared = f"ARG {_NODE_ARGUMENT}"
        return any(line.startswith(declared) for line in self.dockerfile.read_text().splitlines())

    @property
    def bases(self) -> tuple[catalog.Image, ...]:
        """Images that the Dockerfile can start from."""
        return (*BASES, node_base.NODE_BASE) if self.needs_node else BASES


def build(wanted: Build) -> Path:
    """OCI archive of an image, built now unless the cache has one of the same content.

    Raises
    ------
    ClusterToolError
        There is no such Dockerfile.
    CommandError
        A step of the Dockerfile failed, or buildah cannot be had.
    """
    if not wanted.dockerfile.is_file():
        raise ClusterToolError(f"There is no Dockerfile {wanted.dockerfile}: name it by --file.")
    reference = wanted.full_reference
    file_name = reference.rpartition("/")[2].replace(":", "-")
    archive = cache_dir() / "built" / f"{file_name}-{cache_key(wanted)}.tar"
    return made_once(archive, partial(_build, wanted))


def _build(wanted: Build, archive: Path) -> None:
    """Build an image and write its archive."""
    debian.install_missing({"buildah": "buildah"})
    with tempfile.TemporaryDirectory(prefix="work-", dir=archive.parent) as work:
        buildah = _Buildah(Path(work))
        with step("Loading base images into the builder"):
            for base in wanted.bases:
                buildah.load(base.config.reference, catalog.archive(base))
        with step(f"Building {wanted.full_reference}"):
            buildah.build(wanted)
            buildah.save(wanted.full_reference, archive)


class _Buildah:
    """buildah with its storage in the cache, and its mounts in namespaces of each call."""

    def __init__(self, work: Path) -> None:
        self._work = work
        storage = cache_dir() / "buildah"
        self._argv = ["buildah", "--root", str(storage), "--runroot", str(work / "run")]
        self._argv += ["--storage-driver", "overlay"]

    def load(self, reference: str, archive: Path) -> None:
        """Make an archive known under its name, unless this very archive is."""
        stamp = f"localhost/actor-operator/loaded:{archive.stem}"
        if subprocess.run(
            [*self._argv, "inspect", "--type", "image", stamp], capture_output=True, check=False
        ).returncode:
            image = self._run("pull", "--quiet", f"oci-archive:{archive}").split()[-1]
            self._run("tag", image, reference, stamp)

    def build(self, wanted: Build) -> None:
        """Run the Dockerfile's steps; unchanged ones are taken from earlier builds."""
        arguments = {
            "BASE_IMAGE": python_base.REFERENCE,
            **({_NODE_ARGUMENT: node_base.REFERENCE} if wanted.needs_node else {}),
            **wanted.arguments,
        }
        settings = npm_settings if wanted.needs_node else pip_settings
        flags = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        flags += [f"--volume={volume}" for volume in settings.volumes(self._work)]
        self._run(
            "build",
            "--isolation=chroot",
            "--layers",
            "--pull=never",
            *flags,
            f"--tag={wanted.full_reference}",
            f"--file={wanted.dockerfile}",
            str(wanted.context),
        )

    def save(self, reference: str, archive: Path) -> None:
        """Write an image as an OCI archive that names itself."""
        self._run("push", "--quiet", reference, f"oci-archive:{archive}:{reference}")

    def _run(self, *arguments: str) -> str:
        return run([*_OWN_NAMESPACES, *self._argv, *arguments])


def cache_key(wanted: Build) -> str:
    """Key of everything that the image is made of."""
    digest = hashlib.sha256()
    digest.update(repr((wanted.full_reference, sorted(wanted.arguments.items()))).encode())
    for base in wanted.bases:
        digest.update(catalog.archive(base).name.encode())
    digest.update(wanted.dockerfile.read_bytes())
    for path in _context_files(wanted.context):
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        name, mode = path.relative_to(wanted.context), path.lstat().st_mode
        digest.update(f"{name}\0{mode:o}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _context_files(context: Path) -> list[Path]:
    """Files of a build context: what git would, in a git checkout, else all of them."""
    argv = ["git", "-C", str(context), "ls-files", "-z", "-co", "--exclude-standard"]
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.returncode == 0:
        paths = [context / os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
    else:
        paths = list(context.rglob("*"))
    return sorted({path for path in paths if path.is_symlink() or path.is_file()})
