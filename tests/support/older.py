"""CRDs as an older release had them: without the newest fields.

The API server drops fields that it does not know, so this is what an operator meets whose CRDs
were not upgraded with it.
"""

import copy
from typing import Any

import yaml
from tests.chart.helm import ROOT

Definition = dict[str, Any]
"""A CustomResourceDefinition."""

NEWEST = {
    "actorruns": (
        "status.admittedAt",
        "status.restartedAt",
        "status.stats.rebootCount",
        "status.options.restartOnError",
        "status.options.maxItems",
        "status.options.maxTotalChargeUsd",
    ),
    "actoraccounts": ("status.maxConcurrentRuns", "status.memoryLimitMbytes"),
}
"""By kind, what the release before this one did not have."""

RULES = "x-kubernetes-validations"


def older_crds() -> list[Definition]:
    """The CRDs without the newest fields, and without the rules that read them."""
    paths = sorted((ROOT / "crds").glob("*.yaml"))
    return [older(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in paths]


def older(crd: Definition) -> Definition:
    """One CRD without its newest fields.

    Raises
    ------
    KeyError
        If it does not have one of them: then the list above is wrong.
    """
    found = copy.deepcopy(crd)
    for version in found["spec"]["versions"]:
        schema = version["schema"]["openAPIV3Schema"]
        for path in NEWEST.get(found["spec"]["names"]["plural"], ()):
            *parents, field = path.split(".")
            node = schema
            for name in parents:
                node = node["properties"][name]
            del node["properties"][field]
            _drop_rules(schema, field)
    return found


def _drop_rules(node: Any, field: str) -> None:
    """Drop every rule that reads a field."""
    if isinstance(node, list):
        for item in node:
            _drop_rules(item, field)
    elif isinstance(node, dict):
        if RULES in node:
            node[RULES] = [rule for rule in node[RULES] if field not in rule["rule"]]
        for child in node.values():
            _drop_rules(child, field)
