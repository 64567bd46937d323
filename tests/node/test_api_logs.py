"""What is kept of logs and items while the API server is killed, or away."""

import json
import re
import time

import pytest
from tests.cluster_tool import http_probe
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

KEPT = 20
"""Items that were acknowledged before the API server goes away."""

API_PODS = "app.kubernetes.io/component=api"
"""Label of the API server's pods."""


def an_actor(name: str) -> dict[str, object]:
    """An Actor of the image of its name."""
    return {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "Actor",
        "metadata": {"name": name, "namespace": AUTHORS},
        "spec": {
            "builds": [{"number": "1.0.1", "image": f"{REGISTRY}/{name}:1"}],
            "taggedBuilds": {"latest": "1.0.1"},
        },
    }


@pytest.mark.fault("B29")
def test_a_fast_log_is_whole_up_to_its_limit_or_says_where_it_is_not(
    installed: Installed, api: ApiAccess
) -> None:
    kubectl, client = installed.kubectl, api.python()
    kubectl.run("apply", "-f", "-", stdin=json.dumps(an_actor("chatter")))
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
    until_archived(installed, "chatter")
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
    select = ("pods", f"--selector={API_PODS}", "--output=name")
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


def until_archived(installed: Installed, run: str) -> None:
    """Wait until the API server says that it has the whole log of a run."""
    deadline = time.monotonic() + 120
    path = "{.metadata.annotations.actor-operator\\.dev/archived}"
    while time.monotonic() < deadline:
        got = installed.kubectl.run("-n", AUTHORS, "get", "actorrun", run, "-o", f"jsonpath={path}")
        if got:
            return
        time.sleep(0.5)
    raise AssertionError("the log is not archived")


@pytest.mark.fault("C9")
def test_runs_go_on_and_nothing_is_lost_while_the_api_server_is_away(
    installed: Installed, api: ApiAccess
) -> None:
    kubectl, dataset = installed.kubectl, api.python().datasets().get_or_create(name="kept")
    items = [{"number": number} for number in range(KEPT)]
    for item in items:
        api.python().dataset(dataset.id).push_items([item])
    kubectl.run("apply", "-f", "-", stdin=json.dumps(an_actor("sleeper")))
    actorctl(
        installed.kubeconfig,
        *("run", "sleeper", "--namespace", AUTHORS, "--name", "during", "--memory", "128"),
        *("--input", json.dumps({"seconds": 8})),
    )
    here, deployment = f"--namespace={NAMESPACE}", f"deployment/{NAMESPACE}-api"
    kubectl.run(here, "scale", deployment, "--replicas=0")
    kubectl.run(here, "wait", "--for=delete", "pod", f"--selector={API_PODS}", "--timeout=60s")

    code, _ = http_probe.get(f"{api.url}/v2/users/me")
    finished = ("actorrun/during", "--for=condition=Succeeded", "--timeout=60s")
    kubectl.run("-n", AUTHORS, "wait", *finished)
    kubectl.run(here, "scale", deployment, "--replicas=1")
    until_answered(api.url)

    assert code == 503
    assert api.python().dataset(dataset.id).list_items().items == items
    until_archived(installed, "during")
    told = ("get", "actorrun", "during", "-o", "jsonpath={.status.runId}")
    run = kubectl.run("-n", AUTHORS, *told)
    assert "Done" in (api.python().log(run).get() or "")
