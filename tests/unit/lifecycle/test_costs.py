"""What the pure core does for a plain run, counted: times depend on the machine, counts do not."""

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import msgspec
import pytest
from tests.support.builders import KEYRING, SETTINGS, a_pod, a_run, at, ended, observe

from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunView
from actor_operator.lifecycle.decide import Decision, decide
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.status import summarise

MOST_CALLS = {
    "its pod is made": 930,
    "its pod has no node": 410,
    "its pod has a node": 410,
    "it runs": 440,
    "nothing is new": 440,
    "it has ended": 365,
}
"""Calls of functions, ours and built-in ones, at each look at a plain run."""

LOOKS = 200
"""At each state of the run; each may leave less than one block of memory behind."""


def looks() -> dict[str, tuple[Observed, float]]:
    """What is observed at each look at a plain run, and when."""
    run = a_run()
    waiting = a_pod(run=run, scheduled=False, accepted=None, phase="Pending")
    running = a_pod(run=run, running=2)
    told = carried_on(run, running, 2.2)
    return {
        "its pod is made": (observe(run=run), 0.1),
        "its pod has no node": (observe(waiting, run=run), 0.2),
        "its pod has a node": (observe(a_pod(run=run, accepted=None), run=run), 0.3),
        "it runs": (observe(running, run=run), 2.2),
        "nothing is new": (observe(running, run=told), 2.3),
        "it has ended": (observe(a_pod(run=told, ended=ended()), run=told), 10.1),
    }


def carried_on(run: RunView, pod: PodView, seconds: float) -> RunView:
    """The run after what a look at it tells was written."""
    observed = observe(pod, run=run)
    (status,) = summarise(observed, decision(observed, seconds), at(seconds), SETTINGS)
    return msgspec.structs.replace(run, status=status)


def decision(observed: Observed, seconds: float) -> Decision:
    return decide(observed, at(seconds), SETTINGS, KEYRING)


def look(observed: Observed, seconds: float) -> None:
    """All that the core does at one look."""
    summarise(observed, decision(observed, seconds), at(seconds), SETTINGS)


def calls_of(work: Callable[[], None]) -> int:
    """How many functions a piece of work calls."""
    count = 0

    def note(_: FrameType, event: str, __: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("name", MOST_CALLS)
def test_a_look_calls_only_so_many_functions(name: str) -> None:
    look(*looks()[name])  # what is worked out once in a process is not counted
    observed, seconds = looks()[name]

    count = calls_of(lambda: look(observed, seconds))

    assert MOST_CALLS[name] * 0.7 < count <= MOST_CALLS[name]


def test_looks_leave_nothing_behind() -> None:
    every = list(looks().values())

    def look_at_all(times: int) -> int:
        for _ in range(times):
            for observed, seconds in every:
                look(observed, seconds)
        gc.collect()
        return sys.getallocatedblocks()

    before = look_at_all(3)

    assert look_at_all(LOOKS) - before < LOOKS
