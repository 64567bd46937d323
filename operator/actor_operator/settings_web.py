"""Settings of the runs' web servers: their URLs, how they are routed, and who may reach what."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from actor_operator.settings_groups import Cidr, Group, Name, NamespaceName, Port

Domain = Annotated[
    str,
    StringConstraints(max_length=226),
    Field(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*)?$"
    ),
]
"""A DNS name; the label of a run (26 symbols and a dot) is put before it."""

AnnotationKey = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?"
        r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
    ),
]
"""The key of a Kubernetes annotation."""


class WebServerMode(StrEnum):
    """How requests reach the web server of a run."""

    INGRESS = "ingress"
    """A Service and an Ingress for each run."""

    HTTP_ROUTE = "httproute"
    """A Service and a Gateway API HTTPRoute for each run."""

    NONE = "none"
    """Not at all: runs have no URLs."""


class Scheme(StrEnum):
    """How URLs of runs begin."""

    HTTP = "http"
    HTTPS = "https"


class PathType(StrEnum):
    """The ``pathType`` of an Ingress."""

    PREFIX = "Prefix"
    IMPLEMENTATION_SPECIFIC = "ImplementationSpecific"


class IngressTlsSettings(Group):
    """The TLS section of Ingresses, where the scheme is https."""

    enabled: bool = True
    """Whether there is one. False: something before the ingress controller ends TLS."""

    secret_name: Name | None = None
    """Secret with the certificate for all runs; it must exist in the runs' namespaces. Absent: the
    ingress controller's default certificate."""

    cluster_issuer: Name | None = None
    """ClusterIssuer of cert-manager that makes a certificate for each run. A wildcard certificate
    is better: it is there before the run, and an issuer has limits."""

    @model_validator(mode="after")
    def _check_source(self) -> "IngressTlsSettings":
        if self.secret_name is not None and self.cluster_issuer is not None:
            raise ValueError("name either secretName or clusterIssuer")
        return self


class IngressSettings(Group):
    """Ingresses of runs, in the mode ingress."""

    class_name: Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$")] = ""
    """The IngressClass of the controller that serves them; needed with a domain."""

    annotations: dict[AnnotationKey, str] = {}  # noqa: RUF012 -- pydantic copies it
    """Annotations of every Ingress, for its controller."""

    path_type: PathType = PathType.PREFIX
    """``Prefix`` or, for controllers that want it, ``ImplementationSpecific``."""

    tls: IngressTlsSettings = IngressTlsSettings()
    """TLS, where the scheme is https."""

    require_address: bool = False
    """Whether a web server counts as reachable only when the ingress controller has written its
    address into the Ingress. Not every controller does."""


class GatewaySettings(Group):
    """The Gateway that HTTPRoutes of runs are attached to, in the mode httproute."""

    name: Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$")] = ""
    """Its name; needed with a domain."""

    namespace: Annotated[str, Field(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$")] = ""
    """Its namespace; needed with a domain."""

    section_name: Name | None = None
    """The one listener to use; absent: each that takes the host."""


class WebServerSettings(Group):
    """Web servers of runs: every run has a URL when there is a domain."""

    mode: WebServerMode = WebServerMode.INGRESS
    """``ingress``, ``httproute`` (Gateway API) or ``none``."""

    domain: Domain = ""
    """Runs are reached at ``<label>.<domain>``; a wildcard DNS record must lead to the ingress
    controller or Gateway. Empty: runs have no URLs."""

    scheme: Scheme = Scheme.HTTPS
    """How URLs begin."""

    port: Port | None = None
    """Port in URLs; absent: the scheme's own."""

    ingress: IngressSettings = IngressSettings()
    """Ingresses."""

    gateway: GatewaySettings = GatewaySettings()
    """Gateway."""

    @property
    def enabled(self) -> bool:
        """Whether runs have URLs."""
        return bool(self.domain) and self.mode is not WebServerMode.NONE

    @model_validator(mode="after")
    def _check_target(self) -> "WebServerSettings":
        if self.enabled and self.mode is WebServerMode.INGRESS and not self.ingress.class_name:
            raise ValueError("ingress.className must name the IngressClass that serves the domain")
        gateway = self.gateway.name and self.gateway.namespace
        if self.enabled and self.mode is WebServerMode.HTTP_ROUTE and not gateway:
            raise ValueError("gateway.name and gateway.namespace must name the domain's Gateway")
        return self


PRIVATE_CIDRS = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/3",
    "::/127",
    "64:ff9b:1::/48",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
)
"""Addresses that are not of the internet (RFC 6890): clusters, their nodes, metadata servers (one
of them, Azure's, at an address that looks like a public one), and groups."""

Peer = NamespaceName | Cidr
"""A namespace by its name, or a range of addresses."""

Peers = Annotated[tuple[Peer, ...], Field(max_length=50)]
"""Some of them."""


class NetworkSettings(Group):
    """What run pods may reach, and who may reach them.

    There is one NetworkPolicy in each of the runs' namespaces; a network plugin must enforce it.
    """

    policy: bool = True
    """Make the NetworkPolicy. False: none is made any more; those that exist stay."""

    web_server_from: Peers = ()
    """From where web servers may be reached: namespaces by name, or ranges of addresses. That is
    the namespace of the ingress controller, or for one in the nodes' network their addresses.
    Empty: from nowhere in the cluster."""

    dns_to: Peers = ("kube-system", "169.254.20.10/32")
    """Where names are resolved: namespaces by name, or ranges of addresses."""

    dns_ports: Annotated[tuple[Port, ...], Field(max_length=10)] = (53,)
    """Ports, UDP and TCP, on which the pods of the name service listen."""

    block_private: bool = True
    """Whether runs may not reach addresses that are not of the internet: private ranges, clusters,
    nodes, metadata servers."""

    blocked: Annotated[tuple[Cidr, ...], Field(max_length=200)] = ()
    """Ranges of addresses that runs may not reach either; all others they may. Add the address of
    the Kubernetes API if it is a public one."""

    allowed: Peers = ()
    """What runs may reach all the same: namespaces by name, or ranges of addresses, for example of
    a database or a proxy."""
