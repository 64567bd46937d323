"""Every field of every kind changed to anything: refused in words, or the end of a fresh object.

`make spec-changes` goes on for as long as one likes; here are some hundred changes of it.
"""

from collections.abc import Callable

import pytest
from tests.cluster.operator.conftest import MakeWorkspace
from tests.spec_changes.campaign import Campaign
from tests.support.operators import OperatorProcess
from tests.support.workspace import Admin, Workspace

pytestmark = pytest.mark.cluster

CHANGES = 250


def test_any_change_is_refused_in_words_or_ends_as_if_made_so(
    replicas: list[OperatorProcess], make_workspace: MakeWorkspace, report: Callable[[str], None]
) -> None:
    def make_place() -> Workspace:
        place = make_workspace()
        return place.seen_by(Admin(place.admin.control_plane))

    raised = [replica.raised for replica in replicas]  # by what other tests do to them
    tally = Campaign(make_place, CHANGES, 1, lambda _: None).run(lanes=6)

    assert tally.violations == []
    assert [replica.raised for replica in replicas] == raised
    for replica in replicas:
        replica.check()
    assert tally.changes >= CHANGES
    report(f"{tally.changes} changes, {tally.refused} refused, {tally.converged} ends compared")
