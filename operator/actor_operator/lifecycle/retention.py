"""When finished runs and their pods are removed.

A run goes when its time to live after its end is over: its own, else that of its ActorAccount,
else the installation's. Of those without a time of their own the newest of an account stay,
whatever their age. A run that a GitOps tool owns stays unless it has a time of its own: the tool
would create it again, and it would run again.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from actor_operator.api.views.metadata import Metadata
from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import FinishedRun, RunView, settled
from actor_operator.lifecycle.actions import DeletePod
from actor_operator.lifecycle.removal import ABORT_GRACE_SECONDS
from actor_operator.settings_groups import RetentionSettings


class AccountRetention(Protocol):
    """``spec.retention`` of an ActorAccount."""

    @property
    def ttl_seconds_after_finished(self) -> int | None:
        """Seconds after their end at which runs go."""
        ...

    @property
    def keep_last(self) -> int | None:
        """How many of the newest stay."""
        ...


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds in an account for runs that do not say otherwise."""

    ttl: timedelta
    keep_last: int


def terms_of(account: AccountRetention | None, settings: RetentionSettings) -> Terms:
    """The account's terms, with those of the installation where it has none."""
    ttl = account.ttl_seconds_after_finished if account else None
    keep_last = account.keep_last if account else None
    return Terms(
        timedelta(seconds=settings.ttl_seconds_after_finished if ttl is None else ttl),
        settings.keep_last if keep_last is None else keep_last,
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be removed from an account now, and when the next run is due."""

    due: tuple[FinishedRun, ...]
    next_at: datetime | None


Entry = tuple[datetime, str, FinishedRun]
"""By what runs are ordered, their uid for those that ended in the same second, and the run."""


class Shelf:
    """The finished runs of one account, in the order in which they go.

    Putting, taking and planning cost next to nothing, also with ten thousand runs.
    """

    def __init__(self) -> None:
        self._plain: list[Entry] = []  # by their end: all have the account's terms
        self._own: list[Entry] = []  # by the end of their own time to live

    def __len__(self) -> int:
        return len(self._plain) + len(self._own)

    def put(self, run: FinishedRun) -> None:
        """Put a run on the shelf; one whose end is unknown is never removed."""
        if run.finished_at is not None:
            entries, entry = self._place_of(run, run.finished_at)
            if not entries or _order(entries[-1]) < _order(entry):
                entries.append(entry)  # nearly always: runs come as they end
            else:
                insort(entries, entry, key=_order)

    def take(self, run: FinishedRun) -> None:
        """Take a run off the shelf, if it is there."""
        if run.finished_at is not None:
            entries, entry = self._place_of(run, run.finished_at)
            index = bisect_left(entries, _order(entry), key=_order)
            if index < len(entries) and _order(entries[index]) == _order(entry):
                del entries[index]

    def plan(self, terms: Terms, now: datetime) -> Plan:
        """Which runs are due, the oldest first, and when the next one will be."""
        going = max(0, len(self._plain) - terms.keep_last)
        plain = bisect_right(self._plain, now - terms.ttl, hi=going, key=_moment)
        own = bisect_right(self._own, now, key=_moment)
        due = (*_runs(self._own[:own]), *_runs(self._plain[:plain]))
        coming = [_moment(entry) for entry in self._own[own : own + 1]]
        if plain < going:
            coming.append(_moment(self._plain[plain]) + terms.ttl)
        return Plan(due, min(coming, default=None))

    def is_due(self, run: FinishedRun, terms: Terms, now: datetime) -> bool:
        """Whether a run is on the shelf and is to be removed."""
        if run.finished_at is None:
            return False
        entries, entry = self._place_of(run, run.finished_at)
        index = bisect_left(entries, _order(entry), key=_order)
        if index >= len(entries) or _order(entries[index]) != _order(entry):
            return False
        if entries is self._own:
            return _moment(entry) <= now
        return index < len(entries) - terms.keep_last and _moment(entry) <= now - terms.ttl

    def _place_of(self, run: FinishedRun, finished_at: datetime) -> tuple[list[Entry], Entry]:
        ttl = run.ttl_seconds_after_finished
        if ttl is None:
            return self._plain, (finished_at, run.uid, run)
        return self._own, (finished_at + timedelta(seconds=ttl), run.uid, run)


def may_remove(run: RunView, terms: Terms, now: datetime, markers: Iterable[str]) -> bool:
    """Whether a run, as it was read this moment, is to be removed as far as it says itself.

    Parameters
    ----------
    run
        The whole run.
    terms
        What holds in its account.
    now
        The present moment.
    markers
        Labels and annotations of runs that a GitOps tool owns.
    """
    if run.metadata.deletion_timestamp is not None or not settled(run):
        return False
    own, finished_at = run.spec.ttl_seconds_after_finished, run.status.finished_at
    if own is None and is_marked(run.metadata, markers):
        return False
    ttl = terms.ttl if own is None else timedelta(seconds=own)
    return finished_at is not None and finished_at + ttl <= now


def is_marked(metadata: Metadata, markers: Iterable[str]) -> bool:
    """Whether an object has a label or annotation of that key, or of that key and value."""
    for marker in markers:
        key, separator, value = marker.partition("=")
        found = [given[key] for given in (metadata.labels, metadata.annotations) if key in given]
        if found and (not separator or value in found):
            return True
    return False


def remove_pods(pods: Iterable[PodView]) -> tuple[DeletePod, ...]:
    """The removal of the pods of a run whose logs have been kept long enough."""
    return tuple(
        DeletePod(pod.namespace, pod.name, pod.uid, ABORT_GRACE_SECONDS)
        for pod in pods
        if pod.metadata.deletion_timestamp is None
    )


def _order(entry: Entry) -> tuple[datetime, str]:
    return entry[:2]


def _moment(entry: Entry) -> datetime:
    return entry[0]


def _runs(entries: Sequence[Entry]) -> Iterable[FinishedRun]:
    return (run for _, _, run in entries)
