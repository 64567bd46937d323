"""Whole NetworkPolicies, as files: see ``golden/``; and what a reader of them could miss."""

import ipaddress
from typing import Any

import pytest
from tests.support.golden import Golden

from actor_operator.desired.network_policy import build_network_policy
from actor_operator.settings import Settings
from actor_operator.settings_api import ApiSettings
from actor_operator.settings_web import NetworkSettings


def spec_of(**settings: Any) -> dict[str, Any]:
    spec: dict[str, Any] = build_network_policy(
        "shop", Settings(network=NetworkSettings(**settings))
    )["spec"]
    return spec


def reaches(spec: dict[str, Any], address: str) -> bool:
    """Whether the ranges of addresses of the rules for all ports lead to an address."""
    wanted = ipaddress.ip_address(address)
    blocks = [
        peer["ipBlock"]
        for rule in spec.get("egress", ())
        for peer in rule["to"]
        if "ports" not in rule and "ipBlock" in peer
    ]
    return any(
        wanted in ipaddress.ip_network(block["cidr"])
        and not any(wanted in ipaddress.ip_network(out) for out in block.get("except", ()))
        for block in blocks
    )


def test_a_policy_of_default_settings(golden: Golden) -> None:
    golden.check("network-policy", build_network_policy("shop", Settings()))


def test_a_policy_with_everything_set(golden: Golden) -> None:
    network = NetworkSettings(
        web_server_from=("traefik", "192.0.2.0/28", "2001:db8::/64"),
        dns_to=("openshift-dns",),
        dns_ports=(5353,),
        block_private=False,
        blocked=("203.0.113.0/24", "2001:DB8:1::/48"),
        allowed=("databases", "10.1.2.3"),
    )

    golden.check(
        "network-policy-everything", build_network_policy("shop", Settings(network=network))
    )


WITH_API = ApiSettings(
    enabled=True, internal_url="http://api.ops.svc", events_url="http://events.ops.svc", port=8123
)


@pytest.mark.parametrize(
    "network",
    [NetworkSettings(), NetworkSettings(dns_to=(), blocked=("0.0.0.0/0", "::/0"))],
    ids=["by default", "where nothing else is reached"],
)
def test_runs_always_reach_the_pods_of_the_api_and_of_the_events(network: NetworkSettings) -> None:
    def egress(settings: Settings) -> list[Any]:
        rules: list[Any] = build_network_policy("shop", settings)["spec"].get("egress", [])
        return rules

    ops = Settings(namespace="ops", network=network)
    with_api = ops.model_copy(update={"api": WITH_API})

    assert egress(with_api) == [
        *egress(ops),
        {
            "to": [
                {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ops"}},
                    "podSelector": {
                        "matchLabels": {"app.kubernetes.io/name": "actor-operator-server"}
                    },
                }
            ],
            "ports": [{"port": 8123, "protocol": "TCP"}],
        },
    ]


@pytest.mark.parametrize(
    "address",
    [
        "10.244.1.7",
        "10.96.0.1",
        "172.31.0.1",
        "192.168.1.1",
        "100.100.100.200",
        "127.0.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "fd00:ec2::254",
        "fe80::1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::10.0.0.1",
    ],
)
def test_by_default_runs_reach_nothing_that_is_not_of_the_internet(address: str) -> None:
    assert not reaches(spec_of(), address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700::1", "64:ff9b::1.1.1.1"]
)
def test_by_default_runs_reach_the_internet(address: str) -> None:
    assert reaches(spec_of(), address)


def test_web_servers_are_reached_from_nowhere_unless_it_is_said_from_where() -> None:
    spec = spec_of()

    assert "Ingress" in spec["policyTypes"]
    assert "ingress" not in spec


def test_no_rule_is_without_peers_because_it_would_allow_everything() -> None:
    spec = spec_of(dns_to=(), allowed=(), blocked=("0.0.0.0/0", "::/0"))

    assert "Egress" in spec["policyTypes"]
    assert "egress" not in spec


def test_an_exception_is_never_as_large_as_what_it_is_taken_from() -> None:
    """The API server refuses such a policy."""
    (_, internet) = spec_of(blocked=("0.0.0.0/1", "128.0.0.0/1"))["egress"]

    assert [peer["ipBlock"]["cidr"] for peer in internet["to"]] == ["::/0"]


def test_the_order_of_settings_makes_no_other_policy() -> None:
    blocked = ("203.0.113.0/25", "198.51.100.0/24", "203.0.113.128/25", "203.0.113.0/25")

    assert spec_of(blocked=blocked) == spec_of(blocked=("198.51.100.0/24", "203.0.113.0/24"))


def test_ranges_of_ipv4_are_not_written_as_ipv6() -> None:
    with pytest.raises(ValueError, match="is a range of IPv4"):
        NetworkSettings(blocked=("::ffff:10.0.0.0/104",))
