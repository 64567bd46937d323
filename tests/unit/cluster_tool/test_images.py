"""Images written without an engine."""

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.images import build, pip_settings, python_base, slim_root
from tests.cluster_tool.images.oci import ImageConfig, write_archive

CONFIG = ImageConfig("localhost/a:1", entrypoint=("/bin/x",), command=("y",), environment=("A=b",))


def _root(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/x").write_text("#!/bin/sh\n")
    (folder / "bin/x").chmod(0o755)
    (folder / "bin/link").symlink_to("x")
    return folder


def _blob(archive: tarfile.TarFile, digest: str) -> bytes:
    member = archive.extractfile(f"blobs/sha256/{digest.removeprefix('sha256:')}")
    assert member is not None
    return member.read()


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any], list[tarfile.TarInfo]]:
    """Manifest entry of the index, image configuration, members of the layer."""
    with tarfile.open(path) as archive:
        index = archive.extractfile("index.json")
        assert index is not None
        entry = json.loads(index.read())["manifests"][0]
        manifest = json.loads(_blob(archive, entry["digest"]))
        config = json.loads(_blob(archive, manifest["config"]["digest"]))
        layer = _blob(archive, manifest["layers"][0]["digest"])
        assert f"sha256:{hashlib.sha256(layer).hexdigest()}" == config["rootfs"]["diff_ids"][0]
        (path.parent / "layer.tar").write_bytes(layer)
    with tarfile.open(path.parent / "layer.tar") as tar:
        return entry, config, tar.getmembers()


def test_an_archive_names_itself_and_says_how_it_is_run(tmp_path: Path) -> None:
    write_archive(_root(tmp_path / "root"), CONFIG, tmp_path / "a.tar")
    entry, config, members = _read(tmp_path / "a.tar")
    assert entry["annotations"]["io.containerd.image.name"] == "localhost/a:1"
    assert config["config"]["Entrypoint"] == ["/bin/x"]
    assert config["config"]["Cmd"] == ["y"]
    assert "A=b" in config["config"]["Env"]
    assert [member.name for member in members] == ["bin", "bin/link", "bin/x"]
    assert members[1].linkname == "x"
    assert members[2].mode == 0o755
    assert {(m.uid, m.gid, m.mtime) for m in members} == {(0, 0, 0)}


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_archive(_root(tmp_path / name), CONFIG, tmp_path / f"{name}.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    assert not list(tmp_path.glob("*.partial-*"))


@pytest.mark.parametrize(
    ("given", "known_as"),
    [
        ("hello", "localhost/hello:latest"),
        ("hello:1", "localhost/hello:1"),
        ("actors/hello:1", "localhost/actors/hello:1"),
        ("localhost/hello:1", "localhost/hello:1"),
        ("registry.example/hello", "registry.example/hello:latest"),
        ("host:5000/hello:1", "host:5000/hello:1"),
    ],
)
def test_a_name_without_a_registry_is_local(given: str, known_as: str, tmp_path: Path) -> None:
    wanted = build.Build(given, tmp_path / "Dockerfile", tmp_path)
    assert wanted.full_reference == known_as


def test_pip_inside_a_build_reaches_what_pip_outside_reaches() -> None:
    listing = (
        ":env:.index-url='https://index.example/simple'\n"
        ":env:.find-links='/opt/wheels'\n"
        "global.index-url='https://other.example/simple'\n"
        "global.trusted-host='a.example\\nb.example'\n"
        "global.default-timeout='60'\n"
    )
    settings = pip_settings.parse(listing)
    assert settings["index-url"] == "https://index.example/simple"
    rendered = pip_settings.render(settings)
    assert "index-url = https://index.example/simple" in rendered
    assert "timeout = 60" in rendered
    assert "trusted-host = a.example\n    b.example" in rendered
    assert "find-links" not in rendered
    assert "cert = /etc/ssl/certs/ca-certificates.crt" in rendered


def test_the_python_base_has_what_pip_and_compiled_packages_need() -> None:
    assert {"python3.11", "python3-pip-whl", "libstdc++6", "ca-certificates"} <= set(
        python_base.PACKAGES
    )
    assert len(set(python_base.PACKAGES)) == len(python_base.PACKAGES)


def test_the_key_of_a_build_follows_its_content_and_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "BASES", ())
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "main.py").write_text("1")
    wanted = build.Build("a:1", tmp_path / "Dockerfile", tmp_path)
    first = build.cache_key(wanted)
    assert build.cache_key(wanted) == first
    (tmp_path / "main.py").write_text("2")
    assert build.cache_key(wanted) != first
    (tmp_path / "main.py").write_text("1")
    assert build.cache_key(wanted) == first
    other = build.Build("a:1", tmp_path / "Dockerfile", tmp_path, {"X": "1"})
    assert build.cache_key(other) != first
    (tmp_path / "main.py").chmod(0o755)
    assert build.cache_key(wanted) != first


def test_a_missing_dockerfile_is_told(tmp_path: Path) -> None:
    wanted = build.Build("a:1", tmp_path / "Dockerfile", tmp_path)
    with pytest.raises(ClusterToolError, match="There is no Dockerfile"):
        build.build(wanted)


def test_what_nothing_needs_is_removed_by_pattern_and_a_link_without_what_it_leads_to(
    tmp_path: Path,
) -> None:
    root = _root(tmp_path / "root")
    (root / "usr/share/perl5").mkdir(parents=True)
    (root / "usr/share/perl5/x.pm").write_text("1;")
    (root / "usr/share/perl").symlink_to("../../bin")

    slim_root.remove(root, ("usr/share/perl*", "bin/link", "usr/share/none"))

    assert sorted(path.name for path in root.rglob("*")) == ["bin", "share", "usr", "x"]
