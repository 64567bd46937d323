"""Runs that share the memory of an account: order, limits, and what lets them go on."""

from typing import Any

import pytest
from tests.integration.operator.bench import Bench, Workload, is_work
from tests.support.apiserver import on
from tests.support.apiserver.deletion import DeleteOptions
from tests.support.attempts import ENDED
from tests.support.history import Object, condition

ACCOUNT = "default"
"""The namespace of the runs."""

ROOM = 2048
"""Memory of the account in MB: room for two runs."""

ENDLESS = Workload("endless")

MOMENTS = ("before", "after")


def limit(bench: Bench, memory: int | None = ROOM, **spec: Any) -> None:
    """Give the account a limit."""
    spec = {**({"memoryLimitMbytes": memory} if memory else {}), **spec}
    bench.server.create("actoraccounts", {"metadata": {"name": ACCOUNT}, "spec": spec})


def change(bench: Bench, **spec: Any) -> None:
    """Change the limits of the account."""
    bench.server.patch("actoraccounts", "", ACCOUNT, {"spec": spec})


def account(bench: Bench) -> Object:
    """The status of the account."""
    status: Object = bench.server.get("actoraccounts", "", ACCOUNT).get("status", {})
    return status


def run(bench: Bench, name: str) -> Object:
    """A run as it is."""
    found: Object = bench.server.get("actorruns", "default", name)
    return found


async def waits(bench: Bench, *names: str) -> None:
    """Wait until the status of runs says that they stand in the line."""
    for name in names:
        await bench.until(
            f"{name} waits",
            lambda name=name: (  # type: ignore[misc]
                condition(run(bench, name), "Admitted").get("reason") == "WaitingForAccountMemory"
            ),
        )


def writes_of_children(bench: Bench) -> list[str]:
    """Writes of pods and Secrets, in words."""
    found = (r for r in bench.server.requests if r.is_write and r.kind in {"pods", "secrets"})
    return [f"{r.verb} {r.kind}" for r in found]


async def fill(bench: Bench, *names: str) -> None:
    """Create endless runs and wait until they run."""
    for name in names:
        bench.create(ENDLESS, name)
        await bench.phase("RUNNING", name)


def started(bench: Bench) -> list[str]:
    """Names of the runs in the order in which their pods were made."""
    creations = (r for r in bench.server.requests if (r.verb, r.kind) == ("create", "pods"))
    return [r.name.rpartition("-")[0].rpartition("-")[0] for r in creations if r.code == 201]


def refusals(bench: Bench, name: str) -> int:
    """How often a pod of a run was refused."""
    answers = [
        r.code for r in bench.server.requests if r.kind == "pods" and r.name.startswith(name)
    ]
    return answers.count(403)


# The line


async def test_runs_beyond_the_limit_wait_and_start_in_the_order_in_which_they_came(
    bench: Bench,
) -> None:
    limit(bench)
    await bench.leading(bench.start())
    await fill(bench, "a", "b")
    names = [f"run-{n}" for n in range(6)]
    for name in names:
        bench.create(Workload(), name)
        await waits(bench, name)

    bench.abort("a")
    for name in names:
        await bench.phase("SUCCEEDED", name)

    assert started(bench) == ["a", "b", *names]


async def test_a_run_that_waits_says_what_it_needs_once(bench: Bench) -> None:
    limit(bench)
    await bench.leading(bench.start())
    await fill(bench, "a", "b")

    bench.create(Workload(), "waits")
    await waits(bench, "waits")
    told = condition(run(bench, "waits"), "Admitted")
    bench.abort("a")
    await bench.phase("SUCCEEDED", "waits")

    assert told["status"] == "False"
    assert told["message"] == (
        'Waits for memory: the run needs 1024 MB, and account "default" may use 2048 MB at a time.'
    )
    # It waits, is admitted, has a pod, runs, has ended.
    assert bench.writes("waits").count("update actorruns/status") == 5
    status = run(bench, "waits")["status"]
    assert status["queuedAt"] < status["admittedAt"] < status["finishedAt"]


