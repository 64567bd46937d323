"""A real control plane without nodes, for tests of the cluster level.

etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok run as child processes on
random ports of 127.0.0.1. They need neither root nor namespaces, and the kernel ends them with
the thread that started them, so start it from the main thread.

    with ControlPlane(simulated_nodes=2) as control_plane:
        client = ApiClient(control_plane.kubeconfig)
"""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster_tool import argv, compiled, http_probe, kubeconfig, kwok
from tests.cluster_tool.child import Child
from tests.cluster_tool.debian_programs import ensure_etcd
from tests.cluster_tool.errors import CommandError
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.pki import Authority, Identity, KeyPair
from tests.cluster_tool.ports import free_ports

_API_SERVER = "kube-apiserver"
_START_SECONDS = 60.0

_KWOK = Identity("kwok", ("system:masters", "system:nodes"))
"""It plays kubelets, so admission policies must take it for one, or its writes cost more."""


class ControlPlane:
    """One control plane, from `start` to `stop`; also a context manager.

    Parameters
    ----------
    simulated_nodes
        How many nodes kwok plays; with 0 kwok does not run.
    extra
        Flags added to a program, by its name, e.g.
        `{"kube-apiserver": ["--audit-log-path=…", "--feature-gates=…"]}`.
    folder
        Where keys, data and logs go; a temporary folder, removed at the end, when None.
    """

    def __init__(
        self,
        *,
        simulated_nodes: int = 0,
        extra: Mapping[str, Sequence[str]] | None = None,
        folder: Path | None = None,
    ) -> None:
        found = {**compiled.ensure(), "etcd": ensure_etcd()}
        self._simulated_nodes = simulated_nodes
        self._temporary = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="actor-operator-control-plane-"))
        """Keys, data and, in `logs/`, what each program wrote."""
        authority = Authority(self.folder / "pki")
        client_port, peer_port, api, manager, scheduler = free_ports(5)
        self.url = f"https://127.0.0.1:{api}"
        """Address of the API server; it stays over restarts."""
        self.etcd_url = f"http://127.0.0.1:{client_port}"
        """Address of etcd, for what clients of the API server cannot do: compact, fill, look."""
        self.ca: Path = authority.pair.certificate
        """Certificate that signed the API server's."""
        self.admin: KeyPair = authority.issue("admin", Identity("admin", ("system:masters",)))
        """Client certificate of a cluster administrator."""
        self.authority = authority
        """Signs client certificates for users that a test makes up."""
        self.kubeconfig = self.write_kubeconfig("admin", self.admin)
        """Kubeconfig of the administrator."""
        self._layout = argv.Layout(
            programs=found,
            data=self.folder,
            ports=argv.Ports(api, client_port, peer_port, manager, scheduler),
            keys=argv.Keys(
                ca=authority.pair,
                server=authority.issue("server", _server_identity()),
                kubelet_client=self.admin,
                service_account=authority.signing_key("service-account"),
            ),
            bind_address="127.0.0.1",
            advertise_address="127.0.0.1",
            controller_manager_kubeconfig=self._component("kube-controller-manager"),
            scheduler_kubeconfig=self._component("kube-scheduler"),
            extra=_with_own_flags(extra or {}),
        )
        self._children: dict[str, Child] = {}

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and return when the API server, roles and simulated nodes are ready."""
        self._spawn("etcd", argv.etcd(self._layout))
        self.start_api_server()
        self._spawn("kube-controller-manager", argv.controller_manager(self._layout))
        self._spawn("kube-scheduler", argv.scheduler(self._layout))
        if self._simulated_nodes:
            stages = kwok.stages_file(self.folder)
            credentials = self.write_kubeconfig("kwok", self.authority.issue("kwok", _KWOK))
            command = argv.kwok(
                self._layout.programs["kwok"], kubeconfig=credentials, stages=stages
            )
            self._spawn("kwok", command)
            self._add_simulated_nodes()

    def stop(self) -> None:
        """End every program and remove the temporary folder."""
        for child in reversed(self._children.values()):
            child.kill()
        self._children.clear()
        if self._temporary:
            shutil.rmtree(self.folder, ignore_errors=True)

    def start_api_server(self) -> None:
        """Start the API server (again) and wait until it is ready."""
        child = self._spawn(_API_SERVER, argv.api_server(self._layout))
        context = http_probe.tls_context(self.ca, self.admin)
        http_probe.wait_until(
            "The API server",
            lambda: child.check() and http_probe.get(f"{self.url}/readyz", context)[0] == 200,
            seconds=_START_SECONDS,
            explain=child.log_tail,
        )

    def stop_api_server(self) -> None:
        """End the API server with SIGTERM, as an upgrade does, and wait for its end.

        While clients watch, that takes the 60 s which the API server grants open requests.
        """
        self._children.pop(_API_SERVER).terminate()

    def kill_api_server(self) -> None:
        """End the API server with SIGKILL, as a crash does."""
        self._children.pop(_API_SERVER).kill()

    def restart_api_server(self) -> None:
        """Crash the API server and start it again; data and address stay."""
        self.kill_api_server()
        self.start_api_server()

    def write_kubeconfig(self, name: str, client: KeyPair, *, server: str | None = None) -> Path:
        """A kubeconfig of another user, or through another address such as a fault proxy's."""
        path = self.folder / f"{name}.kubeconfig"
        return kubeconfig.write(
            path, server=server or self.url, ca=self.ca, client=client, name="control-plane"
        )

    def pid(self, program: str) -> int:
        """Process id of one program."""
        return self._children[program].pid

    def log(self, program: str) -> Path:
        """Log file of one program."""
        return self.folder / "logs" / f"{program}.log"

    def _add_simulated_nodes(self) -> None:
        try:
            kwok.add_nodes(Kubectl(self.kubeconfig), self._simulated_nodes, tainted=False)
        except CommandError:
            # A program that has ended is the better explanation.
            for child in self._children.values():
                child.check()
            raise

    def _component(self, name: str) -> Path:
        return self.write_kubeconfig(name, self.authority.issue(name, Identity(f"system:{name}")))

    def _spawn(self, name: str, command: list[str]) -> Child:
        child = Child(name, command, self.log(name))
        self._children[name] = child
        return child


def _server_identity() -> Identity:
    hosts = ("127.0.0.1", "localhost", argv.API_SERVICE_ADDRESS, "kubernetes.default.svc")
    return Identity("kube-apiserver", hosts=hosts)


def _with_own_flags(extra: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """The caller's flags after those that only a control plane without nodes needs."""
    # The Service `kubernetes` must not point to loopback, and nothing here could use it.
    own = ["--endpoint-reconciler-type=none"]
    return {**extra, _API_SERVER: [*own, *extra.get(_API_SERVER, ())]}
