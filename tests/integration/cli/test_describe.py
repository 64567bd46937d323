"""``actorctl describe``: all that is known of a run."""

from collections.abc import Callable

from tests.integration.cli.conftest import RUNNING, Actorctl, a_run, ended
from tests.support.apiserver import ApiServer, on

SetStatus = Callable[..., None]


def an_event(kind: str, name: str, uid: str, reason: str, minute: int) -> dict[str, object]:
    """A Kubernetes Event, as the server keeps it."""
    return {
        "metadata": {"name": f"{name}.{minute}"},
        "regarding": {"kind": kind, "name": name, "namespace": "default", "uid": uid},
        "type": "Warning",
        "reason": reason,
        "note": f"{reason} happened",
        "deprecatedCount": 3,
        "deprecatedLastTimestamp": f"2026-03-01T12:0{minute}:00Z",
    }


async def test_a_failed_run_is_told_in_full(
    server: ApiServer, actorctl: Actorctl, set_status: SetStatus
) -> None:
    run = server.create("actorruns", a_run("x", input={"a": 1}))
    set_status(
        "x",
        RUNNING | {"podName": "x-1", "nodeName": "node-1", "buildNumber": "1.0.1"},
        ended("FAILED", "OOMKilled", exitCode=137),
    )
    uid = run["metadata"]["uid"]
    server.create("events", an_event("Pod", "x-1", "pod-uid", "Pulled", 2))
    server.create("events", an_event("ActorRun", "x", uid, "OutOfMemory", 1))
    server.create("events", an_event("ActorRun", "other", "other-uid", "Other", 1))

    result = await actorctl("describe", "x")

    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[:3] == ["Name: x", "Namespace: default", "Phase: FAILED"]
    for line in (
        "Failure: OOMKilled: It is OOMKilled.",
        "Exit code: 137",
        "Actor: hello",
        'Input: {"a":1}',
        "Ran for: 90s",
        "Pod: x-1",
        "Node: node-1",
    ):
        assert line in lines
    conditions = lines.index("Conditions:")
    assert lines[conditions + 1] == "TYPE STATUS REASON AGE MESSAGE"
    assert lines[conditions + 3].startswith("Succeeded False OOMKilled ")
    assert lines[-4:-2] == ["Events:", "AGE TYPE REASON OF MESSAGE"]
    assert lines[-2].endswith("(x3) Warning OutOfMemory ActorRun OutOfMemory happened")
    assert lines[-1].endswith("Warning Pulled Pod Pulled happened")


async def test_several_runs_are_told_one_after_the_other(
    server: ApiServer, actorctl: Actorctl
) -> None:
    for name in ("one", "two"):
        server.create("actorruns", a_run(name))

    result = await actorctl("describe", "one", "two")

    assert result.stdout.count("Namespace:     default") == 2
    assert "\n\nName:          two\n" in result.stdout


async def test_who_may_not_read_events_sees_the_rest(server: ApiServer, actorctl: Actorctl) -> None:
    server.create("actorruns", a_run("x"))
    server.faults.fail(403, on("list", "events", times=None))

    result = await actorctl("describe", "x")

    assert result.exit_code == 0
    assert result.stdout.endswith("Events: you may not read them.\n")


async def test_an_unknown_run_is_an_error(actorctl: Actorctl) -> None:
    result = await actorctl("describe", "x")

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: There is no run 'x' in the namespace default.\n")
