"""A namespace of a real cluster in which a test makes Actors and runs."""

import copy
import http.client
import itertools
import re
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from tests.support.attempts import ENDED
from tests.support.history import (
    EVENT,
    POD,
    RUN,
    History,
    Object,
    condition,
    has_started,
    status_of,
)
from tests.support.reach import Reachable
from tests.support.recorder import Recorder, RecorderError
from tests.support.rest import GROUP_PATH, MERGE_PATCH, STRATEGIC_PATCH, Answer, RestClient

ATTEMPTS = 3
"""How often a request is sent whose connection breaks: servers are killed in these tests."""

_numbers = itertools.count(1)


class Admin:
    """Sends requests as the cluster's administrator, over a new connection when one breaks."""

    def __init__(self, control_plane: Reachable) -> None:
        self.control_plane = control_plane
        self._client: RestClient | None = None

    def call(self, verb: str, path: str, body: Any = None, **options: Any) -> Answer:
        """Send one request.

        Raises
        ------
        OSError
            The server does not answer.
        """
        for left in reversed(range(ATTEMPTS)):
            try:
                self._client = self._client or RestClient(self.control_plane)
                return self._client.call(verb, path, body, **options)
            except (OSError, http.client.HTTPException):
                self.close()
                if not left:
                    raise
        raise AssertionError("unreachable")

    def must(self, verb: str, path: str, body: Any = None, **options: Any) -> Any:
        """Send one request and return the answer's body.

        Raises
        ------
        AssertionError
            The server refuses it.
        """
        answer = self.call(verb, path, body, **options)
        assert answer.accepted, f"{verb} {path}: {answer.sentences}"
        return answer.body

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
        self._client = None


