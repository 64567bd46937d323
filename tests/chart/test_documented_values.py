"""The values that a page shows: helm takes them, and the operator what helm makes of them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.chart.helm import ROOT, objects

from actor_operator.settings import load_settings

pytestmark = pytest.mark.chart

BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""A block of YAML."""

VALUES = frozenset({"settings", "admissionPolicies"})
"""What blocks of values begin with; others are parts of objects."""


def documented() -> list[dict[str, Any]]:
    """The blocks of values of the page about web servers."""
    page = (ROOT / "docs/web-servers.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in BLOCK.findall(page)]
    return [block for block in blocks if block.keys() <= VALUES]


def test_the_page_shows_values() -> None:
    assert len(documented()) > 6


@pytest.mark.parametrize("values", documented(), ids=str)
def test_documented_values_start_an_operator(values: dict[str, Any], tmp_path: Path) -> None:
    found = {item["kind"]: item for item in objects(values=values)}
    file = tmp_path / "settings.yaml"
    file.write_text(found["ConfigMap"]["data"]["settings.yaml"])

    web = load_settings(file).web_server

    asked = values.get("settings", {}).get("webServer", {})
    assert web.enabled == ("domain" in asked)
    assert web.mode == asked.get("mode", "ingress")
