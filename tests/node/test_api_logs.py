"""Logs that are too fast and too long, while the API server that follows them is killed."""

import json
import re
import time

import pytest
from tests.node.conftest import AUTHORS, Installed, actorctl
from tests.support.clients.access import ApiAccess, until_answered
from tests.support.installation import NAMESPACE, REGISTRY

from actor_operator.services.log_text import GAP, MARK, MAX_CHARACTERS

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

MEGABYTES = 200
"""How much is printed: twenty times what is kept."""

STAMP = 25
"""Symbols of the stamp of a line."""

STAMPED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ")
"""Beginning of every line of a log."""

ACTOR = {
    "apiVersion": "actor-operator.dev/v1alpha1",
    "kind": "Actor",
    "metadata": {"name": "chatter", "namespace": AUTHORS},
    "spec": {
        "builds": [{"number": "1.0.1", "image": f"{REGISTRY}/chatter:1"}],
        "taggedBuilds": {"latest": "1.0.1"},
    },
}


@pytest.mark.fault("B29")
def test_a_fast_log_is_whole_up_to_its_limit_or_says_where_it_is_not(
    installed: Installed, api: ApiAccess
) -> None:
    kubectl, client = installed.kubectl, api.python()
    kubectl.run("apply", "-f", "-", stdin=json.dumps(ACTOR))
    actorctl(
        installed.kubeconfig,
        *("run", "chatter", "--namespace", AUTHORS, "--name", "chatter", "--memory", "4096"),
        *("--input", json.dumps({"megabytes": MEGABYTES})),
    )
    run = _id_of_only_run(api)
    while not re.search(r"^.{25}\d{9} x", client.log(run).get() or "", re.MULTILINE):
        time.sleep(0.1)

    kill_the_api_server(installed)
    kubectl.run("-n", AUTHORS, "wait", "actorrun/chatter", "--for=condition=Finished")
    until_archived(installed)
    until_answered(api.url)

    text = client.log(run).get() or ""
    lines = [line for line in text.splitlines() if line]
    assert len(text) <= MAX_CHARACTERS + len(MARK) + 30
    # What the kubelet has rotated away meanwhile cannot be read any more: that is said.
    assert MARK in lines[-1] or any(GAP in line for line in lines)
    assert [line for line in lines if not STAMPED.match(line)] == []
    check_order([line[STAMP:] for line in lines])


def kill_the_api_server(installed: Installed) -> None:
    """Kill its only pod, and wait for the next one."""
    kubectl = installed.kubectl
    select = ("pods", "--selector=app.kubernetes.io/component=api", "--output=name")
    pod = kubectl.run("-n", NAMESPACE, "get", *select).strip()
    kubectl.run("-n", NAMESPACE, "delete", pod, "--grace-period=0", "--force")
    deployment = f"deployment/{NAMESPACE}-api"
    kubectl.run("-n", NAMESPACE, "rollout", "status", deployment, "--timeout=120s")


def check_order(lines: list[str]) -> None:
    """Check that no numbered line is missing, twice or out of its place where no gap is told."""
    last, gap = -1, False
    for line in lines:
        if line == GAP:
            gap = True
        elif line[:9].isdigit():
            number = int(line[:9])
            assert number == last + 1 or (gap and number > last), f"{number} follows {last}"
            last, gap = number, False
    assert last >= 0, "no line was printed"


def _id_of_only_run(api: ApiAccess) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = api.python().runs().list().items
        if found:
            return found[0].id
        time.sleep(0.2)
    raise AssertionError("the run that kubectl made is in no list")


def until_archived(installed: Installed) -> None:
    """Wait until the API server says that it has the whole log."""
    deadline = time.monotonic() + 120
    path = "{.metadata.annotations.actor-operator\\.dev/archived}"
    while time.monotonic() < deadline:
        got = installed.kubectl.run(
            "-n", AUTHORS, "get", "actorrun", "chatter", "-o", f"jsonpath={path}"
        )
        if got:
            return
        time.sleep(0.5)
    raise AssertionError("the log is not archived")