class Workspace:
    """One namespace.

    Parameters
    ----------
    admin
        With which objects are made.
    recorder
        With which they are seen.
    labels
        Labels of the namespace.
    """

    def __init__(
        self, admin: Admin, recorder: Recorder, *, labels: dict[str, str] | None = None
    ) -> None:
        self.admin = admin
        self.recorder = recorder
        self.namespace = f"team-{next(_numbers)}"
        metadata = {"name": self.namespace, "labels": labels or {}}
        admin.must("POST", "/api/v1/namespaces", {"metadata": metadata})

    def seen_by(self, admin: Admin) -> "Workspace":
        """The same namespace over another connection."""
        other = copy.copy(self)
        other.admin = admin
        return other

    # Making

    def actor(self, name: str, image: str = "simulate-0.5s", **spec: Any) -> str:
        """Create an Actor with one build.

        Without a slash the image is a tag, which says what becomes of simulated pods.
        """
        reference = image if "/" in image else f"registry.example/actor:{image}"
        build = {"number": "1.0.1", "image": reference}
        spec = {"builds": [build], "taggedBuilds": {"latest": "1.0.1"}} | spec
        self.create("actors", {"kind": "Actor", "metadata": {"name": name}, "spec": spec})
        return name

    def run(self, name: str, actor: str = "quick", **spec: Any) -> str:
        """Create a run."""
        body = {"kind": "ActorRun", "metadata": {"name": name}, "spec": {"actor": actor, **spec}}
        self.create("actorruns", body)
        return name

    def account(self, **spec: Any) -> None:
        """Create the ActorAccount of this namespace."""
        body = {
            "apiVersion": "actor-operator.dev/v1alpha1",
            "kind": "ActorAccount",
            "metadata": {"name": self.namespace},
            "spec": spec,
        }
        self.admin.must("POST", f"{GROUP_PATH}/actoraccounts", body)

    def create(self, plural: str, body: Object) -> None:
        """Create an object of our group."""
        body = {"apiVersion": "actor-operator.dev/v1alpha1", **body}
        self.admin.must("POST", self.path(plural), body)

    def path(self, plural: str, name: str = "", *, core: bool = False) -> str:
        """Path of objects of this namespace."""
        group = "/api/v1" if core else GROUP_PATH
        path = f"{group}/namespaces/{self.namespace}/{plural}"
        return f"{path}/{name}" if name else path

    # Asking

    def abort(self, name: str, mode: str = "Immediate") -> None:
        """Ask for the current attempt of a run to be aborted."""
        self.patch(name, {"spec": {"abort": {"attempt": self.attempt(name), "mode": mode}}})

    def resurrect(self, name: str, **changes: Any) -> int:
        """Ask for a run to be resurrected; returns the number of the next attempt."""
        attempt = self.attempt(name) + 1
        self.patch(name, {"spec": {"resurrect": {"attempt": attempt, **changes}}})
        return attempt

    def patch(self, name: str, patch: Any) -> None:
        """Merge-patch a run."""
        path = self.path("actorruns", name)
        self.admin.must("PATCH", path, patch, content_type=MERGE_PATCH)

    def delete(self, plural: str, name: str, *, core: bool = False) -> None:
        """Delete an object."""
        self.admin.must("DELETE", self.path(plural, name, core=core))

    def end_pod(self, run: str, code: int = 0) -> Answer:
        """Write the end of a run's container, as the kubelet does, unless its pod is gone."""
        pod = self.pod(run) or {}
        (container,) = pod["status"]["containerStatuses"]
        ended = {
            "exitCode": code,
            "reason": "Error" if code else "Completed",
            "startedAt": container["state"]["running"]["startedAt"],
            "finishedAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        status = {
            "phase": "Failed" if code else "Succeeded",
            "containerStatuses": [{**container, "ready": False, "state": {"terminated": ended}}],
        }
        path = self.path("pods", pod["metadata"]["name"], core=True) + "/status"
        return self.admin.call("PATCH", path, {"status": status}, content_type=MERGE_PATCH)

    def write_pod_status(self, pod: str, **status: Any) -> None:
        """Write fields of the status of a pod, as its kubelet does."""
        path = self.path("pods", pod, core=True) + "/status"
        self.admin.must("PATCH", path, {"status": status}, content_type=STRATEGIC_PATCH)

    # Seeing

    def status(self, name: str) -> Object:
        """The status of a run, empty when there is none."""
        return status_of(self.recorder.find(RUN, self.namespace, name) or {})

    def phase(self, name: str) -> str:
        """The phase of a run, empty when there is none."""
        return str(self.status(name).get("phase", ""))

    def attempt(self, name: str) -> int:
        """The current attempt of a run."""
        return int(self.status(name).get("attempt", 1))

    def pods(self) -> list[Object]:
        """The pods of this namespace's runs."""
        return self.recorder.all(POD, self.namespace)

    def pod(self, name: str) -> Object | None:
        """The current pod of a run; None: there is none."""
        return self.recorder.find(POD, self.namespace, self.status(name).get("podName", ""))

    def assigned_pod(self, name: str, number: int = 1, seconds: float = 60) -> str:
        """Wait until a pod of a run has a node, of which no status tells yet; returns its name."""

        def found() -> list[str]:
            pods = [pod for pod in self.pods() if pod["spec"].get("nodeName")]
            names = [str(pod["metadata"]["name"]) for pod in pods]
            return [n for n in names if re.fullmatch(rf"{name}-[a-z2-7]{{4}}-{number}", n)]

        self.recorder.wait(f"pod {number} of {name} has a node", lambda: bool(found()), seconds)
        return found()[0]

    def events(self, name: str) -> list[str]:
        """The kinds of Events of a run as ``type/reason``, in the order of the first of each."""
        found = [e for e in self.recorder.all(EVENT, self.namespace) if _is_about(e, name)]
        found.sort(key=lambda event: str(event["eventTime"]))
        return list(dict.fromkeys(f"{event['type']}/{event['reason']}" for event in found))

    def wait(self, name: str, phases: Collection[str] = ENDED, seconds: float = 60) -> Object:
        """Wait until a run is in one of some phases; returns its status."""
        phases = {phases} if isinstance(phases, str) else phases
        what = f"run {name} is {' or '.join(sorted(phases))}"
        self.recorder.wait(what, lambda: self.phase(name) in phases, seconds)
        return self.status(name)

    def wait_all(self, names: Iterable[str], seconds: float = 60) -> None:
        """Wait until runs have ended."""
        deadline = time.monotonic() + seconds
        for name in names:
            self.wait(name, seconds=max(0.1, deadline - time.monotonic()))

    def wait_reason(self, name: str, kind: str, reason: str, seconds: float = 60) -> None:
        """Wait until a condition of a run has a reason."""

        def done() -> bool:
            conditions = self.status(name).get("conditions") or ()
            return any(c["type"] == kind and c["reason"] == reason for c in conditions)

        self.recorder.wait(f"condition {kind} of run {name} is {reason}", done, seconds)

    def wait_started(self, name: str, seconds: float = 60) -> Object:
        """Wait until the container of a run's current pod has started; returns the pod."""
        self.recorder.wait(
            f"the pod of {name} has started", lambda: has_started(self.pod(name) or {}), seconds
        )
        return self.pod(name) or {}

    def wait_events(self, name: str, expected: Iterable[str], seconds: float = 20) -> None:
        """Wait until a run has these Events, in this order, and no others.

        Raises
        ------
        AssertionError
            It has others.
        """
        wanted = list(expected)
        with suppress(RecorderError):
            self.recorder.wait("its events", lambda: self.events(name) == wanted, seconds)
        assert self.events(name) == wanted

    def reasons(self, name: str, kind: str) -> list[str]:
        """The reasons that a condition of a run had, one after the other."""
        found: list[str] = []
        for revision in self.history().life(RUN, name):
            reason = str(condition(revision.object, kind).get("reason", ""))
            if reason and found[-1:] != [reason]:
                found.append(reason)
        return found

    def history(self) -> History:
        """Everything that was committed here until now."""
        self.recorder.settle(self.namespace)
        return self.recorder.history(self.namespace)


def _is_about(event: Object, run: str) -> bool:
    return bool(event["regarding"].get("name") == run)
