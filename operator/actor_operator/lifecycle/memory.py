"""The memory of one account: who has some, and who waits for it in which order.

A run *holds* memory for as long as one of these is so: this process has granted it some, its
status says Admitted while it is not finished, a pod of it may run, or the answer to the creation
of one is on its way. It holds the largest of those amounts, and counts as one run.

Who waits stands in a line by place and uid. Only its first may go in: one that does not fit keeps
out all behind it.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account may use; None: as much as it likes."""

    memory_mbytes: int | None = None
    max_runs: int | None = None
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Shortage:
    """What a run found when there was no room for it, in MB."""

    requested_mbytes: int
    used_mbytes: int
    limit_mbytes: int | None
    """None: there is no limit on memory; it was for another reason."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Why a run holds memory; amounts in MB."""

    granted: int | None = None
    """What this process has granted it."""

    used: bool = False
    """Whether a pod was made of the grant, or at least tried."""

    committed: int | None = None
    """What its status says, while it is not finished."""

    creating: int | None = None
    """What a pod has whose creation may still land."""

    pods: Mapping[str, int] = field(default_factory=dict)
    """What its pods have that may run, by uid."""

    @property
    def amounts(self) -> tuple[int, ...]:
        """All that it holds memory for; empty: it holds none."""
        single = (self.granted, self.committed, self.creating)
        return (*(amount for amount in single if amount is not None), *self.pods.values())

    @property
    def memory(self) -> int:
        """How much memory it holds."""
        return max(self.amounts, default=0)


NOTHING: Final = Claim()
"""What a run has that holds no memory."""


