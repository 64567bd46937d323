"""What every way of getting a cluster can do."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster_tool.errors import ClusterToolError


@dataclass(frozen=True)
class Request:
    """What the user asks for."""

    name: str
    nodes: int = 1
    simulated_nodes: int = 0
    api_port: int = 6443
    http_port: int = 8080


@dataclass(frozen=True)
class Report:
    """How a cluster is: one line per part, and whether all is well."""

    healthy: bool
    lines: tuple[tuple[str, str], ...]


class Provider(ABC):
    """One way of getting a cluster."""

    name: str

    @abstractmethod
    def up(self, request: Request) -> None:
        """Bring the cluster up, or find that it is up as asked for."""

    @abstractmethod
    def down(self) -> None:
        """Remove the cluster and all that came with it; nothing happens when there is none."""

    @abstractmethod
    def status(self) -> Report | None:
        """How the cluster is; None when there is none."""

    @abstractmethod
    def load_images(self, archives: Sequence[Path]) -> None:
        """Load OCI or Docker archives into every node."""

    def enforce_network_policies(self, *, on: bool) -> None:
        """Have every node enforce NetworkPolicies from now on, or no longer.

        Raises
        ------
        ClusterToolError
            The cluster's own network plugin decides on that.
        """
        raise ClusterToolError(
            f"A cluster of the provider {self.name} has a network plugin of its own, which enforces"
            " NetworkPolicies or does not."
        )

    @abstractmethod
    def kubeconfig(self) -> Path:
        """Kubeconfig of the cluster's administrator."""

    @abstractmethod
    def http_port(self) -> int | None:
        """Port of 127.0.0.1 that leads to the ingress controller; None when none is known."""
