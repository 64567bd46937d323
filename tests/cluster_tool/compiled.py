"""The programs of Kubernetes, CoreDNS and kwok, compiled once from pinned Go modules."""

import contextlib
import hashlib
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from tests.cluster_tool import toolchain
from tests.cluster_tool.cache import made_once
from tests.cluster_tool.commands import DIE_WITH_PARENT, describe_failure, run
from tests.cluster_tool.errors import CommandError
from tests.cluster_tool.paths import SOURCE, cache_dir
from tests.cluster_tool.progress import console, say

MODULE = SOURCE / "programs"
"""Folder of the Go module that pins every version."""

KUBERNETES_VERSION = "v1.36.3"
"""Version of Kubernetes; go.mod names the same (a unit test compares)."""

PACKAGES = {
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kubelet": "k8s.io/kubernetes/cmd/kubelet",
    "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    "coredns": "./coredns",
}
"""Go package of each program."""


def _version_flags() -> str:
    """Linker flags that give the programs the version they would have in a release."""
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    variable = "k8s.io/component-base/version"
    return (
        f"-s -w -X {variable}.gitVersion={KUBERNETES_VERSION} "
        f"-X {variable}.gitMajor={major} -X {variable}.gitMinor={minor}"
    )


def cache_key() -> str:
    """Key of the compiled programs: changes when a version, a source or a flag does."""
    digest = hashlib.sha256()
    for path in (MODULE / "go.mod", MODULE / "go.sum", *sorted(MODULE.glob("*/*.go"))):
        digest.update(path.read_bytes())
    digest.update("\n".join([_version_flags(), os.uname().machine, *PACKAGES.values()]).encode())
    return digest.hexdigest()[:16]


def ensure(names: Sequence[str] = tuple(PACKAGES)) -> dict[str, Path]:
    """Path of each program, compiled now if it is not in the cache.

    A program found in the folder `KUBEBUILDER_ASSETS` is taken from there.

    Raises
    ------
    CommandError
        The compiler failed.
    MissingError
        No Go compiler can be had.
    """
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    folder = cache_dir() / "programs" / cache_key()
    found: dict[str, Path] = {}
    for name in names:
        given = Path(assets) / name if assets else None
        found[name] = given if given and given.is_file() else folder / name
    missing = [name for name, path in found.items() if not path.is_file()]
    if missing:
        # All at once: they share most packages, and a later start may need the others.
        made_once(folder, _compile)
    return found


def _compile(folder: Path) -> None:
    """Compile all programs into a folder."""
    go = toolchain.ensure_go()
    packages = list(PACKAGES.values())
    folder.mkdir()
    say(
        f"  Compiling Kubernetes {KUBERNETES_VERSION} and its companions from Go modules: "
        "once, about ten minutes on two cores. An interrupted build goes on where it stopped."
    )
    environment = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    total = len(run([go, "list", "-deps", *packages], env=environment, cwd=MODULE).split())
    argv = ["nice", str(go), "build", "-v", "-trimpath", "-ldflags", _version_flags()]
    argv += ["-o", f"{folder}/", *packages]
    _build(argv, environment, total)


def _build(argv: list[str], environment: dict[str, str], total: int) -> None:
    """Run the compiler, which names each package when it is done, and show how far it is."""
    process = subprocess.Popen(
        [*DIE_WITH_PARENT, *argv],
        env={**os.environ, **environment},
        cwd=MODULE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[str] = []
    try:
        with _progress(total) as advance:
            for line in process.stderr or ():
                lines.append(line.rstrip())
                advance(line.strip())
        code = process.wait()
    finally:
        process.kill()
        process.communicate()  # also closes the pipe
    if code != 0:
        advice = "The Go module proxy must be reachable; `go env GOPROXY` names it."
        raise CommandError(describe_failure(argv, code, "\n".join(lines), advice))


class _Advance:
    """Counts compiled packages: a bar on a terminal, a line every half minute elsewhere."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("compiling", total=total) if progress else None
        self._total = total
        self._count = 0
        self._last = time.monotonic()

    def __call__(self, package: str) -> None:
        self._count += 1
        if self._progress and self._task is not None:
            self._progress.update(self._task, advance=1, description=package[-40:])
        elif time.monotonic() - self._last >= 30:
            self._last = time.monotonic()
            say(f"    {self._count} of at most {self._total} packages, now {package}")


@contextlib.contextmanager
def _progress(total: int) -> Iterator[_Advance]:
    """A counter of packages, shown as fits stderr."""
    if not console.is_terminal:
        yield _Advance(None, total)
        return
    columns = (TextColumn("    {task.description:40}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        yield _Advance(progress, total)
