"""Container images as OCI archives, written from folders: no engine, no registry."""

import hashlib
import io
import json
import os
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 2
"""Raised when the same content is written in another way, so that no cached archive is used."""

_MEDIA = "application/vnd.oci.image"
_EPOCH = "1970-01-01T00:00:00Z"
_CHUNK = 1 << 20
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class ImageConfig:
    """What an image says about how it is run."""

    reference: str
    """Full name with tag, e.g. `localhost/actor-operator/busybox:1`."""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    working_dir: str = "/"


@dataclass(frozen=True)
class _Blob:
    path: Path
    digest: str
    size: int

    def descriptor(self, kind: str) -> dict[str, Any]:
        return {"mediaType": f"{_MEDIA}.{kind}", "digest": self.digest, "size": self.size}


def write_archive(root: Path, config: ImageConfig, archive: Path) -> None:
    """Write an image of one layer, the content of `root`; equal content gives equal bytes."""
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="blobs-") as folder:
        work = Path(folder)
        layer = _layer(root, work / "layer")
        settings = _json_blob(_config_content(config, layer.digest), work / "config")
        manifest = _json_blob(_manifest_content(settings, layer), work / "manifest")
        index = _json_blob(_index_content(manifest, config.reference), work / "index")
        _pack(archive, index, [layer, settings, manifest])


def _layer(root: Path, path: Path) -> _Blob:
    """Tar of a folder, sorted, owned by root, without times."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for source in sorted(root.rglob("*")):
            info = tar.gettarinfo(source, str(source.relative_to(root)))
            info.mtime = info.uid = info.gid = 0
            info.uname = info.gname = ""
            if info.isreg():
                with source.open("rb") as content:
                    tar.addfile(info, content)
            else:
                tar.addfile(info)
    return _blob(path)


def _blob(path: Path) -> _Blob:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
    return _Blob(path, f"sha256:{digest.hexdigest()}", path.stat().st_size)


def _json_blob(content: dict[str, Any], path: Path) -> _Blob:
    path.write_text(json.dumps(content, sort_keys=True))
    return _blob(path)


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


def _config_content(config: ImageConfig, diff_id: str) -> dict[str, Any]:
    run: dict[str, Any] = {
        "Env": [_PATH, *config.environment],
        "WorkingDir": config.working_dir,
    }
    if config.entrypoint:
        run["Entrypoint"] = list(config.entrypoint)
    if config.command:
        run["Cmd"] = list(config.command)
    return {
        "created": _EPOCH,
        "architecture": _architecture(),
        "os": "linux",
        "config": run,
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        # buildah builds on an image only if it tells of each of its layers.
        "history": [{"created": _EPOCH, "created_by": "actor-operator cluster tool"}],
    }


def _manifest_content(settings: _Blob, layer: _Blob) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": f"{_MEDIA}.manifest.v1+json",
        "config": settings.descriptor("config.v1+json"),
        # Not compressed: loading it into a node is then mostly a copy.
        "layers": [layer.descriptor("layer.v1.tar")],
    }


def _index_content(manifest: _Blob, reference: str) -> dict[str, Any]:
    annotations = {
        "io.containerd.image.name": reference,
        "org.opencontainers.image.ref.name": reference,
    }
    entry = {
        **manifest.descriptor("manifest.v1+json"),
        "annotations": annotations,
        "platform": {"architecture": _architecture(), "os": "linux"},
    }
    return {
        "schemaVersion": 2,
        "mediaType": f"{_MEDIA}.index.v1+json",
        "manifests": [entry],
    }


def _pack(archive: Path, index: _Blob, blobs: list[_Blob]) -> None:
    with tarfile.open(archive, "w") as tar:
        layout = b'{"imageLayoutVersion":"1.0.0"}'
        info = tarfile.TarInfo("oci-layout")
        info.size = len(layout)
        tar.addfile(info, io.BytesIO(layout))
        named = [("index.json", index)]
        named += [(f"blobs/sha256/{blob.digest.removeprefix('sha256:')}", blob) for blob in blobs]
        for name, blob in named:
            info = tarfile.TarInfo(name)
            info.size = blob.size
            with blob.path.open("rb") as content:
                tar.addfile(info, content)
