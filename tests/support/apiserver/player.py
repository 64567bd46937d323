"""A scripted scheduler and kubelet: each pod plays the scenario of its image.

    player = PodPlayer(server, {"sleeper": Scenario(run_for=5)}, speed=50)

Seconds are divided by `speed`, those of the pod's own spec (deadline, grace) too.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Self

from tests.support.apiserver.builtin import PODS
from tests.support.apiserver.fields import Object, at
from tests.support.apiserver.pods import KILLED, PodHandle, container_status
from tests.support.apiserver.server import ApiServer
from tests.support.apiserver.store import Change, Key
from tests.support.apiserver.timers import Timers

SCENARIO_ANNOTATION = "test.actor-operator.dev/scenario"
"""Annotation, or label, that names a pod's scenario; without it the image's last part does."""

PHASE_LAG = 1.0
"""Seconds by which the phase follows the container's end on a real node."""

Step = Callable[[PodHandle, Object], None]
"""One step of a pod: its handle, and the pod as it is."""


class End(StrEnum):
    """What becomes of a pod."""

    EXIT = "exit"
    OOM = "oom"
    EVICTED = "evicted"
    IMAGE_PULL = "image-pull"
    CONFIG_ERROR = "config-error"
    UNSCHEDULABLE = "unschedulable"


@dataclass(frozen=True, slots=True)
class Scenario:
    """The life of a pod. Times are in seconds, before they are divided by the speed."""

    run_for: float | None = 1.0
    """How long the container runs, None for ever."""
    exit_code: int = 0
    end: End = End.EXIT
    schedule_after: float = 0.0
    start_after: float = 0.2
    """From node to running container: the image's pull and the start."""
    ready: bool = True
    on_term: tuple[int, float] | None = None
    """Exit code, and how long after SIGTERM; None for a program that has to be killed."""