class Ledger:
    """Claims and line of one account.

    It never admits beyond the limits. It may be beyond them when they were lowered, or when it
    learns of more than it granted: then it waits.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._claims: dict[str, Claim] = {}
        self._used = 0
        self._line: list[tuple[datetime, str]] = []
        self._places: dict[str, datetime] = {}
        self._needs: dict[str, int | None] = {}

    # What it tells

    @property
    def used_mbytes(self) -> int:
        """Memory that is held."""
        return self._used

    @property
    def live(self) -> int:
        """Runs that hold memory."""
        return len(self._claims)

    @property
    def waiting(self) -> int:
        """Runs in the line."""
        return len(self._line)

    @property
    def first(self) -> tuple[str, int | None] | None:
        """Uid and need in MB of the first in the line; the need is None until it has asked."""
        if not self._line:
            return None
        uid = self._line[0][1]
        return uid, self._needs[uid]

    @property
    def is_full_of_runs(self) -> bool:
        """Whether as many runs hold memory as may."""
        return self.limits.max_runs is not None and self.live >= self.limits.max_runs

    def shortage(self, memory: int) -> Shortage:
        """What a run finds that needs so much."""
        return Shortage(memory, self._used, self.limits.memory_mbytes)

    @property
    def is_empty(self) -> bool:
        """Whether it says no more than a new one."""
        return not self._claims and not self._line

    def is_admitted(self, uid: str) -> bool:
        """Whether a run may make a pod."""
        claim = self._claims.get(uid, NOTHING)
        return claim.granted is not None or claim.committed is not None

    # The line

    def expect(self, uid: str, place: datetime) -> None:
        """A run waits by what is committed: until it asks, its place is kept, and none passes."""
        if not self.is_admitted(uid):
            self._enter(uid, place, None)

    def ask(self, uid: str, place: datetime, memory: int) -> None:
        """A run wants to make a pod: it is admitted, or stands in the line.

        Parameters
        ----------
        uid
            Of the run.
        place
            Where it stands if it must wait.
        memory
            What it needs, in MB.
        """
        claim = self._claims.get(uid, NOTHING)
        if self.is_admitted(uid) or memory <= max(claim.pods.values(), default=-1):
            self._leave(uid)
            self._put(uid, replace(claim, granted=max(memory, claim.granted or 0)))
        else:
            self._enter(uid, place, memory)

    def withdraw(self, uid: str) -> bool:
        """A run does not want a pod now: it leaves the line, or gives back an unused grant.

        Returns
        -------
        bool
            Whether it did one of that.
        """
        claim = self._claims.get(uid, NOTHING)
        unused = claim.granted is not None and not claim.used
        if unused:
            self._put(uid, replace(claim, granted=None))
        return self._leave(uid) or unused

    def admit_waiting(self) -> list[str]:
        """Admit from the head of the line for as long as there is room; returns whom."""
        admitted: list[str] = []
        while self._line:
            uid = self._line[0][1]
            need = self._needs[uid]
            if need is None or not self._fits(uid, need):
                break
            self._leave(uid)
            self._put(uid, replace(self._claims.get(uid, NOTHING), granted=need))
            admitted.append(uid)
        return admitted

    def hopeless(self) -> list[str]:
        """Those in the line that need more than the whole limit."""
        limit = self.limits.memory_mbytes
        if limit is None:
            return []
        return [uid for _, uid in self._line if (self._needs[uid] or 0) > limit]

    # What becomes of runs

    def commit(self, uid: str, memory: int | None) -> None:
        """The status of an unfinished run says Admitted with so much memory; None: it does not."""
        claim = self._claims.get(uid, NOTHING)
        if claim.committed != memory:
            self._put(uid, replace(claim, committed=memory))
        if memory is not None:
            self._leave(uid)

    def end(self, uid: str) -> None:
        """The run is finished or gone: only its pods still count."""
        self._leave(uid)
        claim = self._claims.get(uid)
        if claim is not None:
            self._put(uid, Claim(creating=claim.creating, pods=claim.pods))

    def begin_creation(self, uid: str) -> None:
        """A pod is being made of the grant."""
        claim = self._claims.get(uid, NOTHING)
        self._put(uid, replace(claim, used=True, creating=claim.memory))

    def end_creation(self, uid: str) -> None:
        """The creation has been answered, or cannot land any more."""
        claim = self._claims.get(uid)
        if claim is not None and claim.creating is not None:
            self._put(uid, replace(claim, creating=None))

    def refuse(self, uid: str) -> None:
        """The API server does not take the run's pod: what was granted is given back."""
        claim = self._claims.get(uid)
        if claim is not None:
            self._put(uid, replace(claim, granted=None, used=False))

    def keep(self, uid: str, memory: int) -> None:
        """A pod of an unfinished run was made, whatever became of it: its run is as admitted."""
        claim = self._claims.get(uid, NOTHING)
        self._put(uid, replace(claim, granted=max(memory, claim.granted or 0), used=True))

    def pod_lives(self, uid: str, pod_uid: str, memory: int) -> None:
        """A pod of the run may run."""
        claim = self._claims.get(uid, NOTHING)
        if claim.pods.get(pod_uid) != memory:
            self._put(uid, replace(claim, pods={**claim.pods, pod_uid: memory}))

    def pod_ended(self, uid: str, pod_uid: str) -> bool:
        """A pod of the run is terminal or gone; returns whether it had been known to live."""
        claim = self._claims.get(uid, NOTHING)
        if pod_uid not in claim.pods:
            return False
        left = {key: memory for key, memory in claim.pods.items() if key != pod_uid}
        self._put(uid, replace(claim, pods=left))
        return True

    # Within

    def _fits(self, uid: str, memory: int) -> bool:
        claim = self._claims.get(uid, NOTHING)
        further = memory - claim.memory
        if claim.amounts and further <= 0:
            return True
        limits = self.limits
        if limits.suspended:
            return False
        if limits.max_runs is not None and self.live + (not claim.amounts) > limits.max_runs:
            return False
        return limits.memory_mbytes is None or self._used + further <= limits.memory_mbytes

    def _put(self, uid: str, claim: Claim) -> None:
        self._used -= self._claims.pop(uid, NOTHING).memory
        if claim.amounts:
            self._claims[uid] = claim
            self._used += claim.memory

    def _enter(self, uid: str, place: datetime, need: int | None) -> None:
        if self._places.get(uid) != place:
            self._leave(uid)
            insort(self._line, (place, uid))
            self._places[uid] = place
        self._needs[uid] = need

    def _leave(self, uid: str) -> bool:
        place = self._places.pop(uid, None)
        if place is None:
            return False
        del self._needs[uid]
        del self._line[bisect_left(self._line, (place, uid))]
        return True
