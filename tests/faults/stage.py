"""What all plans of a campaign share: a control plane, a recorder, a nursery, an event loop."""

import asyncio
import itertools
import os
import signal
import threading
import time
from collections.abc import Coroutine
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp
import uvloop
import yaml
from tests.chart.helm import INGRESS, NAMESPACE, RELEASE
from tests.cluster_tool.control_plane import ControlPlane
from tests.faults.births import Nursery
from tests.faults.kinds import Disturbance
from tests.faults.proxy import open_session
from tests.faults.users import PatientAdmin
from tests.support.etcd import Etcd
from tests.support.operators import Credentials, chart_settings, install_rights
from tests.support.recorder import Recorder
from tests.support.rest import MERGE_PATCH

T = TypeVar("T")

_touches = itertools.count(1)

OWN_ROLE = "fault-plans"
"""ClusterRole with what the chart's Role gives an operator in its own namespace."""

CLASSES = "/apis/networking.k8s.io/v1/ingressclasses"
CLASS = "fault-plans"
"""An IngressClass that no other test knows."""

VALUES = (*INGRESS, f"--set=settings.webServer.ingress.className={CLASS}")
"""Values of the chart: runs have URLs."""
RBAC = "/apis/rbac.authorization.k8s.io/v1"

OWN_RULES = (
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resourceNames": ["actor-operator"],
        "verbs": ["get", "update"],
    },
    {
        "apiGroups": [""],
        "resources": ["secrets"],
        "resourceNames": ["actor-operator-keys"],
        "verbs": ["get"],
    },
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
    # For a planted defect alone: the operator never asks for it.
    {"apiGroups": ["actor-operator.dev"], "resources": ["actorruns/status"], "verbs": ["patch"]},
)
"""Its rules: each plan has an operator of its own, with its own Lease and keys."""


class Stage:
    """Where plans are run; a context manager.

    Parameters
    ----------
    control_plane
        With simulated nodes; it is made ready for operators here.
    recorder
        Records all that is committed in it.
    folder
        Where files go.
    """

    def __init__(self, control_plane: ControlPlane, recorder: Recorder, folder: Path) -> None:
        self.control_plane = control_plane
        self.recorder = recorder
        self.folder = folder
        self._stack = ExitStack()
        self._local = threading.local()
        self._admins: list[PatientAdmin] = []
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies")

    def __enter__(self) -> Self:
        self._thread.start()
        self._stack.callback(self._end_loop)
        self.session: aiohttp.ClientSession = self.call(self._open_session())
        self._stack.callback(lambda: self.call(self.session.close()))
        self.nursery = self._stack.enter_context(Nursery(self.folder / "nursery.log"))
        install_rights(self.control_plane, *VALUES)
        self._grant()
        self.settings = chart_settings(*VALUES)
        names = ("fault-plans", "fault-plans-later")
        credentials = [Credentials(self.control_plane, name, self.folder) for name in names]
        self.tokens = [found.kubeconfig for found in credentials]
        """Kubeconfigs with a good token each."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        for admin in self._admins:
            admin.close()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the event loop of the proxies, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open_session(self) -> aiohttp.ClientSession:
        return open_session(str(self.control_plane.ca))

    def now(self) -> float:
        """The time of that event loop."""
        return self._loop.time()

    @property
    def admin(self) -> PatientAdmin:
        """The administrator, over a connection of this thread's own."""
        found: PatientAdmin | None = getattr(self._local, "admin", None)
        if found is None:
            found = self._local.admin = PatientAdmin(self.control_plane)
            self._admins.append(found)
        return found

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def _grant(self) -> None:
        account = {"kind": "ServiceAccount", "name": RELEASE, "namespace": NAMESPACE}
        role = {"kind": "ClusterRole", "metadata": {"name": OWN_ROLE}, "rules": list(OWN_RULES)}
        binding = {
            "kind": "ClusterRoleBinding",
            "metadata": {"name": OWN_ROLE},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": OWN_ROLE,
            },
            "subjects": [account],
        }
        shaped = ((f"{RBAC}/clusterroles", role), (f"{RBAC}/clusterrolebindings", binding))
        ingress_class = {"metadata": {"name": CLASS}, "spec": {"controller": "example.com/none"}}
        for path, body in (*shaped, (CLASSES, ingress_class)):
            answer = self.admin.call("POST", path, body)
            assert answer.code in {201, 409}, answer.sentences

    def write_kubeconfig(self, token: Path, server: str, file: Path) -> None:
        """Write a kubeconfig with the token of another one, for another address."""
        config = yaml.safe_load(token.read_text())
        config["clusters"][0]["cluster"] = {"server": server}
        # In one step: an operator may read it at this moment.
        new = file.with_suffix(".new")
        new.write_text(yaml.safe_dump(config))
        new.replace(file)

    def touch(self, path: str) -> None:
        """Change an object as another client would; nothing happens when it is gone."""
        body = {"metadata": {"annotations": {"example.com/touched": str(next(_touches))}}}
        path = path.removesuffix("/status")
        self.admin.call("PATCH", path, body, content_type=MERGE_PATCH)

    def disturb(self, does: Disturbance, seconds: float) -> None:
        """Do to the API server what a plan says, for some seconds."""
        plane = self.control_plane
        match does:
            case "kill":
                plane.kill_api_server()
                Etcd(plane.etcd_url).compact()
                time.sleep(seconds)
                plane.start_api_server()
            case "stop":
                pid = plane.pid("kube-apiserver")
                os.kill(pid, signal.SIGSTOP)
                time.sleep(seconds)
                os.kill(pid, signal.SIGCONT)
