"""The samples in the repository are valid by the types."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from actor_operator.constants import API_VERSION
from actor_operator.crdgen.kinds import KINDS

SAMPLES = Path(__file__).parents[3] / "manifests" / "samples"

MODELS = {kind.__name__: kind for kind in KINDS}


def objects() -> list[Any]:
    """Every object of ours in the samples, with the name of its file."""
    return [
        pytest.param(document, id=f"{file.name} {document['kind']} {document['metadata']['name']}")
        for file in sorted(SAMPLES.glob("*.yaml"))
        for document in yaml.safe_load_all(file.read_text())
        if document["apiVersion"] == API_VERSION
    ]


def test_there_is_a_sample_of_every_kind_but_of_tokens() -> None:
    """A token in a public file would be one that everybody knows; actorctl makes them."""
    kinds = {parameter.values[0]["kind"] for parameter in objects()}

    assert kinds == set(MODELS) - {"ActorToken"}


@pytest.mark.parametrize("document", objects())
def test_a_sample_is_valid(document: dict[str, Any]) -> None:
    MODELS[document["kind"]].model_validate(document)


@pytest.mark.parametrize("document", objects())
def test_a_sample_names_no_request(document: dict[str, Any]) -> None:
    """Applying a file again must not abort or resurrect anything."""
    assert not {"abort", "resurrect", "reboot"} & set(document["spec"])
