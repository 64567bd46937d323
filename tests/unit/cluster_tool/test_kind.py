"""The provider `kind`, with stand-ins for docker, kind and kubectl."""

from pathlib import Path

import pytest
import yaml
from tests.cluster_tool import addons
from tests.cluster_tool.errors import ClusterToolError, MissingError
from tests.cluster_tool.images import catalog
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.providers.base import Request
from tests.cluster_tool.providers.kind import KindProvider, docker_answers

_KIND = """\
#!/bin/sh
echo "$@" >> {folder}/calls
case "$1 $2" in
"get clusters") cat {folder}/clusters 2>/dev/null;;
"create cluster") cat > {folder}/config; echo demo > {folder}/clusters;;
"delete cluster") rm -f {folder}/clusters;;
esac
exit 0
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a Docker engine and kind, as far as programs can tell."""
    _program(tmp_path, "docker", "#!/bin/sh\necho 29.0.0\n")
    _program(tmp_path, "kind", _KIND.format(folder=tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("ACTOR_OPERATOR_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(catalog, "archive", lambda _image: tmp_path / "image.tar")
    monkeypatch.setattr(Kubectl, "__init__", lambda _self, _path: None)
    monkeypatch.setattr(Kubectl, "run", lambda _self, *_words: "one Ready\ntwo Ready\n")
    monkeypatch.setattr(addons, "apply", lambda _kubectl, **_options: None)
    return tmp_path


def _program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def test_the_ingress_port_is_mapped_on_this_machine_only(folder: Path) -> None:
    KindProvider("demo").up(Request("demo", nodes=2, http_port=18081))
    config = yaml.safe_load((folder / "config").read_text())
    first, second = config["nodes"]
    assert first["extraPortMappings"] == [
        {"containerPort": 80, "hostPort": 18081, "listenAddress": "127.0.0.1"}
    ]
    assert first["labels"] == {addons.INGRESS_LABEL: "true"}
    assert second == {"role": "worker"}
    assert "load image-archive" in (folder / "calls").read_text()


def test_a_second_up_creates_nothing(folder: Path) -> None:
    provider = KindProvider("demo")
    provider.up(Request("demo", http_port=18081))
    calls = (folder / "calls").read_text().count("create cluster")
    provider.up(Request("demo", http_port=18081))
    assert (folder / "calls").read_text().count("create cluster") == calls == 1


def test_its_status_is_that_of_its_nodes_and_down_removes_it(folder: Path) -> None:
    provider = KindProvider("demo")
    assert provider.status() is None
    provider.up(Request("demo", http_port=18081))
    report = provider.status()
    assert report is not None
    assert report.healthy
    assert report.lines == (("one", "Ready"), ("two", "Ready"))
    provider.down()
    assert provider.status() is None
    assert not (folder / "state").exists()


def test_a_failed_start_is_removed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_kubectl: Kubectl, *, with_dns: bool) -> None:
        raise ClusterToolError("no Traefik")

    monkeypatch.setattr(addons, "apply", fail)
    with pytest.raises(ClusterToolError, match="no Traefik"):
        KindProvider("demo").up(Request("demo", http_port=18081))
    assert "delete cluster --name demo" in (folder / "calls").read_text()


def test_simulated_nodes_are_refused(folder: Path) -> None:
    with pytest.raises(ClusterToolError, match="CLUSTER=local only"):
        KindProvider("demo").up(Request("demo", simulated_nodes=1))


def test_a_docker_program_without_an_engine_is_not_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path, "docker", "#!/bin/sh\necho 'Cannot connect' >&2; exit 1\n")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert not docker_answers()
    with pytest.raises(MissingError, match="none answers"):
        KindProvider("demo").up(Request("demo"))
