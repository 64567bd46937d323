"""The images that the cluster itself needs, made from programs in the cache."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.cluster_tool import compiled, debian, toolchain
from tests.cluster_tool.cache import made_once
from tests.cluster_tool.commands import run
from tests.cluster_tool.images.oci import FORMAT, ImageConfig, write_archive
from tests.cluster_tool.paths import cache_dir

PAUSE = "localhost/actor-operator/pause:1"
"""Holds the namespaces of a pod."""

BUSYBOX = "localhost/actor-operator/busybox:1"
"""Small image for tests and demos."""

COREDNS = "localhost/actor-operator/coredns:1"
"""The cluster's name server."""

TRAEFIK = "localhost/actor-operator/traefik:1"
"""The ingress controller."""

_BUSYBOX_SUITE = "bookworm"


@dataclass(frozen=True)
class Image:
    """How one image is made."""

    config: ImageConfig
    source: Callable[[], Path]
    """The file or folder it is made of; its path carries the version."""
    fill: Callable[[Path, Path], None]
    """Fills the root folder (first) from the source (second)."""


def static_program(root: Path, source: Path) -> None:
    """A root with one static program, `/program`, and what programs expect to find."""
    shutil.copy2(source, root / "program")
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0:root:/:/program\n")


def _busybox_source() -> Path:
    return debian.unpacked(_BUSYBOX_SUITE, ["busybox-static"]) / "bin/busybox"


def _busybox(root: Path, source: Path) -> None:
    """A root with busybox under all of its names, and a page to serve."""
    for folder in ("bin", "etc", "tmp", "proc", "sys", "dev", "root", "www"):
        (root / folder).mkdir()
    (root / "tmp").chmod(0o1777)
    shutil.copy2(source, root / "bin/busybox")
    for name in run([source, "--list"]).split():
        if name != "busybox":
            (root / "bin" / name).symlink_to("busybox")
    users = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
    (root / "etc/passwd").write_text(users)
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (root / "www/index.html").write_text("hello from a pod\n")


BUSYBOX_IMAGE = Image(ImageConfig(BUSYBOX, command=("sh",)), _busybox_source, _busybox)
"""The image of busybox."""

CLUSTER_IMAGES = (
    # Debian's busybox is 2 MB, needs no libc and no compiler; `sleep` is all that pause does.
    Image(ImageConfig(PAUSE, entrypoint=("/bin/sleep", "infinity")), _busybox_source, _busybox),
    BUSYBOX_IMAGE,
    Image(
        ImageConfig(COREDNS, entrypoint=("/program",)),
        lambda: compiled.ensure(["coredns"])["coredns"],
        static_program,
    ),
    Image(ImageConfig(TRAEFIK, entrypoint=("/program",)), toolchain.ensure_traefik, static_program),
)
"""Loaded into every node at its start, in this order."""


def archive(image: Image) -> Path:
    """Path of an image's OCI archive, written now if the cache has none of this content."""
    source = image.source()
    stat = source.stat()
    content = f"{FORMAT}\n{image.config}\n{source}\n{stat.st_size}\n{int(stat.st_mtime)}"
    key = hashlib.sha256(content.encode()).hexdigest()[:16]
    name = image.config.reference.rpartition("/")[2].replace(":", "-")

    def write(path: Path) -> None:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f"{name}-root-") as root:
            image.fill(Path(root), source)
            write_archive(Path(root), image.config, path)

    return made_once(cache_dir() / "images" / f"{name}-{key}.tar", write)


def cluster_archives() -> list[Path]:
    """Archives of all images that a node needs from its start."""
    return [archive(image) for image in CLUSTER_IMAGES]
