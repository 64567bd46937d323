"""Fixtures of the chart's tests; they are skipped, with a reason, where helm cannot be had."""

from typing import Any

import pytest
from tests.chart.helm import objects
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.toolchain import ensure_helm


@pytest.fixture(scope="session", autouse=True)
def helm() -> None:
    """Skip everything here when there is no helm."""
    try:
        ensure_helm()
    except ClusterToolError as error:
        pytest.skip(f"helm 4 is missing: {error}")


@pytest.fixture(scope="session")
def rendered(helm: None) -> list[dict[str, Any]]:
    """The objects of the chart with its default values."""
    return objects()
