"""A browser works in a run: nothing that it needs is missing or too small."""

import json
from typing import Any

import pytest
from tests.cluster_tool.images import catalog
from tests.node.conftest import Installed, cluster_tool
from tests.node.images.browser.image import BROWSER

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

MEBIBYTE = 1024 * 1024

DEFAULT_SHARED_MEMORY = 64 * MEBIBYTE
"""What containers have without the volume that runs get."""


@pytest.fixture(scope="module")
def report(installed: Installed) -> dict[str, Any]:
    """What a run found that rendered a page with a headless browser, as root."""
    cluster_tool("load-image", str(catalog.archive(BROWSER)))
    user = installed.user
    user.make_actor("browser", BROWSER.config.reference)
    user.start("browsing", "browser", memoryMbytes=2048, timeoutSecs=120)
    user.wait("browsing", "SUCCEEDED", 150)
    return dict(json.loads(user.log("browsing").splitlines()[-1]))


def test_a_browser_renders_a_page_and_runs_its_scripts(report: dict[str, Any]) -> None:
    assert report["text"] == "Rendered 4000 pixels wide."
    assert report["screenshot"] == [4000, 4000]


def test_a_large_page_takes_more_shared_memory_than_containers_have_by_default(
    report: dict[str, Any],
) -> None:
    assert DEFAULT_SHARED_MEMORY < report["shared_memory_peak"] <= 1024 * MEBIBYTE
