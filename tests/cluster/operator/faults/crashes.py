"""What the tests of crashes share: the writes of their workloads, and the plans made of them."""

from collections.abc import Sequence
from itertools import chain

import pytest
from _pytest.mark import ParameterSet
from tests.faults import generate

START = (
    "create secrets actor-operator-keys #1",
    "create networkpolicies actor-operator-runs #1",
    "update actors/status actor #1",
)
"""What an operator writes before its first run."""


def pod(number: int = 1, run: str = "subject") -> tuple[str, ...]:
    """What it writes for a run's n-th pod, which is that of its n-th attempt."""
    return (
        f"create secrets {run}-{number}-env #1",
        f"create pods {run}-{number} #1",
        f"create services {run} #{number}",
        f"create ingresses {run} #{number}",
    )


def end(number: int = 1, run: str = "subject") -> tuple[str, ...]:
    """What it removes when the n-th attempt has ended."""
    return (
        f"delete secrets {run}-{number}-env #1",
        f"delete ingresses {run} #{number}",
        f"delete services {run} #{number}",
    )


def statuses(count: int, run: str = "subject") -> tuple[str, ...]:
    """Its writes of a run's status."""
    return tuple(f"update actorruns/status {run} #{n + 1}" for n in range(count))


FIRST = (*START, *pod(), *end())
"""What every run costs that starts and ends."""

WRITES: dict[str, Sequence[str]] = {
    "succeeds": (*FIRST, *statuses(2)),
    "times-out": (*FIRST, *statuses(3)),
    "aborted-gracefully": (*FIRST, *statuses(3), "patch pods subject-1 #1"),
    "aborted-at-once": (*FIRST, *statuses(3), "delete pods subject-1 #1"),
    "resurrected-after-success": (
        *FIRST,
        "delete secrets subject-1-env #2",
        "delete pods subject-1 #1",
        *pod(2),
        *end(2),
        *statuses(5),
    ),
}
"""Points of each workload, in no order: what does not depend on each other may change places."""


def plans(*workloads: str) -> list[ParameterSet]:
    """F1, F2 and F3 at each write."""
    found = chain.from_iterable(generate.crashes(name, WRITES[name]) for name in workloads)
    return [pytest.param(plan, id=plan.name) for plan in found]
