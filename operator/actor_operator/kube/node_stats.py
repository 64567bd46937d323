"""What containers use, asked of the kubelets themselves: ``/stats/summary``.

The API server could pass such questions on, but only for whoever may reach everything of a node
(``nodes/proxy``). Asked directly, the right to ``nodes/stats`` is enough.
"""

import asyncio
import ssl
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import msgspec

from actor_operator.api.views.metadata import View
from actor_operator.errors import ConfigurationError
from actor_operator.kube.credentials import Connection
from actor_operator.kube.errors import ServerError
from actor_operator.kube.transport import Request, Timeouts, Transport

KUBELET_PORT = 10250
"""Where kubelets serve https."""

TIMEOUTS = Timeouts(connect=1.0, read=2.0)
"""Short ones, in seconds: a late answer is worth nothing."""

PATH = "/stats/summary"

PARAMS = {"only_cpu_and_memory": "true"}
"""All else takes the kubelet a look at every disk."""


class CpuStats(View, frozen=True):
    """``cpu`` of a container."""

    time: datetime | None = None
    usage_core_nano_seconds: int | None = None
    """Processor time since the container's start, of all cores."""


class MemoryStats(View, frozen=True):
    """``memory`` of a container."""

    time: datetime | None = None
    working_set_bytes: int | None = None
    """What cannot be given back under pressure: what the limit is about."""


class ContainerStats(View, frozen=True):
    """One of ``pods[].containers[]``."""

    name: str
    start_time: datetime | None = None
    cpu: CpuStats = CpuStats()
    memory: MemoryStats = MemoryStats()


class PodReference(View, frozen=True):
    """``podRef`` of a pod."""

    uid: str


class PodStats(View, frozen=True):
    """One of ``pods[]``."""

    pod_ref: PodReference
    containers: tuple[ContainerStats, ...] = ()


class Summary(View, frozen=True):
    """What a kubelet answers."""

    pods: tuple[PodStats, ...] = ()


_DECODER = msgspec.json.Decoder(Summary)


def kubelet_trust(ca_file: Path) -> ssl.SSLContext:
    """Trust in certificates of kubelets that a CA has signed, and in no others.

    Raises
    ------
    ConfigurationError
        When the file holds no CA.
    """
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except OSError as exc:
        raise ConfigurationError(
            f"The CA of the kubelets in {ca_file} is not usable: {exc}"
        ) from exc


class NodeStats:
    """Asks kubelets.

    Parameters
    ----------
    base
        Whose credentials are used; its address is not.
    trust
        Which certificates are taken, as :func:`kubelet_trust` says.
    user_agent
        How we call ourselves.
    port
        Of the kubelets.
    """

    def __init__(
        self,
        base: Connection,
        trust: ssl.SSLContext,
        *,
        user_agent: str,
        port: int = KUBELET_PORT,
    ) -> None:
        self._base = base
        self._trust = trust
        self._user_agent = user_agent
        self._port = port
        self._transports: dict[str, Transport] = {}

    async def read(self, address: str) -> tuple[PodStats, ...]:
        """The numbers of all pods of a node.

        Parameters
        ----------
        address
            The node's address in the cluster, IPv4 or IPv6.

        Raises
        ------
        ApiError
            When the kubelet does not answer, refuses, or sends what is no summary.
        """
        transport = self._transports.get(address)
        if transport is None:
            transport = self._transports[address] = self._transport(address)
        body = await transport.call(Request("get", "NodeStats", "GET", PATH, PARAMS))
        try:
            return _DECODER.decode(body).pods
        except msgspec.MsgspecError as exc:
            raise ServerError(f"the kubelet sends what is no summary: {exc}") from exc

    async def keep_only(self, addresses: set[str]) -> None:
        """Close the connections to all other nodes."""
        gone = [self._transports.pop(key) for key in list(self._transports) if key not in addresses]
        await asyncio.gather(*(transport.close() for transport in gone))

    async def close(self) -> None:
        """Close all connections."""
        await self.keep_only(set())

    def _transport(self, address: str) -> Transport:
        host = f"[{address}]" if ":" in address else address
        connection = _of_node(self._base, f"https://{host}:{self._port}", self._trust)
        return Transport(connection, user_agent=self._user_agent, limit=1, timeouts=TIMEOUTS)


def _of_node(base: Connection, url: str, trust: ssl.SSLContext) -> Connection:
    """The same credentials for a kubelet, also after they were read anew."""
    return replace(
        base,
        url=url,
        ssl=trust,
        server_hostname=None,
        proxy=None,
        reload=lambda: _of_node(base.reload(), url, trust),
    )
