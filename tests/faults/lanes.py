"""Several plans side by side: they wait more than they compute."""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

from tests.faults.plan import Plan
from tests.faults.stage import Stage
from tests.faults.trial import Result, Trial
from tests.support.golden import first_difference


class Lanes:
    """Runs plans and compares each end with that of the same work when nothing goes wrong.

    Parameters
    ----------
    stage
        Where.
    count
        How many at the same time.
    """

    def __init__(self, stage: Stage, count: int) -> None:
        self._stage = stage
        self._count = count
        self._references: dict[str, Result] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._one = threading.Lock()

    def run(self, plans: Iterable[Plan]) -> Iterator[Result]:
        """The results of plans, as they come."""
        with ThreadPoolExecutor(self._count, thread_name_prefix="lane") as pool:
            running = [pool.submit(self.judge, plan) for plan in plans]
            try:
                for done in as_completed(running):
                    yield done.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def judge(self, plan: Plan) -> Result:
        """Run one plan to its verdict."""
        reference = self.reference(plan.workload)
        result = Trial(self._stage, plan).run()
        difference = first_difference(reference.end, result.end)
        if difference is not None:
            result.violations.append(f"I17 the end is another: {difference}")
        self._stage.recorder.forget(result.namespace)
        return result

    def reference(self, workload: str) -> Result:
        """What comes of a workload when nothing goes wrong; run once."""
        with self._one:
            lock = self._locks.setdefault(workload, threading.Lock())
        with lock:
            if workload not in self._references:
                plan = Plan(workload=workload)
                self._references[workload] = Trial(self._stage, plan).run()
            return self._references[workload]
