"""Many chains of changes side by side, beside an operator that must not mind."""

import itertools
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.spec_changes.chain import Tally
from tests.spec_changes.definitions import account_chain, actor_chain
from tests.spec_changes.runs import run_chain
from tests.support.reach import Reachable
from tests.support.recorder import Recorder
from tests.support.workspace import Admin, Workspace

LENGTH = range(6, 18)
"""Changes of one chain."""

TELL_EVERY = 200
"""Changes after which progress is told."""


class Campaign:
    """Chains until there were so many changes.

    Parameters
    ----------
    cluster
        With an operator that acts on it.
    recorder
        Records all that is committed in it.
    changes
        How many.
    seed
        Which; each chain is the same for the same seed, whichever lane it comes to.
    say
        Is told how far it is.
    """

    def __init__(
        self,
        cluster: Reachable,
        recorder: Recorder,
        *,
        changes: int,
        seed: int,
        say: Callable[[str], None],
    ) -> None:
        self.tally = Tally()
        self._cluster = cluster
        self._recorder = recorder
        self._wanted = changes
        self._seed = seed
        self._say = say
        self._numbers = itertools.count()
        self._one = threading.Lock()
        self._told = 0

    def run(self, lanes: int) -> Tally:
        """Run it, so many chains at the same time."""
        with ThreadPoolExecutor(lanes, thread_name_prefix="chain") as pool:
            for lane in [pool.submit(self._lane) for _ in range(lanes)]:
                lane.result()
        return self.tally

    def _lane(self) -> None:
        while self.tally.changes < self._wanted:
            number = next(self._numbers)
            found = self._chain(number)
            with self._one:
                total = self.tally
                total.changes += found.changes
                total.refused += found.refused
                total.converged += found.converged
                total.violations += [f"chain {number}: {text}" for text in found.violations]
                if total.changes >= self._told + TELL_EVERY:
                    self._told = total.changes
                    self._say(f"{total.changes} changes, {total.refused} refused")

    def _chain(self, number: int) -> Tally:
        rng = random.Random(f"{self._seed}/{number}")  # noqa: S311 -- no secret, but repeatable
        tally, length, kind = Tally(), rng.choice(LENGTH), rng.random()
        name, places = f"chain-{number}", [self._place(), self._place()]
        try:
            if kind < 0.15:
                account_chain(places, rng, tally, length)
            elif kind < 0.5:
                actor_chain(places[0], name, rng, tally, length)
            else:
                run_chain(places[0], name, rng, tally, length)
        except AssertionError as error:  # what was waited for did not come
            tally.violations.append(f"{type(error).__name__}: {error}")
        finally:
            for place in places:
                place.admin.close()
        return tally

    def _place(self) -> Workspace:
        """A namespace with the Actor `quick`, over a connection of its own."""
        place = Workspace(Admin(self._cluster), self._recorder)
        place.actor("quick", "simulate-0.3s")
        return place