async def test_a_large_run_at_the_head_is_not_passed_by_small_ones(bench: Bench) -> None:
    limit(bench)
    await bench.leading(bench.start())
    await fill(bench, "live")

    bench.create(Workload(spec={"memoryMbytes": 2048}), "large")
    await waits(bench, "large")
    bench.create(Workload(spec={"memoryMbytes": 128}), "small")
    await waits(bench, "small")
    bench.abort("live")
    await bench.phase("SUCCEEDED", "small")

    assert started(bench) == ["live", "large", "small"]


@pytest.mark.parametrize("how", ["aborted", "deleted"])
async def test_those_behind_a_run_that_leaves_the_line_go_on(bench: Bench, how: str) -> None:
    limit(bench)
    await bench.leading(bench.start())
    await fill(bench, "live")
    bench.create(Workload(spec={"memoryMbytes": 2048}), "large")
    await waits(bench, "large")
    bench.create(Workload(), "small")
    await waits(bench, "small")

    if how == "aborted":
        bench.abort("large")
        await bench.phase("ABORTED", "large")
    else:
        bench.server.delete("actorruns", "default", "large")

    await bench.phase("SUCCEEDED", "small")
    assert started(bench) == ["live", "small"]


async def test_memory_is_free_again_only_when_the_pod_has_ended_too(bench: Bench) -> None:
    limit(bench)
    await bench.leading(bench.start())
    await fill(bench, "a", "b")
    bench.create(Workload(), "next")
    await waits(bench, "next")

    bench.server.delete("actorruns", "default", "a", DeleteOptions(propagation="Orphan"))
    await bench.until("it is gone", lambda: not bench.server.find("actorruns", "default", "a"))
    await bench.phase("SUCCEEDED", "next")

    assert not bench.live_pods("a")


# What becomes of those that do not wait


async def test_a_run_that_is_larger_than_the_limit_fails_at_once(bench: Bench) -> None:
    limit(bench)
    await bench.leading(bench.start())

    bench.create(Workload(spec={"memoryMbytes": 4096}))
    await bench.phase("FAILED")

    failure = bench.status()["failure"]
    assert failure["reason"] == "MemoryLimitExceeded"
    assert failure["message"].startswith(
        'The run needs 4096 MB, and account "default" may use 2048 MB at a time.'
    )
    assert bench.pods_made() == 0


async def test_a_run_that_rejects_to_wait_fails_when_there_is_no_room(bench: Bench) -> None:
    limit(bench)
    await bench.leading(bench.start())
    await fill(bench, "a")
    reject = {"whenMemoryExceeded": "Reject"}

    bench.create(Workload("endless", reject), "fits")
    await bench.phase("RUNNING", "fits")
    bench.create(Workload(spec=reject))
    await bench.phase("FAILED")

    failure = bench.status()["failure"]
    assert failure["reason"] == "MemoryLimitExceeded"
    assert {name: failure[f"{name}Mbytes"] for name in ("requested", "used", "limit")} == {
        "requested": 1024,
        "used": 2048,
        "limit": 2048,
    }
    assert condition(run(bench, "subject"), "Admitted")["status"] == "False"
    assert bench.pods_made() == 0


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"maxConcurrentRuns": 1}, "ConcurrentRunsLimitExceeded"),
        ({"suspended": True}, "AccountSuspended"),
    ],
    ids=["as many as may live", "suspended"],
)
async def test_a_rejected_run_says_which_limit_it_was_and_leaves_no_children(
    bench: Bench, limits: dict[str, Any], reason: str
) -> None:
    limit(bench, 65536)
    await bench.leading(bench.start())
    await fill(bench, "a")
    change(bench, **limits)
    await bench.until(
        "the limits are heard of",
        lambda: account(bench).get("observedGeneration") == 2,
    )
    before = len(writes_of_children(bench))

    bench.create(Workload(spec={"whenMemoryExceeded": "Reject"}))
    await bench.phase("FAILED")

    assert bench.status()["failure"]["reason"] == reason
    assert condition(run(bench, "subject"), "Admitted")["reason"] == reason
    assert writes_of_children(bench)[before:] == []


