"""A run that starts and ends by itself."""

from collections.abc import Callable

import pytest
from tests.support.audit import AuditLog
from tests.support.history import POD, RUN
from tests.support.workspace import Workspace

pytestmark = pytest.mark.cluster

RUNS = 10


def test_it_costs_five_writes_and_one_for_its_namespace_of_which_none_is_refused(
    workspace: Workspace, audit: AuditLog
) -> None:
    workspace.run("plain")
    workspace.wait("plain")
    workspace.history()

    found = audit.writes(workspace.namespace)
    writes = [(w.verb, w.resource, w.code) for w in found if not w.resource.startswith("actors")]
    assert writes == [
        ("create", "networkpolicies", 201),
        ("create", "secrets", 201),
        ("create", "pods", 201),
        ("update", "actorruns/status", 200),
        ("delete", "secrets", 200),
        ("update", "actorruns/status", 200),
    ]
    assert workspace.history().phases("plain") == ["READY", "RUNNING", "SUCCEEDED"]


def test_its_pod_comes_soon(workspace: Workspace, report: Callable[[str], None]) -> None:
    names = [workspace.run(f"plain-{number}") for number in range(RUNS)]
    workspace.wait_all(names)

    history = workspace.history()
    seconds = []
    for name in names:
        made = history.life(RUN, name)[0]
        (pod,) = history.children(POD, made.uid)
        seconds.append(pod[0].at - made.at)
    middle = sorted(seconds)[RUNS // 2]
    report(
        f"run created → pod created: median {middle * 1000:.0f} ms,"
        f" longest {max(seconds) * 1000:.0f} ms of {RUNS}"
    )
