"""Pods moved by hand: what scheduler and kubelet would write, step by step.

    server.pod("default", "run-1").run().exit(0)

Each step commits at once. What a step says in a pod's status was seen on a real kubelet.
"""

from typing import Self

from tests.support.apiserver.builtin import PODS
from tests.support.apiserver.clock import Clock, timestamp
from tests.support.apiserver.fields import Object, at
from tests.support.apiserver.podlogs import PodLogs
from tests.support.apiserver.store import Key, Store

DEADLINE_MESSAGE = "Pod was active on the node longer than the specified deadline"
"""What a pod says that ran into activeDeadlineSeconds."""

DISK_MESSAGE = "Pod ephemeral local storage usage exceeds the total limit of containers 256Mi"
"""What a pod says that has filled its disk."""

KILLED = 137
"""Exit code after SIGKILL."""

TERMINATED = 143
"""Exit code of a program that SIGTERM ended."""


class PodHandle:
    """One pod. All methods but the properties return the handle, so that steps can be chained."""

    def __init__(self, *, store: Store, key: Key, clock: Clock, logs: PodLogs) -> None:
        self._store = store
        self._key = key
        self._clock = clock
        self._logs = logs

    @property
    def object(self) -> Object:
        """A copy of the pod as it is.

        Raises
        ------
        LookupError
            It is gone.
        """
        version = self._store.get(PODS, self._key)
        if version is None:
            raise LookupError(f"pod {'/'.join(self._key)}")
        return version.copy()

    @property
    def is_gone(self) -> bool:
        """Whether there is no such pod any more."""
        return self._store.get(PODS, self._key) is None

    def schedule(self, node: str = "node-1") -> Self:
        """Give it to a node."""
        pod = self.object
        pod["spec"]["nodeName"] = node
        self._set_condition(pod, "PodScheduled", "True")
        return self._put(pod)

    def unschedulable(
        self, message: str = "0/1 nodes are available: 1 Insufficient memory."
    ) -> Self:
        """Let the scheduler find no node."""
        pod = self.object
        self._set_condition(pod, "PodScheduled", "False", "Unschedulable", message)
        return self._put(pod)

    def wait(self, reason: str, message: str = "") -> Self:
        """Let the container wait: ImagePullBackOff, CreateContainerConfigError, …"""
        pod = self._scheduled()
        pod["status"].setdefault("startTime", self._now())
        self._set_state(pod, {"waiting": {"reason": reason, "message": message}})
        return self._put(pod)

    def run(self, *, ready: bool = True) -> Self:
        """Start the container, on a node if there is none yet."""
        pod = self._scheduled()
        status = pod["status"]
        status.setdefault("startTime", self._now())
        status |= {"phase": "Running", "podIP": "10.244.0.7", "hostIP": "172.18.0.2"}
        status |= {"podIPs": [{"ip": "10.244.0.7"}], "hostIPs": [{"ip": "172.18.0.2"}]}
        self._set_state(pod, {"running": {"startedAt": self._now()}}, ready=ready)
        self._set_ready(pod, "" if ready else "ContainersNotReady")
        return self._put(pod)

    def unready(self, reason: str = "ContainersNotReady") -> Self:
        """Let its readiness be lost."""
        pod = self.object
        self._set_ready(pod, reason)
        return self._put(pod)

    def terminate(self, code: int, reason: str = "", message: str = "") -> Self:
        """End the container; the phase follows with `finish`, as the kubelet does it."""
        pod = self.object
        state = {
            "exitCode": code,
            "reason": reason or ("Error" if code else "Completed"),
            "startedAt": _started_at(pod) or self._now(),
            "finishedAt": self._now(),
        }
        if message:
            state["message"] = message
        self._set_state(pod, {"terminated": state})
        return self._put(pod)

    def finish(self, reason: str = "", message: str = "") -> Self:
        """Set the last phase, from the exit code and from the cause, if there is one."""
        pod = self.object
        status = pod["status"]
        code = at(container_status(pod), "state.terminated.exitCode")
        failed = bool(reason) or code != 0
        status["phase"] = "Failed" if failed else "Succeeded"
        if reason:
            status |= {"reason": reason, "message": message}
        self._set_ready(pod, "PodFailed" if failed else "PodCompleted")
        return self._put(pod)

    def exit(self, code: int) -> Self:
        """End the container and the pod."""
        return self.terminate(code).finish()

    def oom(self) -> Self:
        """Kill the container because it took too much memory."""
        return self.terminate(KILLED, "OOMKilled").finish()

    def evict(self, message: str = DISK_MESSAGE) -> Self:
        """Let the kubelet evict it: the disk is full, or the node is under pressure."""
        return self.terminate(KILLED, "ContainerStatusUnknown").finish("Evicted", message)

    def reach_deadline(self) -> Self:
        """Let activeDeadlineSeconds be over: the container has its grace, the pod is Running."""
        return self.unready("PodFailed")

    def exceed_deadline(self, code: int = TERMINATED) -> Self:
        """End the container because of the deadline, with that exit code."""
        return self.reach_deadline().terminate(code).finish("DeadlineExceeded", DEADLINE_MESSAGE)

    def disrupt(self, reason: str = "EvictionByEvictionAPI", message: str = "made up") -> Self:
        """Say that the pod is about to go through no fault of its own: drain, preemption, …"""
        pod = self.object
        self._set_condition(pod, "DisruptionTarget", "True", reason, message)
        return self._put(pod)

    def lose_node(self) -> Self:
        """Let its node no longer answer."""
        pod = self.object
        self._set_condition(pod, "Ready", "False", "NodeNotReady")
        return self._put(pod)

    def print(self, text: str) -> Self:
        """Let the container write to its log."""
        self._logs.append(self._key, text)
        return self

    def remove(self) -> Self:
        """Take the object away, as the kubelet does when a deleted pod has ended."""
        pod = self.object
        if pod["metadata"].get("finalizers"):
            pod["metadata"]["deletionGracePeriodSeconds"] = 0
            return self._put(pod)
        self._store.remove(PODS, self._key)
        return self

    def _scheduled(self) -> Object:
        if not self.object["spec"].get("nodeName"):
            self.schedule()
        return self.object

    def _put(self, pod: Object) -> Self:
        if pod != self.object:
            self._store.put(PODS, self._key, pod)
        return self

    def _now(self) -> str:
        return timestamp(self._clock())

    def _set_state(self, pod: Object, state: Object, *, ready: bool = False) -> None:
        containers = pod["spec"]["containers"]
        before = pod["status"].get("containerStatuses") or [{} for _ in containers]
        pod["status"]["containerStatuses"] = [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "" if "waiting" in state else _digest(container["image"]),
                "containerID": "" if "waiting" in state else f"containerd://{container['name']}",
                "restartCount": 0,
                "lastState": old.get("lastState", {}),
                "ready": ready,
                "started": "running" in state,
                "state": state,
            }
            for container, old in zip(containers, before, strict=True)
        ]

    def _set_ready(self, pod: Object, reason: str) -> None:
        """Ready and ContainersReady, with a reason if they are not."""
        status = "False" if reason else "True"
        for name in ("PodReadyToStartContainers", "Initialized"):
            self._set_condition(pod, name, "True")
        for name in ("Ready", "ContainersReady"):
            self._set_condition(pod, name, status, reason)

    def _set_condition(
        self, pod: Object, name: str, status: str, reason: str = "", message: str = ""
    ) -> None:
        conditions = pod["status"].setdefault("conditions", [])
        previous = next((entry for entry in conditions if entry["type"] == name), None)
        if previous is None:
            previous = {"type": name, "status": "", "lastProbeTime": None}
            conditions.append(previous)
        if previous["status"] != status:
            previous["lastTransitionTime"] = self._now()
        previous["status"] = status
        for field, value in (("reason", reason), ("message", message)):
            previous.pop(field, None)
            if value:
                previous[field] = value


def container_status(pod: Object) -> Object:
    """The status of the first container, empty if there is none yet."""
    statuses = at(pod, "status.containerStatuses") or [{}]
    first: Object = statuses[0]
    return first


def _started_at(pod: Object) -> str | None:
    started: str | None = at(container_status(pod), "state.running.startedAt")
    return started


def _digest(image: str) -> str:
    """The image with a digest, as a runtime reports it."""
    name = image.partition("@")[0]
    slash = name.rfind("/")
    colon = name.find(":", slash + 1)
    return f"{name if colon < 0 else name[:colon]}@sha256:{'ab' * 32}"
