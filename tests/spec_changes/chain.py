"""A chain of changes to one object; each is taken, or refused in words that help its user."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.spec_changes.values import changed, fields, patch, values
from tests.support.rest import GROUP_PATH, MERGE_PATCH, Answer
from tests.support.workspace import Workspace

SECONDS = 120.0
"""How long it may take until the operator has followed: a simulated pod that is deleted does not
tell its end, so that the next one waits for the grace of its container."""

NO_SENTENCE = ("no such key", "no such overload", "evaluation error", "exceeded budget", "panic")
"""Parts of a refusal that tell users of our rules' defects, not of theirs."""


@dataclass
class Tally:
    """What became of changes."""

    changes: int = 0
    refused: int = 0
    converged: int = 0
    """Chains whose end was compared with a fresh one's."""

    violations: list[str] = field(default_factory=list)


class Chain:
    """One object and its changes.

    Parameters
    ----------
    place
        Where.
    plural, name
        Which object.
    rng
        Decides.
    tally
        Counts.
    """

    def __init__(
        self, place: Workspace, plural: str, name: str, rng: random.Random, tally: Tally
    ) -> None:
        self.place = place
        self.plural = plural
        self.name = name
        self.rng = rng
        self.tally = tally
        self.spec: dict[str, Any] = {}
        """As it was accepted last."""
        self.generation = 0
        self.seen = False
        """Whether anybody has heard of the object."""

    def path(self, name: str = "") -> str:
        """Path of the object, or of its kind."""
        if self.plural == "actoraccounts":
            return f"{GROUP_PATH}/actoraccounts{f'/{name}' if name else ''}"
        return self.place.path(self.plural, name)

    def make(self, spec: dict[str, Any]) -> bool:
        """Create the object; returns whether the API server takes it."""
        answer = self._create(self.name, spec)
        self._count(answer, f"create {spec}")
        return answer.accepted

    def make_fresh(self, name: str, spec: dict[str, Any]) -> None:
        """Create another object as the chain has left its own: also that must be taken."""
        answer = self._create(name, spec)
        if not answer.accepted:
            text = f"{self.plural} {name}: {answer.sentences} to what was taken step by step"
            self.tally.violations.append(text)

    def _create(self, name: str, spec: dict[str, Any]) -> Answer:
        kind = {"actors": "Actor", "actorruns": "ActorRun", "actoraccounts": "ActorAccount"}
        body = {
            "apiVersion": "actor-operator.dev/v1alpha1",
            "kind": kind[self.plural],
            "metadata": {"name": name},
            "spec": spec,
        }
        return self.place.admin.call("POST", self.path(), body)

    def change(self, wanted: dict[str, Any]) -> bool:
        """Ask for another spec; returns whether the API server takes it."""
        body = {"spec": patch(self.spec, wanted)}
        answer = self.place.admin.call(
            "PATCH", self.path(self.name), body, content_type=MERGE_PATCH
        )
        self._count(answer, f"patch {body}")
        return answer.accepted

    def any_change(self) -> dict[str, Any]:
        """The spec with one field changed to anything."""
        where, schema = self.rng.choice(fields(self.plural))
        return changed(self.spec, where, self.rng.choice(values(schema)))

    def wait(self, what: str, done: Callable[[], bool]) -> None:
        """Wait until the operator has followed."""
        self.place.recorder.wait(f"{self.plural} {self.name}: {what}", done, SECONDS)

    def blame(self, status: dict[str, Any]) -> None:
        """No change of a spec may end a run by a fault that is told to be the platform's."""
        failure = status.get("failure") or {}
        if failure.get("platform"):
            self.tally.violations.append(f"{self.plural} {self.name}: {failure['message']}")

    def compare(self, chain: Any, fresh: Any) -> None:
        """Both must have come to the same end."""
        self.tally.converged += 1
        if chain != fresh:
            text = f"{self.plural} {self.name}: {chain} after changes, {fresh} when made so"
            self.tally.violations.append(text)

    def _count(self, answer: Answer, what: str) -> None:
        self.tally.changes += 1
        if answer.accepted:
            self.spec = answer.body.get("spec", {})
            self.generation = answer.body["metadata"]["generation"]
            return
        self.tally.refused += 1
        said = answer.sentences
        wordless = not said or any(len(text.split()) < 3 for text in said)
        defect = any(sign in text for text in said for sign in NO_SENTENCE)
        if answer.code >= 500 or wordless or defect:
            text = f"{self.plural} {self.name}: {answer.code} {said} to {what[:300]}"
            self.tally.violations.append(text)
