"""A node that nobody hears of any more: its containers may still run, so nothing runs twice."""

import os
import time

import pytest
from tests.cluster_tool.providers import choose
from tests.node.conftest import NAME, NODES, Installed
from tests.support.history import POD, RUN
from tests.support.installation import REGISTRY
from tests.support.node_faults import cordoned, silent_node
from tests.support.workspace import Workspace

pytestmark = [pytest.mark.node, pytest.mark.timeout(500)]

STAYS, LOST = NODES
"""The node that is left alone, and the one that falls silent."""

TIMEOUT = 60
"""Time limit in seconds of one of the runs; the node is missed after about 50."""


@pytest.mark.breaks("I18")  # nobody ends the container of a node that is not heard of
@pytest.mark.fault("B12", "B13", "B14")
def test_runs_of_a_lost_node_end_at_their_time_or_go_on_elsewhere(
    installed: Installed, workspace: Workspace
) -> None:
    """Rows B12 to B14 of the table of faults."""
    if choose.provider(os.environ.get("CLUSTER", "auto"), NAME).name != "local":
        pytest.skip("only nodes of ours can be made silent")
    workspace.actor("sleeper", f"{REGISTRY}/sleeper:1")
    with cordoned(installed.kubectl, STAYS):
        for name, timeout in (("held", 0), ("timed", TIMEOUT)):
            limits = {"memoryMbytes": 128, "timeoutSecs": timeout}
            workspace.run(name, "sleeper", **limits, input={"seconds": 900})
            workspace.wait(name, "RUNNING", 60)

    with silent_node(NAME, LOST):
        silent = time.monotonic()
        workspace.wait_reason("held", "Started", "NodeUnreachable", 120)
        print(f"missed after {time.monotonic() - silent:.0f} s")  # noqa: T201 -- a measurement
        assert workspace.phase("held") == "RUNNING"
        workspace.wait("timed", "TIMED-OUT", 150)
        assert workspace.status("timed")["cleanup"] == ["NodeUnreachable"]
        assert len(workspace.pods()) == 2, "what may still run is not replaced"

        installed.kubectl.run("delete", "node", LOST)
        removed = time.monotonic()
        workspace.recorder.wait(
            "held runs elsewhere",
            lambda: workspace.status("held").get("nodeName") == STAYS,
            150,
        )
        print(f"elsewhere after {time.monotonic() - removed:.0f} s")  # noqa: T201 -- a measurement
        workspace.recorder.wait(
            "nothing of timed is left", lambda: not workspace.status("timed").get("cleanup"), 60
        )
    installed.kubectl.run("wait", "--for=create", f"node/{LOST}", "--timeout=60s")
    installed.kubectl.run("wait", f"node/{LOST}", "--for=condition=Ready", "--timeout=60s")
    workspace.abort("held")
    workspace.wait("held", "ABORTED", 60)

    history = workspace.history()
    assert history.phases("held") == ["READY", "RUNNING", "ABORTING", "ABORTED"]
    assert history.phases("timed") == ["READY", "RUNNING", "TIMING-OUT", "TIMED-OUT"]
    assert workspace.status("held")["migrations"] == 1
    assert "NodeLost" in workspace.reasons("held", "PodScheduled")
    assert len(history.children(POD, history.life(RUN, "held")[0].uid)) == 2
    assert len(history.children(POD, history.life(RUN, "timed")[0].uid)) == 1
    workspace.wait_events(
        "held", ["Warning/NodeUnreachable", "Warning/Disrupted", "Normal/Aborted"]
    )
    # Its time may be up before its node is missed.
    told = [event for event in workspace.events("timed") if event != "Warning/NodeUnreachable"]
    assert told == ["Warning/TimingOut", "Warning/TimedOut", "Warning/CleanupPending"]
