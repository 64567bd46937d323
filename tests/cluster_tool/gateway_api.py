"""The Gateway API's definitions, from its pinned Go module."""

import hashlib
import json
from pathlib import Path

from tests.cluster_tool import toolchain
from tests.cluster_tool.cache import made_once
from tests.cluster_tool.commands import run
from tests.cluster_tool.errors import MissingError
from tests.cluster_tool.paths import SOURCE, cache_dir

MODULE = SOURCE / "gateway-api"
"""Folder of the Go module that pins the version."""

NAME = "sigs.k8s.io/gateway-api"
"""Go module of the Gateway API."""

_CHANNEL = "config/crd/standard"
"""Folder in it with what its standard channel has."""

_SEPARATOR = "\n---\n"


def ensure_crds() -> str:
    """Manifest with every CRD of the standard channel, downloaded now if the cache has none.

    Raises
    ------
    CommandError
        The Go module proxy cannot be reached, or what it gave is not what was pinned.
    MissingError
        No Go compiler can be had, or the module has no CRDs.
    """
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((MODULE / name).read_bytes())
    path = cache_dir() / "gateway-api" / f"crds-{digest.hexdigest()[:16]}.yaml"
    return made_once(path, _download).read_text()


def _download(manifest: Path) -> None:
    """Write the CRDs of the Go module into one file."""
    argv = [str(toolchain.ensure_go()), "mod", "download", "-json", NAME]
    environment = {"GOFLAGS": "-mod=readonly", "GOWORK": "off"}
    advice = "The Go module proxy must be reachable; `go env GOPROXY` names it."
    folder = Path(json.loads(run(argv, env=environment, cwd=MODULE, advice=advice))["Dir"])
    texts = [path.read_text() for path in sorted((folder / _CHANNEL).glob("*.yaml"))]
    crds = [text for text in texts if "\nkind: CustomResourceDefinition\n" in text]
    if not crds:
        raise MissingError(f"{folder / _CHANNEL} has no CRDs: look at {MODULE / 'go.mod'}.")
    manifest.write_text(_SEPARATOR.join(crds))
