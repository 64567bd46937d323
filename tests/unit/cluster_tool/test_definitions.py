"""What the tool starts, and with what."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID
from tests.cluster_tool import addons, argv, compiled, debian, gateway_api, kubeconfig, kwok, state
from tests.cluster_tool.errors import ClusterToolError, MissingError
from tests.cluster_tool.paths import SOURCE
from tests.cluster_tool.pki import Authority, Identity, KeyPair
from tests.cluster_tool.providers import choose
from tests.cluster_tool.providers.base import Request
from tests.cluster_tool.providers.existing import ExistingProvider
from tests.cluster_tool.providers.kind import KindProvider


def _layout(tmp_path: Path) -> argv.Layout:
    pair = KeyPair(tmp_path / "a.crt", tmp_path / "a.key")
    return argv.Layout(
        programs={name: Path("/p") / name for name in ("etcd", *compiled.PACKAGES)},
        data=tmp_path,
        ports=argv.Ports(api=1001, etcd_client=1002, etcd_peer=1003),
        keys=argv.Keys(pair, pair, pair, tmp_path / "sa.key"),
        bind_address="127.0.0.1",
        advertise_address="127.0.0.1",
        controller_manager_kubeconfig=tmp_path / "manager",
        scheduler_kubeconfig=tmp_path / "scheduler",
        extra={"kube-apiserver": ["--audit-log-path=/audit"], "kube-scheduler": ["--v=4"]},
    )


def test_flags_of_the_caller_come_last_so_that_they_win(tmp_path: Path) -> None:
    layout = _layout(tmp_path)
    assert argv.api_server(layout)[-1] == "--audit-log-path=/audit"
    assert argv.scheduler(layout)[-1] == "--v=4"
    assert argv.controller_manager(layout)[-1] == "--leader-elect=false"


def test_the_api_server_listens_where_it_is_told_and_finds_its_etcd(tmp_path: Path) -> None:
    flags = argv.api_server(_layout(tmp_path))
    assert {"--bind-address=127.0.0.1", "--secure-port=1001"} <= set(flags)
    assert "--etcd-servers=http://127.0.0.1:1002" in flags
    assert "--listen-client-urls=http://127.0.0.1:1002" in argv.etcd(_layout(tmp_path))


def test_the_version_told_is_the_version_compiled() -> None:
    go_mod = (compiled.MODULE / "go.mod").read_text()
    assert f"k8s.io/kubernetes {compiled.KUBERNETES_VERSION}" in go_mod
    minor = compiled.KUBERNETES_VERSION.split(".")[1]
    replaced = re.findall(r"k8s\.io/\S+ => k8s\.io/\S+ v0\.(\d+)\.", go_mod)
    assert set(replaced) == {minor}
    for package in compiled.PACKAGES.values():
        assert package in go_mod or (compiled.MODULE / package).is_dir()


@pytest.mark.parametrize("module", [compiled.MODULE, gateway_api.MODULE])
def test_a_go_module_names_no_proxy(module: Path) -> None:
    for name in ("go.mod", "go.sum"):
        assert "://" not in (module / name).read_text()


def test_programs_of_kubebuilder_assets_are_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "kube-apiserver").touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert compiled.ensure(["kube-apiserver"])["kube-apiserver"] == tmp_path / "kube-apiserver"


def test_a_certificate_says_who_holds_it_and_is_signed_by_the_authority(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("a", Identity("user", ("group",), ("127.0.0.1", "name.example")))
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    ca = x509.load_pem_x509_certificate(authority.pair.certificate.read_bytes())
    certificate.verify_directly_issued_by(ca)
    subject = certificate.subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "user"
    assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "group"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["name.example"]
    assert pair.key.stat().st_mode & 0o777 == 0o600


def test_a_kubeconfig_holds_its_keys_and_is_private(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki")
    client = authority.issue("a", Identity("user"))
    path = kubeconfig.write(
        tmp_path / "config",
        server="https://127.0.0.1:1",
        ca=authority.pair.certificate,
        client=client,
        name="demo",
    )
    content = yaml.safe_load(path.read_text())
    assert content["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:1"
    assert content["current-context"] == "demo"
    assert "client-key-data" in content["users"][0]["user"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_stages_of_simulated_pods_cover_a_whole_life() -> None:
    documents = list(yaml.safe_load_all(kwok.STAGES.read_text()))
    stages = {d["metadata"]["name"] for d in documents if d["kind"] == "Stage"}
    life = {"pod-ready", "pod-complete", "pod-deadline", "pod-delete"}
    assert {"node-initialise", "node-heartbeat", *life} <= stages


def test_a_simulated_node_is_tainted_only_beside_real_ones() -> None:
    assert kwok.node(3, tainted=True)["spec"]["taints"] == [kwok.TAINT]
    assert kwok.node(3, tainted=False)["spec"]["taints"] == []
    assert kwok.node(3, tainted=False)["metadata"]["name"] == "simulated-3"


def test_manifests_use_only_images_that_nodes_have() -> None:
    for name in ("coredns.yaml", "traefik.yaml"):
        images = re.findall(r"image: (\S+)", (SOURCE / "manifests" / name).read_text())
        assert images
        assert all(image.startswith("localhost/actor-operator/") for image in images)


def test_the_gateway_listens_on_the_port_of_the_entry_point() -> None:
    gateway = list(yaml.safe_load_all((SOURCE / "manifests/gateway.yaml").read_text()))[1]
    assert (gateway["metadata"]["namespace"], gateway["metadata"]["name"]) == addons.GATEWAY
    port = gateway["spec"]["listeners"][0]["port"]
    assert f"--entrypoints.web.address=:{port}" in (SOURCE / "manifests/traefik.yaml").read_text()


def test_the_state_of_a_cluster_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert state.load(tmp_path / "none") is None
    written = state.ClusterState("local", 2, 5, 6443, 8080, ready=True)
    written.save(tmp_path / "one")
    assert state.load(tmp_path / "one") == written


def test_a_state_of_another_version_asks_for_down(tmp_path: Path) -> None:
    (tmp_path / "cluster.json").write_text(json.dumps({"unknown": 1}))
    with pytest.raises(ClusterToolError, match="Run `down`"):
        state.load(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "URIs: http://archive.example/debian\nSuites: bookworm",
        "deb http://archive.example/debian bookworm main",
        "deb [signed-by=/k.gpg] http://archive.example/debian bookworm main",
    ],
)
def test_the_debian_archive_is_found_in_both_formats(line: str) -> None:
    assert debian.find_archive(f"# comment\n{line}\n") == "http://archive.example/debian"


def test_other_archives_are_not_debians() -> None:
    text = "URIs: http://archive.example/debian-security\ndeb http://archive.example/ubuntu x main"
    assert debian.find_archive(text) is None


def test_a_kubeconfig_in_the_environment_is_not_used_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("ACTOR_OPERATOR_STATE", str(tmp_path))
    monkeypatch.setattr(choose, "docker_answers", lambda: False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert choose.provider("auto", "demo").name == "local"
    assert isinstance(choose.provider("existing", "demo"), ExistingProvider)


def test_a_running_cluster_keeps_its_provider(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACTOR_OPERATOR_STATE", str(tmp_path))
    state.ClusterState("kind", 1, 0, 0, 8080, ready=True).save(tmp_path / "demo")
    assert choose.provider("auto", "demo").name == "kind"


@pytest.mark.parametrize("name", ["kind", "local"])
def test_the_port_of_this_machine_that_leads_to_ingresses_is_the_one_that_was_chosen(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACTOR_OPERATOR_STATE", str(tmp_path))
    assert choose.provider(name, "demo").http_port() is None, "there is no cluster"
    state.ClusterState(name, 1, 0, 0, 18081, ready=True).save(tmp_path / "demo")
    assert choose.provider(name, "demo").http_port() == 18081


def test_no_port_of_this_machine_is_known_to_lead_to_the_ingresses_of_an_existing_cluster() -> None:
    assert ExistingProvider().http_port() is None


def test_where_no_cluster_can_be_made_the_ways_out_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACTOR_OPERATOR_STATE", str(tmp_path))
    monkeypatch.setattr(choose, "docker_answers", lambda: False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingError, match="CLUSTER=existing"):
        choose.provider("auto", "demo")


def test_kind_says_that_no_engine_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.cluster_tool.providers.kind.docker_answers", lambda: False)
    with pytest.raises(MissingError, match="needs a Docker engine, and none answers"):
        KindProvider("demo").up(Request("demo"))


def test_an_existing_cluster_needs_a_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with pytest.raises(ClusterToolError, match="needs KUBECONFIG"):
        ExistingProvider().up(Request("demo"))


def test_the_scripts_that_run_inside_need_nothing_of_this_package() -> None:
    for name in ("host_init.py", "relay.py"):
        code = f"import runpy; runpy.run_path({str(SOURCE / name)!r})"
        done = subprocess.run([sys.executable, "-I", "-S", "-c", code], check=False)
        assert done.returncode == 0
