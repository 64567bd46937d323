"""The estimate of what rules cost, against numbers of the API server's own code."""

from collections.abc import Iterator
from typing import Any

import pytest

from actor_operator.crdgen.cel import CelError
from actor_operator.crdgen.cost import SHARE_OF_LIMIT, TOTAL_LIMIT, rule_costs
from actor_operator.crdgen.kinds import KINDS
from actor_operator.crdgen.manifest import root_schema

APISERVER = {
    "Actor": [
        (".", 2202019),
        (".spec", 94597),
        (".spec", 1423),
        (".spec.builds[]", 3370624),
        (".spec.builds[].number", 5888),
        (".spec.builds[].image", 501760),
        (".spec.builds[].env[]", 19200),
        (".spec.builds[].env[]", 134400),
        (".spec.builds[].env[]", 761600),
        (".spec.builds[].env[].name", 2003200),
        (".spec.taggedBuilds", 898),
        (".spec.taggedBuilds[]", 5888),
        (".spec.defaultRunOptions.build", 339),
        (".spec.env[]", 300),
        (".spec.env[]", 2100),
        (".spec.env[]", 11900),
        (".spec.env[].name", 31300),
    ],
    "ActorRun": [
        (".", 2202019),
        (".", 20),
        (".", 24),
        (".", 43),
        (".spec", 157),
        (".spec.actor", 817),
        (".spec.build", 339),
        (".spec.abort", 12),
        (".spec.resurrect", 75),
        (".spec.resurrect.build", 339),
        (".status", 41),
        (".status", 10),
        (".status", 37),
        (".status", 18),
        (".status", 39),
        (".status", 22),
        (".status", 250),
    ],
    "ActorAccount": [(".", 2516592)],
}
"""What the API server of Kubernetes 1.36.3 estimates for each rule of our CRDs.

Found with cel.Compile of k8s.io/apiextensions-apiserver v0.36.3 (MaxCost times cardinality). When a
rule changes, its number is to be found anew, or the line to be taken out.
"""


FOUND = [kind for kind in KINDS if kind.__name__ in APISERVER]
"""Kinds of which the numbers were found; the rules of the others are of the same forms."""


@pytest.mark.parametrize("kind", FOUND, ids=lambda kind: kind.__name__)
def test_the_estimate_is_the_api_servers(kind: Any) -> None:
    costs = [(cost.path, cost.units) for cost in rule_costs(root_schema(kind))]

    assert costs == APISERVER[kind.__name__]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_rules_of_a_kind_stay_below_our_share_of_the_limit(kind: Any) -> None:
    total = sum(cost.units for cost in rule_costs(root_schema(kind)))

    assert total < TOTAL_LIMIT * SHARE_OF_LIMIT


def costs(**fields: Any) -> Iterator[int]:
    """Units of the rules of an object with these fields."""
    spec = {"type": "object", "properties": fields}
    root = {"properties": {"spec": spec}}
    return (cost.units for cost in rule_costs(root))


def text(rule: str, **bounds: Any) -> dict[str, Any]:
    """The schema of a text with a rule."""
    return {
        "type": "string",
        "x-kubernetes-validations": [{"rule": rule, "message": "so it is"}],
        **bounds,
    }


def test_a_regular_expression_costs_its_length_times_the_texts() -> None:
    # (4 bytes * 100 + 1) / 10 rounded up, times 8 / 4, and 1 for self
    assert list(costs(a=text("self.matches('12345678')", maxLength=100))) == [41 * 2 + 1]


def test_a_text_without_a_bound_is_as_long_as_a_request() -> None:
    assert list(costs(a=text("self.matches('1234')"))) == [314574]


def test_a_rule_of_an_item_is_paid_for_each_item() -> None:
    item = text("self.size() > 1", maxLength=5)
    items = {"type": "array", "maxItems": 7, "items": item}
    values = {"type": "object", "maxProperties": 9, "additionalProperties": item}

    assert list(costs(a=items, b=values)) == [3 * 7, 3 * 9]


def test_what_is_not_understood_is_an_error() -> None:
    with pytest.raises(CelError, match="cannot read"):
        list(costs(a=text("self == `x`", maxLength=1)))
    with pytest.raises(CelError, match="all needs a variable"):
        list(costs(a=text("[1].all('x', true)", maxLength=1)))
