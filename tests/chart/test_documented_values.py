"""The values that a page shows: helm takes them, and the operator what helm makes of them."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.chart.helm import RELEASE, ROOT, one

from actor_operator.settings import Settings, load_settings

pytestmark = pytest.mark.chart

BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""A block of YAML."""

VALUES = frozenset({"settings", "admissionPolicies", "api"})
"""What blocks of values begin with; others are parts of objects."""


def documented(name: str) -> list[dict[str, Any]]:
    """The blocks of values of a page."""
    page = (ROOT / "docs" / name).read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in BLOCK.findall(page)]
    return [block for block in blocks if block.keys() <= VALUES]


def test_the_page_shows_values() -> None:
    assert len(documented("web-servers.md")) > 6
    assert len(documented("install.md")) > 1


def settings_of(values: dict[str, Any], folder: Path) -> Settings:
    """What the operator and the API server read when they are installed with these values."""
    file = folder / "settings.yaml"
    file.write_text(one("ConfigMap", RELEASE, values=values)["data"]["settings.yaml"])
    return load_settings(file)


@pytest.mark.parametrize("values", documented("web-servers.md"), ids=str)
def test_documented_values_start_an_operator(values: dict[str, Any], tmp_path: Path) -> None:
    web = settings_of(values, tmp_path).web_server

    asked = values.get("settings", {}).get("webServer", {})
    assert web.enabled == ("domain" in asked)
    assert web.mode == asked.get("mode", "ingress")


@pytest.mark.parametrize("values", documented("install.md"), ids=str)
def test_documented_values_start_an_api_server(values: dict[str, Any], tmp_path: Path) -> None:
    api = settings_of(values, tmp_path).api

    assert (api.storage.database_url_file is not None) == ("database" in values["api"])
    assert api.public_url == (
        "https://api.actors.example.com" if "ingress" in values["api"] else ""
    )
