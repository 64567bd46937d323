"""What a user does with kubectl, in the words of tests."""

import json
import time
from typing import Any

from tests.cluster_tool.errors import CommandError
from tests.cluster_tool.kubectl import Kubectl

API_VERSION = "actor-operator.dev/v1alpha1"
"""``apiVersion`` of our kinds."""


class User:
    """Someone who runs actors in one namespace."""

    def __init__(self, kubectl: Kubectl, namespace: str = "default") -> None:
        self.kubectl = kubectl
        self.namespace = namespace

    def run_kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl in the namespace."""
        return self.kubectl.run("--namespace", self.namespace, *arguments, stdin=stdin)

    def make_actor(self, name: str, image: str, **spec: Any) -> None:
        """Apply an Actor with one build."""
        build = {"number": "0.1.1", "image": image}
        self._apply("Actor", name, {"builds": [build], "taggedBuilds": {"latest": "0.1.1"}} | spec)

    def start(self, name: str, actor: str, **spec: Any) -> None:
        """Apply an ActorRun."""
        self._apply("ActorRun", name, {"actor": actor, **spec})

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """One object; None: there is none."""
        text = self.run_kubectl("get", kind, name, "-o", "json", "--ignore-not-found")
        return dict(json.loads(text)) if text.strip() else None

    def status(self, name: str) -> dict[str, Any]:
        """The status of a run."""
        found = self.get("actorrun", name)
        assert found is not None, f"there is no run {name}"
        return dict(found["status"])

    def wait(self, name: str, phase: str, seconds: float = 60) -> dict[str, Any]:
        """Wait for a phase of a run; returns its status.

        Raises
        ------
        AssertionError
            With the status, when it does not come, or another end comes.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = self.status(name)
            if status["phase"] == phase:
                return status
            assert not status["finished"], f"{name} ended otherwise than {phase}: {status}"
            time.sleep(0.3)
        raise AssertionError(f"{name} is not {phase} after {seconds} s: {self.status(name)}")

    def abort(self, name: str, mode: str = "Immediate") -> None:
        """Ask for the end of a run's first attempt."""
        patch = {"spec": {"abort": {"attempt": 1, "mode": mode}}}
        self.run_kubectl("patch", "actorrun", name, "--type=merge", "-p", json.dumps(patch))

    def log(self, name: str) -> str:
        """What the container of a run has printed."""
        return self.run_kubectl("logs", self.status(name)["podName"])

    def wait_for_log(self, name: str, text: str, seconds: float = 30) -> None:
        """Wait until the container of a run has printed something.

        Raises
        ------
        AssertionError
            With the log, when it does not.
        """
        deadline = time.monotonic() + seconds
        while text not in self.log(name):
            assert time.monotonic() < deadline, f"{name} never printed {text!r}: {self.log(name)}"
            time.sleep(0.3)

    def delete_all(self) -> None:
        """Delete every run of the namespace."""
        self.run_kubectl("delete", "actorruns", "--all", "--wait")

    def refusal(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl says when the API server refuses.

        Raises
        ------
        AssertionError
            When it does not refuse.
        """
        try:
            self.run_kubectl(*arguments, stdin=stdin)
        except CommandError as error:
            return str(error)
        raise AssertionError(f"kubectl {arguments} was not refused")

    def _apply(self, kind: str, name: str, spec: dict[str, Any]) -> None:
        manifest = {
            "apiVersion": API_VERSION,
            "kind": kind,
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        }
        self.run_kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
