"""What must hold in every history, whatever happened: checks on what was committed, never on logs.

Each check takes a history and returns a sentence for each violation. The numbers are those of the
project's list of invariants: I1 one pod, I2 ownership, I3 legal path, I4 a verdict is final, I5
what only grows, I6 no false success, I7 no false failure, I8 exact cause, I12 nothing after
deletion, I15 frozen input, I20 no orphans, I22 few writes, I26 small statuses.
"""

from collections.abc import Callable

from tests.support.history import History
from tests.support.invariants_children import (
    cause_is_exact,
    failures_are_real,
    no_child_after_deletion,
    no_secret_of_a_finished_run,
    one_pod_at_a_time,
    owners_are_right,
    successes_are_real,
)
from tests.support.invariants_status import (
    path_is_legal,
    spec_is_frozen,
    status_is_small,
    transition_times_move_on_flips_only,
    verdict_is_final,
    what_grows_never_falls,
    writes_are_few,
)

Check = Callable[[History], list[str]]

CHECKS: tuple[Check, ...] = (
    one_pod_at_a_time,
    owners_are_right,
    path_is_legal,
    verdict_is_final,
    what_grows_never_falls,
    successes_are_real,
    failures_are_real,
    cause_is_exact,
    no_child_after_deletion,
    spec_is_frozen,
    no_secret_of_a_finished_run,
    writes_are_few,
    transition_times_move_on_flips_only,
    status_is_small,
)
"""Every check."""


def violations(history: History) -> list[str]:
    """What is wrong with a history; empty when nothing is."""
    return [found for check in CHECKS for found in check(history)]
