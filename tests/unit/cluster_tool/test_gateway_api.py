"""The Gateway API's definitions, with a stand-in for Go."""

import json
from pathlib import Path

import pytest
from tests.cluster_tool import gateway_api, toolchain
from tests.cluster_tool.errors import CommandError, MissingError

CRD = (
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {}}}\n"
)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the module with what it has, and a Go that says so."""
    channel = tmp_path / "module/config/crd/standard"
    channel.mkdir(parents=True)
    (channel / "a.yaml").write_text(CRD.format("a"))
    (channel / "b.yaml").write_text(CRD.format("b"))
    (channel / "policy.yaml").write_text("kind: ValidatingAdmissionPolicy\n")
    answer = json.dumps({"Dir": str(tmp_path / "module")})
    set_go(tmp_path, monkeypatch, f"echo '{answer}'")
    monkeypatch.setenv("ACTOR_OPERATOR_CACHE", str(tmp_path / "cache"))
    return channel


def set_go(folder: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """Let a shell command be Go."""
    program = folder / "go"
    program.write_text(f"#!/bin/sh\n{command}\n")
    program.chmod(0o755)
    monkeypatch.setattr(toolchain, "ensure_go", lambda: program)


def test_all_crds_of_the_standard_channel_are_one_manifest(module: Path) -> None:
    documents = gateway_api.ensure_crds().split("\n---\n")
    assert [text.split("name: ")[1].strip(" }\n") for text in documents] == ["a", "b"]


def test_what_was_downloaded_is_kept(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = gateway_api.ensure_crds()
    set_go(tmp_path, monkeypatch, "exit 1")
    assert gateway_api.ensure_crds() == first


def test_without_a_way_out_the_proxy_is_named(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_go(tmp_path, monkeypatch, "echo 'no such host' >&2; exit 1")
    with pytest.raises(CommandError, match=r"no such host(.|\n)*`go env GOPROXY` names it"):
        gateway_api.ensure_crds()


def test_a_module_without_crds_is_not_kept(module: Path) -> None:
    for path in module.iterdir():
        path.unlink()
    for _ in range(2):
        with pytest.raises(MissingError, match="has no CRDs"):
            gateway_api.ensure_crds()
