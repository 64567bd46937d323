"""The bill of materials names all that the image installs."""

import json
import re
from pathlib import Path

import pytest
from tests.sbom import RUNTIME, write_bill

pytestmark = pytest.mark.chart


def test_the_bill_names_every_package_with_its_hashes(tmp_path: Path) -> None:
    write_bill(tmp_path / "bill.json")
    bill = json.loads((tmp_path / "bill.json").read_text())

    installed = set(
        re.findall(r"^([^\s=\[]+)(?:\[\S+\])?==(\S+)", RUNTIME.read_text(), re.MULTILINE)
    )
    named = {(part["name"], part["version"]) for part in bill["components"]}
    assert len(installed) > 40
    assert named == installed
    for part in bill["components"]:
        assert part["purl"].startswith(f"pkg:pypi/{part['name']}@{part['version']}")
        (source,) = part["externalReferences"]
        assert {found["alg"] for found in source["hashes"]} == {"SHA-256"}
    assert bill["metadata"]["component"]["name"] == "actor-operator"