async def test_a_resurrected_run_waits_also_if_it_was_not_to_wait_at_first(bench: Bench) -> None:
    limit(bench)
    await bench.leading(bench.start())
    await bench.drive(Workload(spec={"whenMemoryExceeded": "Reject"}))
    await fill(bench, "a", "b")

    bench.server.patch("actorruns", "default", "subject", {"spec": {"resurrect": {"attempt": 2}}})
    await waits(bench, "subject")
    bench.abort("a")
    await bench.until("it has ended again", lambda: bench.status().get("attempt") == 2)
    await bench.phase("SUCCEEDED")

    assert started(bench) == ["subject", "a", "b", "subject"]


async def test_a_quota_refusal_gives_the_memory_to_the_next(bench: Bench) -> None:
    limit(bench)
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"limits.memory": "1Gi"}}}
    bench.server.create("resourcequotas", quota)
    await bench.leading(bench.start())
    bench.create(Workload("endless", {"memoryMbytes": 2048}), "refused")
    await bench.until(
        "it is refused",
        lambda: condition(run(bench, "refused"), "Admitted").get("reason") == "QuotaExceeded",
    )

    bench.create(Workload("endless"), "fits")
    await bench.phase("RUNNING", "fits")

    await bench.until("the rest is free", lambda: account(bench).get("memoryUsedMbytes") == 1024)


async def test_a_refused_run_tries_again_as_soon_as_a_pod_ends(bench: Bench) -> None:
    limit(bench)
    quota = {"metadata": {"name": "one"}, "spec": {"hard": {"pods": "1"}}}
    bench.server.create("resourcequotas", quota)
    await bench.leading(bench.start())
    await fill(bench, "live")
    bench.create(Workload(), "refused")
    # 5 s pass after the first refusal, 10 s after the second.
    await bench.until("it is refused twice", lambda: refusals(bench, "refused") == 2)

    bench.abort("live")

    await bench.until("it has ended", lambda: bool(bench.status("refused").get("finished")), 4)


# Limits


async def test_another_limit_lets_runs_go_on(bench: Bench) -> None:
    limit(bench)
    await bench.leading(bench.start())
    await fill(bench, "a", "b")
    bench.create(Workload(), "next")
    await waits(bench, "next")

    change(bench, memoryLimitMbytes=3072)

    await bench.phase("SUCCEEDED", "next")


async def test_without_its_account_a_run_need_not_wait(bench: Bench) -> None:
    limit(bench)
    await bench.leading(bench.start())
    await fill(bench, "a", "b")
    bench.create(Workload(), "next")
    await waits(bench, "next")

    bench.server.delete("actoraccounts", "", ACCOUNT)

    await bench.phase("SUCCEEDED", "next")


async def test_a_run_that_can_never_fit_any_more_fails(bench: Bench) -> None:
    limit(bench)
    await bench.leading(bench.start())
    await fill(bench, "a")
    bench.create(Workload(spec={"memoryMbytes": 2048}))
    await waits(bench, "subject")

    change(bench, memoryLimitMbytes=1024)

    await bench.phase("FAILED")
    assert bench.status()["failure"]["reason"] == "MemoryLimitExceeded"


async def test_no_more_runs_than_allowed_live_at_a_time(bench: Bench) -> None:
    limit(bench, None, maxConcurrentRuns=1)
    await bench.leading(bench.start())
    await fill(bench, "a")

    bench.create(Workload(), "next")
    await waits(bench, "next")
    bench.abort("a")

    await bench.phase("SUCCEEDED", "next")


