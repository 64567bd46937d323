"""What runs in the process."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from actor_operator.handlers.startup import Runtime
from actor_operator.metrics import Metrics
from actor_operator.settings import ProbeSettings, Settings


@pytest.mark.looptime
async def test_a_task_that_dies_is_counted_and_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[str] = []

    async def die() -> None:
        begun.append("timers")
        raise ValueError("a defect")

    async def serve(probes: ProbeSettings, **_: object) -> Any:
        return SimpleNamespace(cleanup=close)

    async def close() -> None:
        """There is nothing to close."""

    registry = CollectorRegistry()
    operator = SimpleNamespace(
        metrics=Metrics(registry), synced=True, tasks=lambda: {"timers": die}, close=close
    )
    monkeypatch.setattr("actor_operator.handlers.startup.serve_endpoints", serve)
    runtime = Runtime(cast("Any", operator), Settings())

    await runtime.start()
    await asyncio.sleep(3)
    await runtime.stop()

    deaths = registry.get_sample_value("actor_operator_task_deaths_total", {"task": "timers"})
    assert deaths == len(begun) > 1
