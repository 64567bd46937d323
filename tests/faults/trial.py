"""One plan from its start to its verdict."""

import itertools
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from tests.faults.clocks import Drift
from tests.faults.director import Director, Seat
from tests.faults.kinds import Clock, Crash, Disturbance, Freeze, Twin, Watch
from tests.faults.nursery import Birth
from tests.faults.outcome import normal_outcome
from tests.faults.plan import Plan
from tests.faults.proxy import Proxy
from tests.faults.replica import Replica
from tests.faults.stage import Stage
from tests.faults.workloads import WORKLOADS, Place
from tests.support.history import (
    INGRESS,
    POD,
    RUN,
    SECRET,
    SERVICE,
    History,
    Object,
    controller_uid,
    status_of,
)
from tests.support.invariants import violations
from tests.support.invariants_children import SEEN_SECONDS
from tests.support.recorder import RecorderError

QUIET_SECONDS = 1.0
"""So long no write may come once everything has come to its end."""

END_SECONDS = 60.0
"""How long what is left may take to go, and the operator to fall silent."""

LEASE = {"durationSeconds": 15, "renewDeadlineSeconds": 10, "retrySeconds": 1}
"""Lease settings of plans: the chart's, but that a replica looks more often."""

SHORT_LEASE = {"durationSeconds": 9, "renewDeadlineSeconds": 4, "retrySeconds": 0.5}
"""Those of plans with two replicas: as short as the settings allow it."""

TOLD_TWICE = "was told twice in a minute"
MADE_LATE = "made after its run was deleted"
"""Parts of violations."""

_numbers = itertools.count(1)


@dataclass
class Result:
    """What came of a plan."""

    plan: Plan
    namespace: str
    seconds: float
    violations: list[str]
    missed: list[str]
    """Faults whose point never came: the plan proves less than it says."""

    writes: list[str]
    """Points of the operator's writes, in their order."""

    end: Object
    """What was left, without what varies."""

    history: History
    """All that was committed."""


class Trial:
    """Runs one plan.

    Parameters
    ----------
    stage
        Where.
    plan
        What.
    """

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self._stage = stage
        self._plan = plan
        self._name = f"plan-{next(_numbers)}"
        self._own = f"{self._name}-system"
        """The operator's own namespace."""
        self._twins = any(isinstance(fault, Twin) for fault in plan.faults)
        self._clock = next((f for f in plan.faults if isinstance(f, Clock)), None)
        self._found: list[str] = []

    def run(self) -> Result:
        """Run it to its verdict."""
        begun = time.monotonic()
        stage = self._stage
        stage.admin.must("POST", "/api/v1/namespaces", {"metadata": {"name": self._own}})
        labels = {"actor-operator.dev/install": self._own}
        place = Place(stage.admin, stage.recorder, labels=labels)
        place.patience = self._plan.patience
        director = Director(
            self._plan,
            touch=stage.touch,
            rotate=self._rotate,
            disturb=partial(self._disturb, place),
        )
        self._write_settings(place.namespace)
        names = [f"{self._name}-{letter}" for letter in ("ab" if self._twins else "a")]
        replicas = [Replica(stage.nursery, self._birth(name)) for name in names]
        seats = [Seat(replica, director) for replica in replicas]
        self._proxies = dict(zip(names, [stage.call(self._open(s)) for s in seats], strict=True))
        try:
            self._write_kubeconfigs(stage.tokens[0])
            for replica in replicas:
                replica.start()
            self._drive(place, director)
        finally:
            for replica in replicas:
                replica.end()
                self._found += replica.faults
            for proxy in self._proxies.values():
                stage.call(proxy.close())
        history = place.history()
        return Result(
            plan=self._plan,
            namespace=place.namespace,
            seconds=time.monotonic() - begun,
            violations=[*self._found, *self._broken(history)],
            missed=director.missed,
            writes=director.trace.writes,
            end=normal_outcome(history),
            history=history,
        )

    async def _open(self, seat: Seat) -> Proxy:
        proxy = Proxy(self._stage.control_plane.url, self._stage.session, seat)
        await proxy.start()
        return proxy

    def _drive(self, place: Place, director: Director) -> None:
        """Do the work, and wait until all of it is over."""
        try:
            WORKLOADS[self._plan.workload](place)
            self._stage.call(director.settle())
            place.recorder.wait("nothing is left", lambda: is_clean(place), END_SECONDS)
            self._wait_quiet(director)
        except (RecorderError, AssertionError) as error:
            self._found.append(f"I17 {error}")

    def _wait_quiet(self, director: Director) -> None:
        """Wait until the operator has nothing more to write."""
        deadline = time.monotonic() + END_SECONDS
        while (quiet := self._stage.now() - director.last_write) < QUIET_SECONDS:
            assert time.monotonic() < deadline, "the operator goes on writing"
            time.sleep(QUIET_SECONDS - quiet)

    def _broken(self, history: History) -> list[str]:
        """The invariants that do not hold."""
        faults = self._plan.faults
        # What a process has told in an Event is not known to the one after it.
        others = any(isinstance(fault, Crash | Freeze | Twin) for fault in faults)
        # Who hears of a deletion so late may make a child, which the garbage collector removes.
        late = any(isinstance(fault, Watch) and fault.seconds > SEEN_SECONDS for fault in faults)
        excused = [TOLD_TWICE] * others + [MADE_LATE] * late
        return [text for text in violations(history) if not any(e in text for e in excused)]

    def _disturb(self, place: Place, does: Disturbance, seconds: float) -> None:
        self._stage.disturb(does, seconds)
        place.recorder.settle(place.namespace)

    # What the operator is given

    def _write_settings(self, namespace: str) -> None:
        lease = SHORT_LEASE if self._twins else LEASE
        settings: dict[str, Any] = {
            **self._stage.settings,
            "namespace": self._own,
            "namespaces": [namespace],
            "lease": self._stage.settings["lease"] | lease,
        }
        self._file("yaml").write_text(yaml.safe_dump(settings))

    def _rotate(self) -> None:
        self._write_kubeconfigs(self._stage.tokens[1])

    def _write_kubeconfigs(self, token: Path) -> None:
        for name, proxy in self._proxies.items():
            self._stage.write_kubeconfig(token, proxy.url, self._kubeconfig(name))

    def _birth(self, name: str) -> Birth:
        clock = self._clock
        return Birth(
            settings=str(self._file("yaml")),
            kubeconfig=str(self._kubeconfig(name)),
            log=str(self._stage.folder / f"{name}.log"),
            planted=self._plan.planted,
            clock=Drift(clock.before, clock.after, clock.jump) if clock else None,
        )

    def _kubeconfig(self, name: str) -> Path:
        return self._stage.folder / f"{name}.kubeconfig"

    def _file(self, ending: str) -> Path:
        return self._stage.folder / f"{self._name}.{ending}"


def is_clean(place: Place) -> bool:
    """Whether nothing is to be removed of the runs of a namespace any more."""
    recorder, namespace = place.recorder, place.namespace
    runs = recorder.all(RUN, namespace)
    uids = {run["metadata"]["uid"] for run in runs}
    left = [recorder.all(kind, namespace) for kind in (SECRET, SERVICE, INGRESS)]
    orphans = [pod for pod in recorder.all(POD, namespace) if controller_uid(pod) not in uids]
    unfinished = [run for run in runs if status_of(run).get("cleanup")]
    return not any((*left, orphans, unfinished))