class PodPlayer:
    """Plays all pods of a server, from when it is started until it is closed."""

    def __init__(
        self,
        server: ApiServer,
        scenarios: Mapping[str, Scenario] | None = None,
        *,
        default: Scenario | None = None,
        speed: float = 1.0,
    ) -> None:
        self._server = server
        self._scenarios = dict(scenarios or {})
        self._default = default or Scenario()
        self._speed = speed
        self._timers = Timers()
        self._stopping: set[str] = set()
        """uids of pods whose container has got its SIGTERM."""
        self._started: dict[str, float] = {}
        """uid -> time of the event loop at which the pod started."""

    def __enter__(self) -> Self:
        self._server.store.listen(self._on_change)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.store.unlisten(self._on_change)
        self._timers.close()

    def scenario(self, pod: Object) -> Scenario:
        """The scenario of a pod: by annotation, label or image, else the default."""
        metadata = pod["metadata"]
        names = [
            (metadata.get(field) or {}).get(SCENARIO_ANNOTATION)
            for field in ("annotations", "labels")
        ]
        image = pod["spec"]["containers"][0]["image"]
        names.append(image.rpartition("/")[2].partition(":")[0].partition("@")[0])
        found = [self._scenarios[name] for name in names if name in self._scenarios]
        return found[0] if found else self._default

    def _on_change(self, change: Change) -> None:
        if change.kind is not PODS or change.deleted:
            return
        pod, key = change.after.object, change.key
        if change.before is None:
            self._later(self.scenario(pod).schedule_after, self._schedule, key, pod)
        if "deletionTimestamp" in pod["metadata"]:
            self._later(0, self._stop_deleted, key, pod)
        self._set_deadline(change)

    def _later(self, seconds: float, step: Step, key: Key, pod: Object) -> None:
        """Take a step, unless the pod has gone by then."""
        uid = pod["metadata"]["uid"]

        def run() -> None:
            current = self._server.find("pods", *key)
            if current and current["metadata"]["uid"] == uid:
                step(self._server.pod(*key), current)

        self._timers.later(seconds / self._speed, run)

    def _schedule(self, handle: PodHandle, pod: Object) -> None:
        scenario = self.scenario(pod)
        if scenario.end is End.UNSCHEDULABLE:
            handle.unschedulable()
            return
        handle.schedule()
        self._later(scenario.start_after, self._start, _key(pod), pod)

    def _start(self, handle: PodHandle, pod: Object) -> None:
        scenario = self.scenario(pod)
        if pod["metadata"]["uid"] in self._stopping:
            return
        match scenario.end:
            case End.IMAGE_PULL:
                handle.wait("ErrImagePull", "no such image").wait(
                    "ImagePullBackOff", "no such image"
                )
            case End.CONFIG_ERROR:
                handle.wait("CreateContainerConfigError", 'secret "x" not found')
            case _:
                handle.run(ready=scenario.ready)
                if scenario.run_for is not None:
                    self._later(scenario.run_for, self._end, _key(pod), pod)

    def _end(self, handle: PodHandle, pod: Object) -> None:
        """The scenario's own end."""
        scenario = self.scenario(pod)
        if pod["metadata"]["uid"] in self._stopping or _is_terminal(pod):
            return
        match scenario.end:
            case End.OOM:
                handle.terminate(KILLED, "OOMKilled")
            case End.EVICTED:
                handle.evict()
                return
            case _:
                handle.terminate(scenario.exit_code)
        self._later(PHASE_LAG, self._finish, _key(pod), pod)

    def _finish(self, handle: PodHandle, pod: Object) -> None:
        if not _is_terminal(pod):
            handle.finish()

    def _set_deadline(self, change: Change) -> None:
        """Set a timer for activeDeadlineSeconds when the pod starts, another when it is lowered."""
        pod, before = change.after.object, change.before.object if change.before else {}
        seconds = pod["spec"].get("activeDeadlineSeconds")
        if not seconds or not at(pod, "status.startTime"):
            return
        has_started = not at(before, "status.startTime")
        if has_started or at(before, "spec.activeDeadlineSeconds") != seconds:
            now = asyncio.get_running_loop().time()
            elapsed = now - self._started.setdefault(pod["metadata"]["uid"], now)
            left = max(0.0, seconds - elapsed * self._speed)
            self._later(left, self._reach_deadline, change.key, pod)

    def _reach_deadline(self, handle: PodHandle, pod: Object) -> None:
        uid = pod["metadata"]["uid"]
        if uid in self._stopping or _is_terminal(pod):
            return
        self._stopping.add(uid)
        handle.reach_deadline()
        code, after = self._answer_to_term(pod, pod["spec"]["terminationGracePeriodSeconds"])
        self._later(after, partial(self._exceed_deadline, code), _key(pod), pod)

    @staticmethod
    def _exceed_deadline(code: int, handle: PodHandle, _pod: Object) -> None:
        handle.exceed_deadline(code)

    def _stop_deleted(self, handle: PodHandle, pod: Object) -> None:
        """SIGTERM, the program's answer or SIGKILL, then the object goes."""
        uid, grace = pod["metadata"]["uid"], pod["metadata"]["deletionGracePeriodSeconds"]
        if not _is_running(pod):
            handle.remove()
            return
        if uid in self._stopping:
            self._later(grace, self._remove, _key(pod), pod)
            return
        self._stopping.add(uid)
        code, after = self._answer_to_term(pod, grace)
        self._later(after, partial(self._exit_deleted, code), _key(pod), pod)

    def _exit_deleted(self, code: int, handle: PodHandle, pod: Object) -> None:
        if not _is_terminal(pod):
            handle.exit(code)
        self._later(PHASE_LAG, self._remove, _key(pod), pod)

    @staticmethod
    def _remove(handle: PodHandle, _pod: Object) -> None:
        handle.remove()

    def _answer_to_term(self, pod: Object, grace: float) -> tuple[int, float]:
        """Exit code, and after how many seconds."""
        answer = self.scenario(pod).on_term
        if answer and answer[1] <= grace:
            return answer
        return KILLED, grace


def _key(pod: Object) -> Key:
    return pod["metadata"]["namespace"], pod["metadata"]["name"]


def _is_terminal(pod: Object) -> bool:
    return at(pod, "status.phase") in {"Succeeded", "Failed"}


def _is_running(pod: Object) -> bool:
    return at(container_status(pod), "state.running") is not None
