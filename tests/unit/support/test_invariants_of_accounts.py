"""Each invariant of accounts catches its violation in a hand-made history."""

import json
from typing import Any, Self

import pytest
from tests.support.history import ACCOUNT, ADDED, DELETED, MODIFIED, POD, RUN, History, Revision
from tests.support.invariants_accounts import (
    limits_of_accounts_hold,
    lines_of_accounts_are_kept,
)

RUN_MBYTES = 1024


class Book:
    """Tells revisions about an account, its runs and their pods, a second apart."""

    def __init__(self) -> None:
        self._revisions: list[Revision] = []
        self._clock = 0.0

    @property
    def history(self) -> History:
        """What was told so far."""
        return History(self._revisions)

    def _tell(self, kind: str, change: str, name: str, body: dict[str, Any]) -> Self:
        self._clock += 1
        place = {} if kind == ACCOUNT else {"namespace": "team"}
        metadata = {"name": name, "uid": f"uid-{name}", **place, **body.pop("metadata", {})}
        number = len(self._revisions) + 1
        obj = {"metadata": metadata, **body}
        self._revisions.append(Revision(number, kind, change, obj, self._clock))
        return self

    def wait(self, seconds: float = 10) -> Self:
        """Time passes, in which the operator hears of everything."""
        self._clock += seconds
        return self

    def limit(self, memory: int | None = 2048, **spec: Any) -> Self:
        """The limits of the account are written."""
        limits = {"memoryLimitMbytes": memory} if memory else {}
        return self._tell(ACCOUNT, MODIFIED, "team", {"spec": {**limits, **spec}})

    def no_limit(self) -> Self:
        """The account is deleted."""
        return self._tell(ACCOUNT, DELETED, "team", {})

    def run(self, name: str, phase: str = "READY", admitted: str = "", **status: Any) -> Self:
        """A run is written; `admitted` is the reason of its condition Admitted."""
        true = str(admitted == "MemoryReserved")
        conditions = [{"type": "Admitted", "status": true, "reason": admitted}]
        body = {
            "metadata": {"creationTimestamp": "2026-01-01T12:00:00Z"},
            "spec": {"actor": "greeter", "memoryMbytes": RUN_MBYTES},
            "status": {"phase": phase, "conditions": conditions if admitted else [], **status},
        }
        return self._tell(RUN, MODIFIED, name, body)

    def waits(self, name: str, second: float) -> Self:
        """A run stands in the line."""
        queued_at = f"2026-01-01T12:00:{second:09.6f}Z"
        return self.run(name, admitted="WaitingForAccountMemory", queuedAt=queued_at)

    def pod(self, name: str, phase: str = "Pending", change: str = ADDED) -> Self:
        """The pod of a run is written."""
        resolved = json.dumps({"memoryMbytes": RUN_MBYTES})
        metadata = {
            "labels": {"actor-operator.dev/run-uid": f"uid-{name}"},
            "annotations": {"actor-operator.dev/resolved": resolved},
        }
        return self._tell(
            POD, change, f"pod-{name}", {"metadata": metadata, "status": {"phase": phase}}
        )

    def live(self, *names: str) -> Self:
        """Runs have pods and are admitted."""
        for name in names:
            self.run(name).pod(name).run(name, "RUNNING", "MemoryReserved")
        return self

    def ended(self, name: str) -> Self:
        """A run has ended, and its pod."""
        return self.run(name, "SUCCEEDED", "MemoryReserved").pod(name, "Succeeded", MODIFIED)


GOOD = {
    "no limit": Book().live(*"abcdef"),
    "as many as fit": Book().limit().live("a", "b").ended("a").live("c"),
    "a limit that is lowered below what is used": Book().limit().live("a", "b").wait().limit(1024),
    "a limit of which the operator has not heard": Book()
    .limit(2048)
    .live("a")
    .wait()
    .limit(1024)
    .pod("b"),
    "an account that is deleted": Book().limit().no_limit().wait().live(*"abc"),
    "a pod that is replaced": Book().limit(1024).live("a").pod("a", change=DELETED).pod("a"),
    "the line is kept": Book()
    .limit()
    .live("a", "b")
    .run("c")
    .run("d")
    .waits("c", 1)
    .waits("d", 2)
    .ended("a")
    .live("c")
    .ended("b")
    .live("d"),
    "two are admitted at once": Book()
    .limit()
    .live("a", "b")
    .waits("c", 1)
    .waits("d", 2)
    .ended("a")
    .ended("b")
    .pod("d")
    .pod("c"),
    "one that was refused is passed": Book()
    .limit(1024)
    .live("a")
    .run("c", admitted="QuotaExceeded")
    .waits("c", 1)
    .waits("d", 2)
    .ended("a")
    .live("d"),
    "one that came before is admitted": Book()
    .limit(1024)
    .live("a")
    .waits("c", 1)
    .ended("a")
    .live("b"),
}
"""Histories in which nothing is wrong."""

BAD = {
    "more memory than allowed": (Book().limit().live("a", "b", "c"), "3072 MB by 3 runs"),
    "more runs than allowed": (
        Book().limit(None, maxConcurrentRuns=1).live("a", "b"),
        "2048 MB by 2 runs",
    ),
    "started although suspended": (
        Book().limit(suspended=True).wait().live("a"),
        "1024 MB by 1 runs",
    ),
    "a pod still lives": (
        Book().limit(1024).live("a").run("a", "SUCCEEDED", "MemoryReserved").pod("b"),
        "2048 MB by 2 runs",
    ),
    "the run of a pod is gone": (
        Book().limit(1024).pod("gone").wait().live("a"),
        "2048 MB by 2 runs",
    ),
    "a lower limit that was heard of": (
        Book().limit().wait().limit(1024).wait().live("a", "b"),
        "2048 MB by 2 runs",
    ),
    "somebody is passed": (
        Book().limit(1024).live("a").waits("c", 1).waits("d", 2).ended("a").live("d"),
        "was admitted before c",
    ),
    "somebody at the same moment is passed": (
        Book().limit(1024).live("a").waits("d", 1).waits("c", 1).ended("a").live("d"),
        "was admitted before c",
    ),
}
"""Histories with a violation, and what is said of it."""


@pytest.mark.parametrize("name", GOOD)
def test_a_good_history_passes(name: str) -> None:
    history = GOOD[name].history

    assert limits_of_accounts_hold(history) == []
    assert lines_of_accounts_are_kept(history) == []


@pytest.mark.parametrize("name", BAD)
def test_a_violation_is_found(name: str) -> None:
    book, said = BAD[name]

    found = limits_of_accounts_hold(book.history) + lines_of_accounts_are_kept(book.history)

    assert any(said in sentence for sentence in found), found
