"""Where something is measured: a new control plane with simulated nodes, and the operator."""

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.bench.contenders import IMAGES, actor
from tests.cluster_tool.control_plane import ControlPlane
from tests.support.operators import Credentials, OperatorProcess, chart_settings, install_rights
from tests.support.rest import GROUP_PATH, RestClient

UNLIMITED = ("--kube-api-qps=1000", "--kube-api-burst=2000")
"""Lets a program ask as often as it likes; by default it waits after a few calls a second."""

TUNED = (*UNLIMITED, "--concurrent-job-syncs=50")
"""Flags of the controller-manager with which the Job controller is fastest."""

SHIPPED: tuple[str, ...] = ()
"""The Job controller as it comes: 20 calls a second, 5 Jobs at the same time."""

SIMULATED_NODES = 5
"""They have room for 5000 pods."""

SERVICE_ACCOUNT_SECONDS = 60.0
"""How long a namespace may be without its service account."""


class Arena:
    """One control plane, and replicas of the operator; a context manager.

    Parameters
    ----------
    folder
        Where files of the replicas go.
    jobs
        Flags of the controller-manager. The scheduler is never what keeps pods waiting.
    values
        Values of the chart, as helm takes them.
    """

    def __init__(
        self, folder: Path, *, jobs: Sequence[str] = TUNED, values: Sequence[str] = ()
    ) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        """Where files of the replicas are."""
        self._values = values
        # Once: helm takes a second, which is none of a new process's.
        self._settings = chart_settings(*values)
        extra = {"kube-controller-manager": jobs, "kube-scheduler": UNLIMITED}
        self.plane = ControlPlane(simulated_nodes=SIMULATED_NODES, extra=extra)
        """The programs of Kubernetes."""
        self.replicas: list[OperatorProcess] = []
        """Every replica that was started, the newest last."""
        self._credentials: Credentials | None = None
        self._namespaces = 0

    def __enter__(self) -> Self:
        self.plane.__enter__()
        try:
            install_rights(self.plane, *self._values)
        except BaseException:
            self.plane.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for replica in self.replicas:
            if replica.running:
                replica.kill()
        self.plane.__exit__(kind, error, traceback)

    @property
    def leader(self) -> OperatorProcess:
        """The replica that leads.

        Raises
        ------
        StopIteration
            None does.
        """
        return next(replica for replica in self.replicas if replica.running and replica.leads)

    def start(self) -> OperatorProcess:
        """Start one more replica; returns at once."""
        number = len(self.replicas) + 1
        if self._credentials is None:
            self._credentials = Credentials(self.plane, "bench", self.folder)
        replica = OperatorProcess(
            f"replica-{number}", self._credentials, self._settings, self.folder
        )
        self.replicas.append(replica)
        return replica

    def start_leading(self) -> OperatorProcess:
        """Start a replica and wait until it leads."""
        replica = self.start()
        replica.wait_ready()
        replica.wait_leading()
        return replica

    def client(self) -> RestClient:
        """A connection of the administrator."""
        return RestClient(self.plane)

    def namespaces(self, count: int = 1) -> list[str]:
        """Make namespaces with the Actors, and wait until pods may be created in them.

        Raises
        ------
        AssertionError
            The API server refuses one, or nobody makes the service account.
        """
        first = self._namespaces
        self._namespaces += count
        names = [f"bench-{number}" for number in range(first, first + count)]
        client = self.client()
        for name in names:
            must(client, "POST", "/api/v1/namespaces", {"metadata": {"name": name}})
            for which in IMAGES:
                must(client, "POST", f"{GROUP_PATH}/namespaces/{name}/actors", actor(which))
        _wait_for_accounts(client, names)
        client.close()
        return names

    def pids(self) -> dict[str, list[int]]:
        """Process ids, by the name of the program; the last is the bench itself."""
        programs = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
        found = {program: [self.plane.pid(program)] for program in programs}
        operators = [replica.pid for replica in self.replicas if replica.running]
        return {**found, "operator": operators, "bench": [os.getpid()]}


def must(client: RestClient, verb: str, path: str, body: object) -> None:
    """Send a request that nothing may refuse.

    Raises
    ------
    AssertionError
        The API server refuses it.
    """
    answer = client.call(verb, path, body)
    assert answer.accepted, f"{verb} {path}: {answer.sentences}"


def _wait_for_accounts(client: RestClient, namespaces: Iterable[str]) -> None:
    deadline = time.monotonic() + SERVICE_ACCOUNT_SECONDS
    for name in namespaces:
        while not client.call("GET", f"/api/v1/namespaces/{name}/serviceaccounts/default").accepted:
            assert time.monotonic() < deadline, f"{name} has no service account"
            time.sleep(0.1)
