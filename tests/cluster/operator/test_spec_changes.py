"""Every field of every kind changed to anything: refused in words, or the end of a fresh object.

`make spec-changes` goes on for as long as one likes; here are some hundred changes of it.
"""

from collections.abc import Callable

import pytest
from tests.cluster_tool.control_plane import ControlPlane
from tests.spec_changes.campaign import Campaign
from tests.support.operators import OperatorProcess
from tests.support.recorder import Recorder

pytestmark = pytest.mark.cluster

CHANGES = 250


def test_any_change_is_refused_in_words_or_ends_as_if_made_so(
    replicas: list[OperatorProcess],
    control_plane: ControlPlane,
    recorder: Recorder,
    report: Callable[[str], None],
) -> None:
    raised = [replica.raised for replica in replicas]  # by what other tests do to them
    campaign = Campaign(control_plane, recorder, changes=CHANGES, seed=1, say=lambda _: None)

    tally = campaign.run(lanes=6)

    assert tally.violations == []
    assert [replica.raised for replica in replicas] == raised
    for replica in replicas:
        replica.check()
    assert tally.changes >= CHANGES
    report(f"{tally.changes} changes, {tally.refused} refused, {tally.converged} ends compared")
