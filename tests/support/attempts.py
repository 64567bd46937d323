"""The attempts of a run, each with its part of the run's revisions and its pods."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.history import (
    POD,
    RUN,
    History,
    Life,
    Object,
    Revision,
    condition,
    status_of,
    terminated,
)

ENDED = frozenset({"SUCCEEDED", "FAILED", "TIMED-OUT", "ABORTED"})
"""Phases that end an attempt."""

ATTEMPT_LABEL = "actor-operator.dev/attempt"
"""Label of children with the number of their attempt."""


@dataclass(frozen=True)
class Attempt:
    """One attempt of one run."""

    number: int
    """The first is 1."""

    revisions: Life
    """Those of the run in which it is the current attempt; at least one."""

    pods: list[Life]
    """Its pods, in the order of their creation."""

    @property
    def end(self) -> Revision | None:
        """The revision that told the verdict."""
        return next((r for r in self.revisions if phase_of(r) in ENDED), None)

    @property
    def verdict(self) -> str:
        """The phase in which it ended, empty while it has not."""
        return phase_of(self.end) if self.end else ""

    @property
    def stop(self) -> Revision | None:
        """The first revision in which a stop is decided."""
        return next((r for r in self.revisions if is_true(r, "TerminationTarget")), None)

    @property
    def abort_asked(self) -> Revision | None:
        """The first revision with a request to abort it, if it had not ended by then."""
        asked = next((r for r in self.revisions if self._asks_for_abort(r)), None)
        return asked if asked and phase_of(asked) not in ENDED else None

    @property
    def last_pod(self) -> Life:
        """The life of the pod that the verdict is about; empty: there is none."""
        told = status_of((self.end or self.revisions[-1]).object).get("podName")
        found = [life for life in self.pods if life[0].name == told]
        return (found or self.pods or [[]])[-1]

    @property
    def container_end(self) -> Revision | None:
        """The revision in which the last pod's container was first seen to have ended."""
        return end_of_container(self.last_pod)

    def _asks_for_abort(self, revision: Revision) -> bool:
        request = revision.object["spec"].get("abort") or {}
        return request.get("attempt") == self.number


def attempts(history: History) -> Iterator[Attempt]:
    """All attempts of all runs."""
    for life in history.objects(RUN):
        yield from attempts_of(history, life)


def attempts_of(history: History, life: Life) -> Iterator[Attempt]:
    """The attempts of one run, the first one first."""
    parts: dict[int, Life] = {}
    for revision in life:
        parts.setdefault(attempt_of(revision), []).append(revision)
    pods = history.children(POD, life[0].uid)
    for number, revisions in sorted(parts.items()):
        yield Attempt(number, revisions, [pod for pod in pods if pod_attempt(pod) == number])


def attempt_of(run: Revision) -> int:
    """The number of the attempt that is the current one in a revision of a run."""
    return int(status_of(run.object).get("attempt", 1))


def pod_attempt(pod: Life) -> int:
    """The number of the attempt to which a pod belongs."""
    labels: Object = pod[0].object["metadata"].get("labels") or {}
    return int(labels.get(ATTEMPT_LABEL, "1"))


def end_of_container(pod: Life) -> Revision | None:
    """The revision in which a pod's container was first seen to have ended."""
    return next((revision for revision in pod if terminated(revision.object)), None)


def phase_of(run: Revision) -> str:
    """The phase of a run in a revision."""
    return str(status_of(run.object).get("phase", ""))


def is_true(run: Revision, kind: str) -> bool:
    """Whether a condition is True in a revision."""
    return condition(run.object, kind).get("status") == "True"


def is_deleted(revision: Revision) -> bool:
    """Whether an object is being, or was, deleted."""
    return revision.gone or "deletionTimestamp" in revision.object["metadata"]


def say(number: str, revision: Revision, text: str) -> str:
    """A sentence about a violation of an invariant."""
    return f"{number} {revision.kind} {revision.name} at {revision.number}: {text}"
