"""The control plane of a soak: two replicas whose leader is killed, and the work of users."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.faults.trial import END_SECONDS, TOLD_TWICE, is_clean
from tests.faults.workloads import WORKLOADS, Place, Workload
from tests.soak.memory import Sample
from tests.support.fleet import Fleet
from tests.support.history import RUN
from tests.support.invariants import violations
from tests.support.operators import OperatorProcess
from tests.support.recorder import Recorder
from tests.support.workspace import Admin

KILL_SECONDS = 30.0
"""How often the leader is killed."""

SAMPLE_SECONDS = 3.0
"""How often memory is looked at."""

CROWD = 12
"""Runs of a crowd."""


def crowd(place: Place) -> None:
    """Many users at once, whose runs end well, badly, late, or are started again."""
    place.actor("quick", "simulate-0.5s")
    place.actor("failing", "simulate-0.5s-exit-1")
    place.actor("hungry", "simulate-exit-137-oom")
    place.actor("slow", "simulate-8s")
    actors = ("quick", "failing", "hungry", "slow")
    again = {"restartOnError": True}
    names = [
        place.run(f"run-{n}", actors[n % 4], **(again if n % 3 == 0 else {})) for n in range(CROWD)
    ]
    for name in names:
        place.wait(name, seconds=place.patience)


WORK: tuple[Workload, ...] = (*WORKLOADS.values(), crowd)
"""What users do."""


@dataclass
class Tally:
    """What has happened so far."""

    runs: int = 0
    kills: int = 0
    violations: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)


class Arena:
    """A soak that goes on.

    Parameters
    ----------
    control_plane
        With simulated nodes, and all that the chart installs but the pods.
    recorder
        Records what is committed in it.
    folder
        Where files of replicas go.
    kept
        Where the history of a namespace goes in which an invariant was broken.
    """

    def __init__(
        self, control_plane: ControlPlane, recorder: Recorder, folder: Path, kept: Path
    ) -> None:
        self.tally = Tally()
        self._control_plane = control_plane
        self._recorder = recorder
        self._kept = kept
        self._fleet = Fleet(control_plane, folder)
        self._born: dict[OperatorProcess, float] = {}
        self._one = threading.Lock()
        self._over = threading.Event()

    def soak(self, seconds: float, lanes: int, seed: int, say: Callable[[str], None]) -> None:
        """Let users work and leaders die for so long, until all work has come to its end."""
        self._ensure()
        users = [
            threading.Thread(target=self._use, args=(seed + number,), name="user")
            for number in range(lanes)
        ]
        self._begun = time.monotonic()
        for user in users:
            user.start()
        try:
            self._reign(seconds, say)
        except BaseException:
            self._recorder.break_off("the soak is given up")
            raise
        finally:
            self._over.set()
            for user in users:
                user.join()
            self._note([text for replica in self._fleet.replicas for text in replica.raised])
            self._fleet.stop()

    # The replicas

    def _reign(self, seconds: float, say: Callable[[str], None]) -> None:
        """Kill one leader after the other."""
        killed = time.monotonic()
        while (elapsed := time.monotonic() - self._begun) < seconds:
            time.sleep(SAMPLE_SECONDS)
            self._sample()
            for replica in self._fleet.replicas:
                self._check(replica)
            if time.monotonic() - killed < KILL_SECONDS:
                continue
            killed = time.monotonic()
            leader = next((r for r in self._fleet.replicas if r.leads), None)
            if leader is not None:
                leader.kill()
                self.tally.kills += 1
                self._note(leader.raised)
                self._ensure()
                told = self.tally
                say(
                    f"{elapsed / 60:.1f} min: {told.runs} runs, {told.kills} leaders killed,"
                    f" {len(told.violations)} violations"
                )

    def _ensure(self) -> None:
        """Two replicas, of which one leads."""
        for replica in self._fleet.ensure(2):
            self._born.setdefault(replica, time.monotonic())

    def _check(self, replica: OperatorProcess) -> None:
        try:
            replica.check()
        except ClusterToolError as error:
            self._note([f"a replica has ended by itself: {error}"])
            raise

    def _sample(self) -> None:
        now = time.monotonic()
        self.tally.samples += [
            Sample(now - self._begun, now - self._born[replica], replica.memory_mbytes)
            for replica in self._fleet.replicas
        ]

    # The users

    def _use(self, seed: int) -> None:
        """What one user does: one thing after the other, each in a namespace of its own."""
        rng = random.Random(seed)  # noqa: S311 -- no secret, but repeatable
        admin = Admin(self._control_plane)
        while not self._over.is_set():
            self._work(admin, rng.choice(WORK))
        admin.close()

    def _work(self, admin: Admin, work: Workload) -> None:
        place, found = Place(admin, self._recorder), []
        try:
            work(place)
            self._recorder.wait("nothing is left", lambda: is_clean(place), END_SECONDS)
        except (AssertionError, OSError) as error:
            found.append(f"I17 {work.__name__}: {error}")
        history = place.history()
        # What a leader has told in an Event its heir does not know.
        found += [text for text in violations(history) if TOLD_TWICE not in text]
        with self._one:
            self.tally.runs += len(list(history.objects(RUN)))
            if found:
                self._kept.mkdir(parents=True, exist_ok=True)
                history.write(self._kept / f"{place.namespace}-{work.__name__}.jsonl")
        self._note([f"{place.namespace}: {text}" for text in found])
        self._recorder.forget(place.namespace)
        admin.must("DELETE", f"/api/v1/namespaces/{place.namespace}")

    def _note(self, violations: list[str]) -> None:
        with self._one:
            self.tally.violations += violations
