"""Looking for a counterexample to the state machines of the pure core, in parts of their own seed.

Hypothesis keeps a tree of everything it has tried, so one long search grows slower and larger all
the time. Many short ones with seeds of their own do not, and any of them can be repeated alone.
"""

import contextlib
import io
import logging
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from tests.unit.lifecycle.test_machine import RunMachine
from tests.unit.lifecycle.test_memory_machine import AccountMachine

MACHINES: dict[str, type[RuleBasedStateMachine]] = {"run": RunMachine, "account": AccountMachine}
"""What is searched, by its name on the command line."""

PART = 500
"""Examples with one seed: enough for Hypothesis to vary what it found, few enough to repeat."""


@dataclass(frozen=True)
class Part:
    """Examples of one machine with one seed. An example is a whole random story with its end."""

    machine: str
    seed: int
    examples: int


def parts(machines: list[str], examples: int, first_seed: int) -> Iterator[Part]:
    """Split a search: each machine gets so many examples, the machines by turns."""
    for number, done in enumerate(range(0, examples, PART)):
        for machine in machines:
            yield Part(machine, first_seed + number, min(PART, examples - done))


def search(part: Part) -> str | None:
    """Search one part.

    Returns
    -------
    str or None
        The shortest story found that breaks something, with what it breaks; None if none does.
    """
    # A class of its own takes the seed; the machine itself stays as it is.
    machine = seed(part.seed)(type(part.machine, (MACHINES[part.machine],), {}))
    limits = settings(
        max_examples=part.examples,
        phases=[Phase.generate, Phase.shrink],
        database=None,
        deadline=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        try:
            run_state_machine_as_test(machine, settings=limits)
        except Exception as error:  # noqa: BLE001 -- whatever a story raises is a finding
            return told.getvalue() + "".join(traceback.format_exception(error))
    return None


def be_quiet() -> None:
    """Let the operator's log lines go nowhere: there would be millions."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
