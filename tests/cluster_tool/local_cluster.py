"""Start the hosts, the control plane and the nodes of a local cluster, side by side."""

import sys
from collections.abc import Callable
from pathlib import Path

from tests.cluster_tool import addons, argv, cgroups, containerd, kubeconfig, kwok, network, node
from tests.cluster_tool.hosts import Host
from tests.cluster_tool.http_probe import wait_until
from tests.cluster_tool.kubectl import Kubectl
from tests.cluster_tool.members import start_announcing
from tests.cluster_tool.paths import SOURCE
from tests.cluster_tool.pki import Authority, Identity
from tests.cluster_tool.prerequisites import Inventory
from tests.cluster_tool.progress import step
from tests.cluster_tool.readiness import Readiness
from tests.cluster_tool.state import ClusterState

CONTROL_PLANE = "control-plane"
"""Name of the host with the control plane."""

_READY_SECONDS = 120.0

_NODE_PROGRAMS = ("host", "containerd", "kubelet", "kube-proxy")
_CONTROL_PLANE_PROGRAMS = (
    "host",
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
)


def node_names(count: int) -> list[str]:
    """Names of the nodes."""
    return [f"node{number}" for number in range(1, count + 1)]


class LocalCluster:
    """One start of a local cluster."""

    def __init__(self, name: str, folder: Path, wanted: ClusterState, inventory: Inventory) -> None:
        self._name = name
        self._folder = folder
        self._wanted = wanted
        self._inventory = inventory
        self._control_plane = Host(CONTROL_PLANE, folder)
        self._nodes = [Host(node_name, folder) for node_name in node_names(wanted.nodes)]
        self._authority = Authority(folder / "pki")
        self._readiness = Readiness(folder, wanted)

    @staticmethod
    def roles(wanted: ClusterState) -> list[str]:
        """Every program that a healthy cluster has running."""
        control_plane = list(_CONTROL_PLANE_PROGRAMS)
        if wanted.simulated_nodes:
            control_plane.append("kwok")
        roles = [f"{CONTROL_PLANE}/{program}" for program in control_plane]
        for name in node_names(wanted.nodes):
            roles += [f"{name}/{program}" for program in _NODE_PROGRAMS]
        return [*roles, "relay"]

    def start(self) -> None:
        """Bring everything up; what takes long runs beside the rest.

        Raises
        ------
        ClusterToolError
            A part failed; what was started so far still runs.
        """
        with step("Making hosts and their network"):
            for host in (self._control_plane, *self._nodes):
                host.start()
            network.connect(self._control_plane, self._nodes)
        with step("Starting etcd, the API server and containerd"):
            layout = self._layout()
            self._control_plane.spawn("etcd", argv.etcd(layout))
            self._control_plane.spawn("kube-apiserver", argv.api_server(layout))
            imports = self._start_containerd()
            self._start_relay()
            self._wait("The API server", self._api_server_ready)
        with step("Starting controllers, scheduler and nodes"):
            self._start_controllers(layout)
            self._start_nodes()
        with step("Installing CoreDNS and Traefik"):
            addons.apply(self._kubectl())
        if self._wanted.simulated_nodes:
            with step(f"Adding {self._wanted.simulated_nodes} simulated nodes"):
                self._start_kwok(layout)
                kwok.add_nodes(self._kubectl(), self._wanted.simulated_nodes, tainted=True)
        with step("Loading images and waiting until nodes and add-ons are ready"):
            for started in imports:
                started.wait()
            self._wait("The cluster", self._everything_ready)

    def _kubectl(self) -> Kubectl:
        return Kubectl(self._folder / "kubeconfig")

    def _start_containerd(self) -> list[containerd.Import]:
        """Start containerd on all nodes and begin to load their images."""
        for number, host in enumerate(self._nodes, start=1):
            containerd.start(host, number)
        for host in self._nodes:
            containerd.wait_ready(host)
        return [containerd.Import(host, self._inventory.images) for host in self._nodes]

    def _layout(self) -> argv.Layout:
        """Where the control plane's parts are, with keys made now."""
        outside = f"https://127.0.0.1:{self._wanted.api_port}"
        admin = Identity("admin", ("system:masters",))
        self._user(self._folder / "kubeconfig", "admin", admin, outside)
        data = self._control_plane.folder / "data"
        data.mkdir()
        return argv.Layout(
            programs=self._inventory.programs,
            data=data,
            ports=argv.Ports(),
            keys=self._keys(),
            bind_address="0.0.0.0",  # noqa: S104  # the host's own network, not the machine's
            advertise_address=network.CONTROL_PLANE_ADDRESS,
            controller_manager_kubeconfig=self._component("kube-controller-manager"),
            scheduler_kubeconfig=self._component("kube-scheduler"),
        )

    def _keys(self) -> argv.Keys:
        names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost")
        addresses = (argv.API_SERVICE_ADDRESS, network.CONTROL_PLANE_ADDRESS, "127.0.0.1")
        server = Identity("kube-apiserver", hosts=(*names, *addresses))
        client = Identity("kube-apiserver-kubelet-client", ("system:masters",))
        return argv.Keys(
            ca=self._authority.pair,
            server=self._authority.issue("server", server),
            kubelet_client=self._authority.issue("kubelet-client", client),
            service_account=self._authority.signing_key("service-account"),
        )

    def _component(self, name: str) -> Path:
        """Kubeconfig of one of the control plane's own programs."""
        path = self._control_plane.folder / f"{name}.kubeconfig"
        return self._user(path, name, Identity(f"system:{name}"), "https://127.0.0.1:6443")

    def _user(self, path: Path, file_name: str, who: Identity, server: str) -> Path:
        return kubeconfig.write(
            path,
            server=server,
            ca=self._authority.pair.certificate,
            client=self._authority.issue(file_name, who),
            name=self._name,
        )

    def _start_relay(self) -> None:
        """Let the machine reach the API server and the ingress controller on 127.0.0.1."""
        targets = [
            f"{self._wanted.api_port}={network.CONTROL_PLANE_ADDRESS}:6443",
            f"{self._wanted.http_port}={network.node_address(1)}:80",
        ]
        pid = str(self._control_plane.pid)
        command = [sys.executable, "-I", "-S", str(SOURCE / "relay.py"), pid, *targets]
        starting = start_announcing(self._folder, "relay", command)
        starting.wait_ready("The ports of 127.0.0.1 cannot be opened.")

    def _start_controllers(self, layout: argv.Layout) -> None:
        self._control_plane.spawn("kube-controller-manager", argv.controller_manager(layout))
        self._control_plane.spawn("kube-scheduler", argv.scheduler(layout))

    def _start_kwok(self, layout: argv.Layout) -> None:
        host = self._control_plane
        who = Identity("kwok", ("system:masters",))
        path = self._user(host.folder / "kwok.kubeconfig", "kwok", who, "https://127.0.0.1:6443")
        stages = kwok.stages_file(host.folder)
        host.spawn("kwok", argv.kwok(layout.programs["kwok"], kubeconfig=path, stages=stages))

    def _start_nodes(self) -> None:
        url = f"https://{network.CONTROL_PLANE_ADDRESS}:6443"
        for number, host in enumerate(self._nodes, start=1):
            group = cgroups.create(self._name, host.name)
            one = node.Node(host, number, group, url)
            node.start(one, self._inventory.programs, self._authority, self._name)

    def _wait(self, what: str, ready: Callable[[], bool]) -> None:
        def explain() -> str:
            return f"{self._readiness.explain()} Logs are in {self._folder / 'logs'}."

        wait_until(what, ready, seconds=_READY_SECONDS, explain=explain)

    def _api_server_ready(self) -> bool:
        self._control_plane.check("etcd")
        self._control_plane.check("kube-apiserver")
        return self._readiness.api_server()

    def _everything_ready(self) -> bool:
        for program in ("kube-controller-manager", "kube-scheduler"):
            self._control_plane.check(program)
        for host in self._nodes:
            host.check("kubelet")
            host.check("kube-proxy")
        return all(ok for _, ok, _ in self._readiness.all())
