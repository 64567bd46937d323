"""The NetworkPolicy of a namespace with runs: who reaches them, and what they reach."""

import ipaddress
from collections.abc import Iterable
from typing import Any

from actor_operator.constants import (
    FIELD_MANAGER,
    LABEL_MANAGED_BY,
    LABEL_NAME,
    LABEL_NETWORK,
    LABEL_RUN_UID,
    SERVER_NAME,
    WEB_PORT_NAME,
)
from actor_operator.settings import Settings
from actor_operator.settings_web import PRIVATE_CIDRS, NetworkSettings

POLICY_NAME = "actor-operator-runs"
"""Name of the policy, the same in every namespace."""

LABELS = {LABEL_MANAGED_BY: FIELD_MANAGER, LABEL_NETWORK: "runs"}
"""Labels of the policies."""

EVERYWHERE = ("0.0.0.0/0", "::/0")
"""All addresses of each family."""

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Under which a translator shows all of IPv4 to those who have IPv6 only (RFC 6052)."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def build_network_policy(namespace: str, settings: Settings) -> dict[str, Any]:
    """The policy of all run pods of a namespace, as it is on the wire.

    With the API server's defaults, because a stored one is compared with it.
    """
    network = settings.network
    spec: dict[str, Any] = {
        "podSelector": {"matchExpressions": [{"key": LABEL_RUN_UID, "operator": "Exists"}]},
        "policyTypes": ["Ingress", "Egress"],
    }
    # A rule without peers would be one for all of them, and the API server drops empty lists.
    if network.web_server_from:
        ports = [{"port": WEB_PORT_NAME, "protocol": "TCP"}]
        spec["ingress"] = [{"from": _peers(network.web_server_from), "ports": ports}]
    if egress := [*_build_egress(network), *_build_egress_to_api(settings)]:
        spec["egress"] = egress
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": POLICY_NAME, "namespace": namespace, "labels": dict(LABELS)},
        "spec": spec,
    }


def _build_egress(network: NetworkSettings) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    if network.dns_to and network.dns_ports:
        ports = [
            {"port": port, "protocol": protocol}
            for port in network.dns_ports
            for protocol in ("UDP", "TCP")
        ]
        rules.append({"to": _peers(network.dns_to), "ports": ports})
    blocked = (*(PRIVATE_CIDRS if network.block_private else ()), *network.blocked)
    if internet := _all_but(map(ipaddress.ip_network, blocked)):
        rules.append({"to": internet})
    if network.allowed:
        rules.append({"to": _peers(network.allowed)})
    return rules


def _build_egress_to_api(settings: Settings) -> list[dict[str, Any]]:
    """Runs reach the API and the events, whatever else they may not: without them none works."""
    if not settings.api.enabled:
        return []
    pods = {"matchLabels": {LABEL_NAME: SERVER_NAME}}
    port = {"port": settings.api.port, "protocol": "TCP"}
    return [{"to": [_peer(settings.namespace) | {"podSelector": pods}], "ports": [port]}]


def _peers(texts: Iterable[str]) -> list[dict[str, Any]]:
    return [_peer(text) for text in texts]


def _peer(text: str) -> dict[str, Any]:
    """A range of addresses, or all pods of a namespace."""
    try:
        return {"ipBlock": {"cidr": str(ipaddress.ip_network(text))}}
    except ValueError:
        # Every namespace has this label, which nobody can change.
        return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": text}}}


def _all_but(blocked: Iterable[Network]) -> list[dict[str, Any]]:
    """All addresses without some; a family of which nothing is left is not there."""
    blocked = list(blocked)
    v4 = [network for network in blocked if isinstance(network, ipaddress.IPv4Network)]
    v6 = [network for network in blocked if isinstance(network, ipaddress.IPv6Network)]
    families = (ipaddress.collapse_addresses(v4), ipaddress.collapse_addresses([*v6, *_behind(v4)]))
    peers: list[dict[str, Any]] = []
    for everything, family in zip(EVERYWHERE, families, strict=True):
        exceptions = [str(network) for network in family]
        if everything not in exceptions:
            block = {"cidr": everything} | ({"except": exceptions} if exceptions else {})
            peers.append({"ipBlock": block})
    return peers


def _behind(networks: Iterable[ipaddress.IPv4Network]) -> Iterable[ipaddress.IPv6Network]:
    """Where ranges of IPv4 are for those who have IPv6 only: they are blocked there too."""
    for network in networks:
        address = int(NAT64.network_address) + int(network.network_address)
        yield ipaddress.IPv6Network((address, NAT64.prefixlen + network.prefixlen))
