"""What holds for every CRD of ours."""

from collections.abc import Iterator
from typing import Any

import pytest

from actor_operator.api.base import CustomResource
from actor_operator.api.v1alpha1.actor_run import ActorRun
from actor_operator.api.v1alpha1.actor_token import ActorToken
from actor_operator.crdgen.kinds import KINDS
from actor_operator.crdgen.manifest import custom_resource_definition, parts_of, root_schema
from actor_operator.crdgen.schema import Schema

FORBIDDEN = {
    "$defs",
    "$ref",
    "allOf",
    "anyOf",
    "const",
    "definitions",
    "dependencies",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "examples",
    "id",
    "not",
    "oneOf",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "title",
    "uniqueItems",
}
"""Keywords that a structural schema does not have, or that make it worse."""

POD_WORDS = frozenset(
    {
        "affinity",
        "annotation",
        "args",
        "capabilit",
        "command",
        "container",
        "env",
        "host",
        "image",
        "label",
        "mount",
        "node",
        "priority",
        "privileged",
        "runtimeclass",
        "secret",
        "securitycontext",
        "serviceaccount",
        "template",
        "toleration",
        "volume",
    }
)
"""Parts of names of fields that would shape a pod."""


def nodes(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Every node of a schema below and with this one, with its path."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from nodes(schema[key], f"{path}[]")


@pytest.fixture(params=range(len(KINDS)), ids=[kind.__name__ for kind in KINDS])
def kind(request: pytest.FixtureRequest) -> type[CustomResource]:
    chosen: type[CustomResource] = KINDS[request.param]
    return chosen


@pytest.fixture
def schema(kind: type[CustomResource]) -> list[tuple[str, Schema]]:
    """The nodes of spec and status, with their paths."""
    properties = root_schema(kind)["properties"]
    return [pair for part in parts_of(kind) for pair in nodes(properties[part], part)]


def test_no_node_has_a_forbidden_keyword(schema: list[tuple[str, Schema]]) -> None:
    assert [path for path, node in schema if FORBIDDEN & set(node)] == []


def test_every_node_has_a_type_that_kubernetes_knows(schema: list[tuple[str, Schema]]) -> None:
    types = {"array", "boolean", "integer", "number", "object", "string"}

    assert [path for path, node in schema if node.get("type") not in types] == []


def test_every_text_has_a_bound(schema: list[tuple[str, Schema]]) -> None:
    bounds = {"maxLength", "enum", "format"}

    assert [
        path for path, node in schema if node["type"] == "string" and not bounds & set(node)
    ] == []


def test_every_list_and_map_has_a_bound(schema: list[tuple[str, Schema]]) -> None:
    for path, node in schema:
        if node["type"] == "array":
            assert "maxItems" in node, path
        if "additionalProperties" in node:
            assert "maxProperties" in node, path


def test_every_object_has_fields_or_is_the_input(schema: list[tuple[str, Schema]]) -> None:
    free = [
        path
        for path, node in schema
        if node["type"] == "object" and not {"properties", "additionalProperties"} & set(node)
    ]

    assert [path for path in free if path != "spec.input"] == []


def test_every_number_of_the_spec_has_bounds(schema: list[tuple[str, Schema]]) -> None:
    for path, node in schema:
        if path.startswith("spec") and node["type"] in {"integer", "number"}:
            assert "enum" in node or {"minimum", "maximum"} <= set(node), path


def test_every_list_says_how_it_is_merged(schema: list[tuple[str, Schema]]) -> None:
    for path, node in schema:
        if node["type"] != "array":
            continue
        kind_of_list = node["x-kubernetes-list-type"]
        assert kind_of_list in {"map", "set", "atomic"}, path
        if kind_of_list == "map":
            assert set(node["x-kubernetes-list-map-keys"]) <= set(node["items"]["required"]), path


def test_every_field_is_described_by_whole_sentences(schema: list[tuple[str, Schema]]) -> None:
    for path, node in schema:
        if path.endswith("[]"):
            continue
        text = node.get("description", "")
        assert text.endswith("."), path
        assert text[0].isupper() or text[0] == "`", path
        assert "\n" not in text, path


def test_every_rule_has_a_sentence_that_fits(kind: type[CustomResource]) -> None:
    for path, node in nodes(root_schema(kind), ""):
        for rule in node.get("x-kubernetes-validations", []):
            assert 10 < len(rule["message"]) <= 2048, path
            assert "\n" not in rule["message"] + rule["rule"], path
            # An image's path may not end in a dot, a sentence of ours has its dot from nobody.
            assert not rule["message"].endswith("."), path


def test_a_run_has_no_field_that_shapes_its_pod() -> None:
    """What reaches the pod is decided by the Actor and the operator's settings."""
    paths = [path.lower() for path, _ in nodes(root_schema(ActorRun)["properties"]["spec"], "spec")]

    assert [path for path in paths if any(word in path for word in POD_WORDS)] == []


def test_the_values_of_a_run_cannot_carry_text_to_its_pod() -> None:
    """Every text of a run's spec is a name with a strict form, one of few words, or the input."""
    texts = {
        path: node
        for path, node in nodes(root_schema(ActorRun)["properties"]["spec"], "spec")
        if node["type"] == "string" and "enum" not in node
    }

    assert set(texts) == {"spec.actor", "spec.build", "spec.resurrect.build"}
    assert all("matches" in str(node["x-kubernetes-validations"]) for node in texts.values())


def test_a_crd_survives_the_chart_and_has_a_status(kind: type[CustomResource]) -> None:
    crd = custom_resource_definition(kind)
    version = crd["spec"]["versions"][0]

    assert crd["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    # Nobody has anything to say of a token.
    expected: Any = None if kind is ActorToken else {"status": {}}
    assert version.get("subresources") == expected
    assert (version["served"], version["storage"]) == (True, True)


def test_no_category_is_the_plural_of_a_kind() -> None:
    """kubectl looks for categories first: it would take the kind's name for several kinds."""
    names: list[dict[str, Any]] = [
        custom_resource_definition(kind)["spec"]["names"] for kind in KINDS
    ]
    plurals = {name for entry in names for name in (entry["plural"], entry["singular"])}

    assert not plurals & {category for entry in names for category in entry.get("categories", [])}


def test_a_run_can_be_selected_by_phase_end_and_actor() -> None:
    version = custom_resource_definition(ActorRun)["spec"]["versions"][0]

    assert version["selectableFields"] == [
        {"jsonPath": ".status.phase"},
        {"jsonPath": ".status.finished"},
        {"jsonPath": ".spec.actor"},
    ]


def test_a_new_run_is_ready_without_a_write() -> None:
    assert root_schema(ActorRun)["properties"]["status"]["default"] == {
        "phase": "READY",
        "attempt": 1,
        "observedGeneration": -1,
        "finished": False,
    }


def test_the_columns_that_are_not_wide_come_first(kind: type[CustomResource]) -> None:
    version = custom_resource_definition(kind)["spec"]["versions"][0]
    priorities = [column.get("priority", 0) for column in version["additionalPrinterColumns"]]

    assert priorities == sorted(priorities)
