"""``actorctl explain`` and ``actorctl accounts``: what is read for them, and what is shown."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.cli.conftest import RUNNING, Actorctl, a_pod, a_run, condition, ended
from tests.support.apiserver import ApiServer, on

SetStatus = Callable[..., None]

NEEDS = "It needs 1024 MB; the limit is 2048 MB."

OPTIONS = {
    "build": "latest",
    "memoryMbytes": 1024,
    "timeoutSecs": 60,
    "diskMbytes": 2048,
    "cpu": "250m",
}
"""What was resolved for each run."""


def waiting(second: int) -> dict[str, Any]:
    """The status of a run that waits for memory since some second."""
    return {
        "observedGeneration": 1,
        "queuedAt": f"2026-03-01T12:00:0{second}.000001Z",
        "options": OPTIONS,
        "conditions": [condition("Admitted", "False", "WaitingForAccountMemory", NEEDS)],
    }


@pytest.fixture
def account(server: ApiServer, set_status: SetStatus) -> None:
    """The account of the namespace: one run is live, two wait, one is finished."""
    spec = {"memoryLimitMbytes": 2048, "maxConcurrentRuns": 9}
    server.create("actoraccounts", {"metadata": {"name": "default"}, "spec": spec})
    status = {"memoryUsedMbytes": 1536, "liveRuns": 1, "waitingRuns": 2}
    server.patch("actoraccounts", "", "default", {"status": status}, "status")
    for name in ("live", "first", "second", "done"):
        server.create("actorruns", a_run(name))
    admitted = [condition("Admitted", "True", "MemoryReserved")]
    set_status("live", RUNNING | {"conditions": admitted, "options": OPTIONS})
    set_status("first", waiting(1))
    set_status("second", waiting(2))
    set_status("done", RUNNING, ended("SUCCEEDED"))


async def test_a_run_that_waits_for_memory_is_told_its_place(
    account: None, actorctl: Actorctl
) -> None:
    result = await actorctl("explain", "second")

    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0].endswith(": WaitingForAccountMemory.")
    assert lines[1:4] == [
        f"  {NEEDS}",
        "  It is number 2 of 2 in the queue of the account default.",
        "  The account has 1536 of 2048 MB in use, 512 MB free, by 1 live run of at most 9.",
    ]
    assert lines[4].startswith("What to do: Wait: runs are started in the order")
    assert lines[5:] == ["  actorctl accounts default"]


async def test_who_may_not_read_accounts_is_told_of_the_queue_all_the_same(
    account: None, server: ApiServer, actorctl: Actorctl
) -> None:
    server.faults.fail(403, on("get", "actoraccounts"))

    result = await actorctl("explain", "first")

    assert "  It is number 1 of 2 in the queue of the account default." in result.stdout
    assert "  The account has 1024 MB in use, by 1 live run." in result.stdout


async def test_scheduler_kubelet_and_events_are_asked(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.create("actorruns", a_run("x"))
    server.create("pods", a_pod("x-1"))
    server.pod("default", "x-1").schedule().wait("ImagePullBackOff", "Back-off pulling hello:1")
    conditions = [condition("Started", "False", "ImagePullBackOff", "Not found.")]
    set_status("x", {"observedGeneration": 1, "podName": "x-1", "conditions": conditions})
    event = {
        "metadata": {"name": "x-1.1"},
        "regarding": {"kind": "Pod", "name": "x-1", "namespace": "default"},
        "type": "Warning",
        "reason": "Failed",
        "note": "Failed to pull image",
        "deprecatedLastTimestamp": "2126-03-01T12:00:00Z",
    }
    server.create("events", event)

    result = await actorctl("explain", "x", "-n", "default")

    assert result.stdout.splitlines()[1:4] == [
        "  Not found.",
        "  The kubelet says: Back-off pulling hello:1",
        "  Event Failed of the pod (0s ago): Failed to pull image",
    ]
    assert result.stdout.endswith("\n  kubectl describe pod x-1 -n default\n")


async def test_what_may_not_be_read_is_left_out(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.create("actorruns", a_run("x"))
    set_status("x", RUNNING | {"podName": "x-1"})
    server.faults.fail(403, on("list", "events", times=None))
    server.faults.fail(403, on("get", "pods", times=None))

    result = await actorctl("explain", "x")

    assert result.exit_code == 0
    assert result.stdout.startswith("x is RUNNING since ")


async def test_programs_get_the_same_as_data(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    server.create("actorruns", a_run("x"))
    server.create("actorruns", a_run("y"))
    for name in ("x", "y"):
        set_status(name, RUNNING | {"options": OPTIONS}, ended("FAILED", "OOMKilled"))

    one = json.loads((await actorctl("explain", "x", "-o", "json")).stdout)
    both = json.loads((await actorctl("explain", "x", "y", "-o", "json")).stdout)

    assert one | {"headline": "", "advice": ""} == {
        "name": "x",
        "namespace": "default",
        "phase": "FAILED",
        "reason": "OOMKilled",
        "headline": "",
        "sentences": ["It is OOMKilled."],
        "advice": "",
        "command": "actorctl resurrect x --memory 2048",
    }
    assert [said["name"] for said in both] == ["x", "y"]


async def test_several_runs_are_explained_one_after_the_other(
    account: None, actorctl: Actorctl
) -> None:
    result = await actorctl("explain", "done", "live")

    first, second = result.stdout.split("\n\n")
    assert first.startswith("done is SUCCEEDED since ")
    assert second.startswith("live is RUNNING since ")


async def test_the_accounts_of_the_cluster_are_a_table(account: None, actorctl: Actorctl) -> None:
    result = await actorctl("accounts", "-o", "wide")

    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0] == ["NAME", "LIMIT", "USED", "LIVE", "WAITING", "SUSPENDED", "AGE", "MAX-RUNS"]
    assert rows[1][:6] == ["default", "2048", "1536", "1", "2", "false"]
    assert rows[1][7:] == ["9"]


async def test_without_accounts_the_installations_limits_hold(actorctl: Actorctl) -> None:
    result = await actorctl("accounts")

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("There are no ActorAccounts: the installation's limits hold")


async def test_accounts_are_api_objects_for_programs(account: None, actorctl: Actorctl) -> None:
    listed = await actorctl("accounts", "-o", "name")
    one = json.loads((await actorctl("accounts", "default", "-o", "json")).stdout)

    assert listed.stdout == "actoraccount.actor-operator.dev/default\n"
    assert one["spec"]["memoryLimitMbytes"] == 2048


async def test_one_account_is_shown_with_its_queue(
    account: None, server: ApiServer, actorctl: Actorctl
) -> None:
    result = await actorctl("accounts", "default")

    (listed,) = server.requests.of("read", kind="actorruns")
    assert listed.query["fieldSelector"] == "status.finished=false"

    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[:3] == [
        "Account: default",
        "Memory: 1536 of 2048 MB in use, 512 MB free",
        "Runs: 1 live (at most 9), 2 waiting",
    ]
    assert lines[3:5] == ["Live:", "NAME MEMORY ACTOR PHASE AGE"]
    assert lines[5].startswith("live 1024 hello RUNNING ")
    assert lines[6:8] == ["Waiting:", "PLACE NAME MEMORY ACTOR SINCE"]
    assert [line.rsplit(" ", 1)[0] for line in lines[8:]] == [
        "1 first 1024 hello",
        "2 second 1024 hello",
    ]


async def test_a_namespace_without_an_account_is_shown_too(
    server: ApiServer, actorctl: Actorctl
) -> None:
    server.create("actorruns", a_run("x"))

    shown = await actorctl("accounts", "default")
    asked = await actorctl("accounts", "default", "-o", "yaml")

    assert "Memory:        0 MB in use\n" in shown.stdout
    assert shown.stdout.endswith("Live: none\nWaiting: none\n")
    assert asked.exit_code == 1
    assert asked.stderr.startswith("Error: The namespace default has no ActorAccount")


async def test_a_suspended_account_says_so(server: ApiServer, actorctl: Actorctl) -> None:
    account = {"metadata": {"name": "default"}, "spec": {"suspended": True}}
    server.create("actoraccounts", account)

    result = await actorctl("accounts", "default")

    assert "Suspended:     no further run is started; live runs go on\n" in result.stdout


async def test_who_may_not_list_accounts_is_shown_another_way(
    server: ApiServer, actorctl: Actorctl
) -> None:
    server.faults.fail(403, on("list", "actoraccounts"))

    result = await actorctl("accounts")

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: You may not list the accounts of the cluster.",
        "Hint: See one namespace's: actorctl accounts default",
    ]


async def test_a_shell_completes_names_of_accounts(account: None, actorctl: Actorctl) -> None:
    assert await actorctl.complete("actorctl accounts d") == "plain,default\n"
