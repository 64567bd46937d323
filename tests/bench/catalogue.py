"""The scenarios, in the order in which they are measured."""

from collections.abc import Callable

from tests.bench.plan import Plan
from tests.bench.report import Outcome
from tests.bench.scenarios import (
    aborts,
    accounts,
    burst,
    ceiling,
    environment,
    failover,
    restart,
    steady,
    timeouts,
    urls,
)

SCENARIOS: dict[str, Callable[[Plan], Outcome]] = {
    "burst": burst.run,
    "ceiling": ceiling.run,
    "steady": steady.run_steady,
    "rush": steady.run_rush,
    "urls": urls.run,
    "restart": restart.run,
    "failover": failover.run,
    "accounts": accounts.run,
    "aborts": aborts.run,
    "timeouts": timeouts.run,
}
"""What each measures is said by the first line of its docstring."""

SEPARATE: dict[str, Callable[[Plan], Outcome]] = {"environment": environment.run}
"""What needs root and a real node, so it is measured only when it is named."""
