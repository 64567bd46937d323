"""Plans of faults on the control plane that the tests of the running operator share.

The plans of one file run side by side from its first test on, and each test waits for its own.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from tests.cluster_tool.control_plane import ControlPlane
from tests.faults.lanes import Lanes
from tests.faults.plan import Plan
from tests.faults.report import keep
from tests.faults.stage import Stage
from tests.faults.trial import Result
from tests.support.recorder import Recorder

LANES = 10


@pytest.fixture
def judged() -> None:
    """Each plan is judged by itself, at its own end."""


@pytest.fixture(scope="session")
def stage(control_plane: ControlPlane, recorder: Recorder, folder: Path) -> Iterator[Stage]:
    """Where plans run."""
    with Stage(control_plane, recorder, folder) as stage:
        yield stage


@pytest.fixture(scope="module")
def lanes(stage: Stage) -> Iterator[Lanes]:
    """In which they run side by side."""
    with Lanes(stage, LANES) as lanes:
        yield lanes


@pytest.fixture(scope="module")
def verdicts(lanes: Lanes, request: pytest.FixtureRequest) -> dict[Plan, Future[Result]]:
    """What comes of each plan of this file; all of them have been begun."""
    return {plan: lanes.begin(plan) for plan in _plans_of(request)}


def _plans_of(request: pytest.FixtureRequest) -> Iterator[Plan]:
    for item in request.session.items:
        call = getattr(item, "callspec", None)
        params = call.params if call else {}
        if item.path == request.path and isinstance(plan := params.get("plan"), Plan):
            yield plan


@pytest.fixture
def result(plan: Plan, verdicts: dict[Plan, Future[Result]], folder: Path) -> Result:
    """What has come of the plan of a test."""
    result = verdicts[plan].result()
    if result.violations:
        file = keep(result, folder, result.namespace)
        sys.stdout.write(f"python -m tests.faults run {file}\n")
    return result