async def test_a_suspended_account_starts_nothing_and_lets_live_runs_go_on(bench: Bench) -> None:
    limit(bench)
    await bench.leading(bench.start())
    await fill(bench, "live")
    change(bench, suspended=True)
    await bench.until("it is told", lambda: _admitting(bench) == ("False", "Suspended"))

    bench.create(Workload(), "next")
    await waits(bench, "next")
    assert bench.status("live")["phase"] == "RUNNING"
    change(bench, suspended=False)

    await bench.phase("SUCCEEDED", "next")


# The status of the account


async def test_the_account_says_what_is_used_and_who_waits(bench: Bench) -> None:
    limit(bench)
    await bench.leading(bench.start())
    await fill(bench, "a", "b")
    bench.create(ENDLESS, "next")

    await bench.until("one waits", lambda: account(bench).get("waitingRuns") == 1)
    full = account(bench)
    for name in ("a", "b", "next"):
        bench.abort(name)
        await bench.phase("ABORTED", name)
    await bench.until("nothing is used", lambda: account(bench).get("memoryUsedMbytes") == 0)

    assert (full["memoryUsedMbytes"], full["memoryLimitMbytes"], full["liveRuns"]) == (
        2048,
        2048,
        2,
    )
    assert full["conditions"][0]["message"] == "The first of the waiting runs needs 1024 MB."
    empty = account(bench)
    assert (empty["liveRuns"], empty["waitingRuns"], empty["observedGeneration"]) == (0, 0, 1)
    assert _admitting(bench) == ("True", "RoomAvailable")


async def test_many_changes_are_few_writes_of_the_account(bench: Bench) -> None:
    limit(bench, 65536)
    await bench.leading(bench.start())
    names = [f"run-{n}" for n in range(30)]
    for name in names:
        bench.create(Workload(), name)
    for name in names:
        await bench.phase("SUCCEEDED", name)
    await bench.until("nothing is used", lambda: account(bench).get("memoryUsedMbytes") == 0)

    writes = [r for r in bench.server.requests if r.is_write and r.kind == "actoraccounts/status"]
    assert 1 <= len(writes) <= 8


# Faults and other leaders


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("nth", range(1, 12, 2))
async def test_the_order_and_the_limit_outlast_a_crash(bench: Bench, nth: int, moment: str) -> None:
    limit(bench)
    first = bench.start()
    await bench.leading(first)
    await fill(bench, "live")
    names = [f"run-{n}" for n in range(5)]
    bench.expect_crash(first)
    bench.server.faults.call(
        first.crash, on("write", when=is_work, nth=nth), applied=moment == "after"
    )

    for name in names:
        bench.create(Workload(), name)
    for name in names:
        await bench.phase(ENDED, name)

    assert first.crashed
    assert [bench.pods_made(name) for name in names] == [1] * len(names)


async def test_another_leader_keeps_the_line(bench: Bench) -> None:
    limit(bench)
    first = bench.start()
    await bench.leading(first)
    await fill(bench, "a", "b")
    names = [f"run-{n}" for n in range(6)]
    for name in names:
        bench.create(Workload(), name)
        await waits(bench, name)

    first.crash()
    await bench.leading(bench.start())
    bench.abort("a")
    for name in names:
        await bench.phase("SUCCEEDED", name)

    assert started(bench) == ["a", "b", *names]


@pytest.mark.parametrize("applied", [False, True])
async def test_a_lost_answer_to_a_creation_does_not_lead_beyond_the_limit(
    bench: Bench, *, applied: bool
) -> None:
    limit(bench)
    await bench.leading(bench.start())
    bench.server.faults.hang(on("create", "pods", times=3), applied=applied)
    names = [f"run-{n}" for n in range(6)]

    for name in names:
        bench.create(Workload(), name)
    bench.server.delete("actorruns", "default", names[0])
    for name in names[1:]:
        await bench.phase("SUCCEEDED", name)

    await bench.until("nothing is used", lambda: account(bench).get("memoryUsedMbytes") == 0)


def _admitting(bench: Bench) -> tuple[str, str]:
    found = condition(bench.server.get("actoraccounts", "", ACCOUNT), "Admitting")
    return found.get("status", ""), found.get("reason", "")
