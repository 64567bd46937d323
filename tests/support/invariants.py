"""What must hold in every history, whatever happened: checks on what was committed, never on logs.

Each check takes a history and returns a sentence for each violation, which begins with the number
of the invariant. All of them, with their number, what holds, and in which module `invariants_…`:

- I1 one pod at a time, each accounted for, the next one after the last one's grace: pods
- I2 children are controlled by a run of their namespace, and named after it: children
- I3 only legal steps of the phase: status
- I4 a verdict is final: status
- I5 what only grows never falls; at most three migrations: status
- I6 no false success: verdicts
- I7 no false failure: verdicts
- I8 exact cause: verdicts
- I9 memory and number of runs of an account stay within its limits: accounts
- I10 an accepted abort is kept: verdicts
- I12 nothing is made after a deletion, nothing stays: children
- I13 ids of storages stay, old logs go: status, pods
- I14 nothing is removed before the time that it names itself: times
- I15 spec and image are frozen: status
- I16 runs end, and say what they wait for: times
- I18 pods are dead after their deadline: times
- I19 aborts are swift: times
- I20 nothing is left of a finished run, and nothing of it runs: children, pods, urls
- I21 deletions come to their end: times
- I22 few writes, each with news; Events are not repeated: status
- I26 small statuses: status
- I27 a run has one URL of its own for ever, and what leads there leads to it alone: urls

Left out, because a history of objects cannot tell:

- I11 (tokens of runs), I24 (HTTP API), I25 (webhooks), and the records of I13: they are of the API
  server for Apify's clients.
- I14 for times of accounts and settings: the tests of retention hold them.
- I17 (the end is the same whatever fails in between): needs a second run to compare with;
  `tests/integration/operator/test_crashes.py` compares.
- I23 (one bad run never delays others): needs the same work without it;
  `tests/cluster/operator/test_verdicts.py` runs every bad run beside good ones.
"""

from collections.abc import Callable

from tests.support.history import History
from tests.support.invariants_accounts import (
    limits_of_accounts_hold,
    lines_of_accounts_are_kept,
)
from tests.support.invariants_children import (
    children_go_with_their_run,
    no_child_after_deletion,
    no_secret_of_a_finished_run,
    owners_are_right,
)
from tests.support.invariants_pods import (
    nothing_runs_after_the_end,
    old_pods_are_gone,
    one_pod_at_a_time,
    pods_are_accounted_for,
    the_next_pod_waits,
)
from tests.support.invariants_status import (
    events_are_not_repeated,
    migrations_are_few,
    path_is_legal,
    spec_is_frozen,
    status_is_small,
    storages_are_kept,
    transition_times_move_on_flips_only,
    verdict_is_final,
    what_grows_never_falls,
    writes_are_few,
    writes_say_something,
)
from tests.support.invariants_times import (
    aborts_are_swift,
    deletions_come_to_an_end,
    kubelets_stop_pods,
    nothing_is_removed_too_early,
    runs_end,
    waits_are_told,
)
from tests.support.invariants_urls import (
    hosts_are_not_shared,
    no_route_of_a_finished_run,
    one_route_at_a_time,
    routes_lead_to_their_run,
    urls_are_kept,
)
from tests.support.invariants_verdicts import (
    aborts_are_kept,
    cause_is_exact,
    failures_are_real,
    successes_are_real,
)

Check = Callable[[History], list[str]]

CHECKS: tuple[Check, ...] = (
    one_pod_at_a_time,
    pods_are_accounted_for,
    the_next_pod_waits,
    owners_are_right,
    path_is_legal,
    verdict_is_final,
    what_grows_never_falls,
    migrations_are_few,
    successes_are_real,
    failures_are_real,
    cause_is_exact,
    limits_of_accounts_hold,
    lines_of_accounts_are_kept,
    aborts_are_kept,
    no_child_after_deletion,
    children_go_with_their_run,
    storages_are_kept,
    old_pods_are_gone,
    nothing_is_removed_too_early,
    spec_is_frozen,
    runs_end,
    waits_are_told,
    kubelets_stop_pods,
    aborts_are_swift,
    no_secret_of_a_finished_run,
    nothing_runs_after_the_end,
    no_route_of_a_finished_run,
    deletions_come_to_an_end,
    writes_are_few,
    writes_say_something,
    events_are_not_repeated,
    transition_times_move_on_flips_only,
    status_is_small,
    urls_are_kept,
    one_route_at_a_time,
    routes_lead_to_their_run,
    hosts_are_not_shared,
)
"""Every check."""


def violations(history: History) -> list[str]:
    """What is wrong with the history of one namespace; empty when nothing is."""
    return [found for check in CHECKS for found in check(history)]
