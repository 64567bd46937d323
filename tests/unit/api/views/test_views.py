"""Views decode what the API server sends, and tell what decisions ask."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace
from tests.support.builders import a_pod, a_run, a_status, at, ended

from actor_operator.api.v1alpha1.conditions import ConditionType
from actor_operator.api.v1alpha1.phase import FINISHED, STEPS, Phase
from actor_operator.api.views.actor import ActorView, WebServer
from actor_operator.api.views.pod import PodView, Terminated
from actor_operator.api.views.run import FinishedRun, RunStatus, RunView, settled, stub

POD = b"""{
  "apiVersion": "v1", "kind": "Pod",
  "metadata": {
    "name": "hello-abcd-1", "namespace": "team", "uid": "u", "resourceVersion": "7",
    "creationTimestamp": "2026-03-01T12:00:00Z",
    "deletionTimestamp": "2026-03-01T12:01:00Z", "deletionGracePeriodSeconds": 30,
    "managedFields": [{"manager": "x"}],
    "ownerReferences": [
      {"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "other"},
      {"apiVersion": "v1", "kind": "ActorRun", "name": "hello", "uid": "run", "controller": true}
    ]
  },
  "spec": {"nodeName": "node-1", "activeDeadlineSeconds": 60, "containers": [{"name": "actor"}]},
  "status": {
    "phase": "Running", "startTime": "2026-03-01T12:00:01Z", "qosClass": "Guaranteed",
    "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": null}],
    "containerStatuses": [
      {"name": "sidecar", "state": {"running": {"startedAt": "2026-03-01T12:00:01Z"}}},
      {"name": "actor", "ready": true, "restartCount": 0, "imageID": "hello@sha256:abc",
       "state": {"running": {"startedAt": "2026-03-01T12:00:02Z"}}, "lastState": {}}
    ]
  }
}"""


def test_a_pod_of_the_api_server_is_read() -> None:
    pod = msgspec.json.decode(POD, type=PodView)

    assert (pod.namespace, pod.name, pod.uid, pod.resource_version) == (
        "team",
        "hello-abcd-1",
        "u",
        "7",
    )
    assert pod.controller_uid() == "run"
    assert pod.spec.active_deadline_seconds == 60
    assert pod.status.start_time == at(1)
    assert pod.container is not None
    assert pod.container.image_id == "hello@sha256:abc"
    assert pod.container_started_at == at(2)
    assert not pod.is_over


def test_a_deletion_was_asked_for_its_grace_before_its_timestamp() -> None:
    pod = msgspec.json.decode(POD, type=PodView)

    assert pod.deletion_requested_at == at(30)
    assert a_pod().deletion_requested_at is None


def test_an_object_without_controller_has_none() -> None:
    pod = a_pod()

    assert (
        replace(pod, metadata=replace(pod.metadata, owner_references=())).controller_uid() is None
    )


def test_a_bare_pod_is_pending_and_says_nothing() -> None:
    pod = msgspec.json.decode(b'{"metadata": {"name": "p"}}', type=PodView)

    assert pod.status.phase == "Pending"
    assert (pod.container, pod.terminated, pod.waiting) == (None, None, None)
    assert pod.container_started_at is None
    assert pod.condition("Ready") is None


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

STARTS = [
    pytest.param(ended(0), at(2), id="as the runtime says"),
    pytest.param(ended(128, reason="StartError", started_at=EPOCH), None, id="a start error"),
    pytest.param(
        ended(128, reason="ContainerCannotRun"), None, id="a start error that names a time"
    ),
    pytest.param(ended(137, started_at=EPOCH), None, id="the epoch is no time"),
    pytest.param(
        ended(137, reason="ContainerStatusUnknown", started_at=None), None, id="nobody knows"
    ),
    pytest.param(ended(0, after=9, started_at=None), at(9), id="exit code 0 proves that it ran"),
    pytest.param(
        ended(0, started_at=None, finished_at=None), at(1), id="… even if nobody knows when"
    ),
]


@pytest.mark.parametrize(("container", "start"), STARTS)
def test_when_an_ended_container_started(container: Terminated, start: datetime | None) -> None:
    assert a_pod(ended=container).container_started_at == start


def test_a_waiting_container_has_not_started() -> None:
    assert a_pod(waiting="ErrImagePull").container_started_at is None


@pytest.mark.parametrize(
    ("phase", "over"),
    [("Pending", False), ("Running", False), ("Unknown", False), ("Succeeded", True),
     ("Failed", True)],
)  # fmt: skip
def test_a_pod_is_over_when_its_phase_is_final(*, phase: str, over: bool) -> None:
    assert a_pod(phase=phase).is_over is over


# Runs

RUN = b"""{
  "metadata": {"name": "hello", "namespace": "team", "uid": "u", "resourceVersion": "7",
               "generation": 2, "labels": {"a": "b"}},
  "spec": {"actor": "greeter", "memoryMbytes": 512, "input": {"a": [1, 2.5]}, "origin": "API",
           "abort": {"attempt": 1, "mode": "Graceful"}, "reboot": {"attempt": 1, "count": 1},
           "whenMemoryExceeded": "Wait"},
  "status": {"phase": "READY", "attempt": 1, "observedGeneration": -1, "finished": false}
}"""


def test_a_run_of_the_api_server_is_read() -> None:
    run = msgspec.json.decode(RUN, type=RunView)

    assert (run.spec.actor, run.spec.memory_mbytes, run.spec.origin) == ("greeter", 512, "API")
    assert bytes(run.spec.input) == b'{"a": [1, 2.5]}'
    assert run.spec.abort is not None
    assert (run.spec.abort.attempt, run.spec.abort.mode) == (1, "Graceful")
    assert run.status == RunStatus()


def test_a_run_without_status_is_ready() -> None:
    run = msgspec.json.decode(b'{"metadata":{"name":"x"},"spec":{"actor":"a"}}', type=RunView)

    assert (run.status.phase, run.status.attempt, run.status.finished) == (Phase.READY, 1, False)


def test_a_status_survives_the_way_to_the_api_server_and_back() -> None:
    status = a_status(started=2, end=Phase.FAILED, exit_code=0, cleanup=("Pod",), input_sha256="ab")

    written = msgspec.json.encode(status)
    assert msgspec.json.decode(written, type=RunStatus) == status
    assert b'"inputSha256":"ab"' in written
    assert b'"exitCode":0' in written
    assert b'"startedAt":"2026-03-01T12:00:02Z"' in written


def test_conditions_are_found_by_type() -> None:
    status = a_status(started=2)

    assert status.is_true(ConditionType.STARTED)
    assert not status.is_true(ConditionType.FINISHED)
    assert not status.is_true("Unheard")
    assert status.condition("Unheard") is None


@pytest.mark.parametrize(
    ("status", "done"),
    [
        (RunStatus(), False),
        (a_status(started=2), False),
        (a_status(end=Phase.SUCCEEDED), True),
        (a_status(end=Phase.FAILED, cleanup=("Pod",)), False),
        (a_status(end=Phase.FAILED, generation=0), False),
    ],
    ids=["new", "running", "finished", "not cleaned up", "a generation behind"],
)
def test_a_run_is_kept_as_a_stub_when_nothing_is_left_to_do(
    *, status: RunStatus, done: bool
) -> None:
    run = a_run(status=status)

    assert settled(run) is done
    assert isinstance(stub(run), FinishedRun if done else RunView)


def test_a_stub_tells_who_the_run_is_and_how_it_ended() -> None:
    run = a_run(status=a_status(end=Phase.ABORTED))

    assert stub(run) == FinishedRun("team", "hello", run.uid, "1", Phase.ABORTED, at(10))


# Actors


def test_an_actor_of_the_api_server_is_read() -> None:
    actor = msgspec.json.decode(
        b"""{"metadata": {"name": "greeter", "generation": 3},
         "spec": {"builds": [{"number": "1.0.1", "image": "i", "inputSchema": "{}",
                  "env": [{"name": "T", "secretKeyRef": {"name": "s", "key": "k"}}]}],
                  "taggedBuilds": {"latest": "1.0.1"}, "isPublic": true,
                  "webServer": {"enabled": false, "port": 8000},
                  "defaultRunOptions": {"memoryMbytes": 256}}}""",
        type=ActorView,
    )

    assert actor.spec.tagged_builds == {"latest": "1.0.1"}
    reference = actor.spec.builds[0].env[0].secret_key_ref
    assert reference is not None
    assert (reference.name, reference.key) == ("s", "k")
    assert actor.spec.web_server == WebServer(enabled=False, port=8000)
    assert actor.spec.default_run_options.memory_mbytes == 256
    assert actor.spec.default_run_options.timeout_secs is None


# Phases


def test_only_a_finished_run_becomes_ready_again() -> None:
    assert {phase for phase, steps in STEPS.items() if Phase.READY in steps} == FINISHED


def test_every_phase_can_be_left_and_every_unfinished_one_can_end() -> None:
    assert STEPS.keys() == set(Phase)
    reachable = {phase: reach(phase) for phase in set(Phase) - FINISHED}
    assert all(ends & FINISHED for ends in reachable.values())


def reach(phase: Phase) -> set[Phase]:
    """Every phase that can follow within the attempt."""
    found: set[Phase] = set()
    todo = [phase]
    while todo:
        for after in STEPS[todo.pop()] - found - {Phase.READY}:
            found.add(after)
            todo.append(after)
    return found


def test_an_aborting_run_ends_as_aborted_only() -> None:
    assert reach(Phase.ABORTING) == {Phase.ABORTED}


def test_no_run_succeeds_without_having_run() -> None:
    assert Phase.SUCCEEDED not in STEPS[Phase.READY]


def test_times_of_the_views_are_aware() -> None:
    pod = msgspec.json.decode(POD, type=PodView)

    assert pod.status.start_time is not None
    assert pod.status.start_time.utcoffset() == timedelta(0)
