"""Several plans side by side: they wait more than they compute."""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from types import TracebackType
from typing import Self

from tests.faults.plan import Plan
from tests.faults.stage import Stage
from tests.faults.trial import Result, Trial
from tests.support.golden import first_difference


class Lanes:
    """Runs plans, and compares each end with that of the same work when nothing goes wrong.

    A context manager: at its end what has not begun never begins, and what goes on is given up
    when an error, such as a Ctrl-C, ends it.

    Parameters
    ----------
    stage
        Where.
    count
        How many at the same time.
    """

    def __init__(self, stage: Stage, count: int) -> None:
        self._stage = stage
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="lane")
        self._references: dict[str, Future[Result]] = {}
        self._one = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._stage.recorder.break_off("the plans are given up")
        self._pool.shutdown(cancel_futures=True)

    def reference(self, workload: str) -> Future[Result]:
        """What comes of a workload when nothing goes wrong; run once."""
        with self._one:
            if workload not in self._references:
                trial = Trial(self._stage, Plan(workload=workload))
                self._references[workload] = self._pool.submit(trial.run)
            return self._references[workload]

    def begin(self, plan: Plan) -> Future[Result]:
        """Run a plan to its verdict as soon as a lane is free."""
        # Before the plan, so that it never waits for what waits for it.
        reference = self.reference(plan.workload)
        return self._pool.submit(self._judge, plan, reference)

    def run(self, plans: Iterable[Plan]) -> Iterator[Result]:
        """The results of plans, as they come; those that disturb others at the end, one by one."""
        together: list[Plan] = []
        alone: list[Plan] = []
        for plan in plans:
            (alone if plan.alone else together).append(plan)
        for done in as_completed([self.begin(plan) for plan in together]):
            yield done.result()
        for plan in alone:
            self.reference(plan.workload).result()
            yield self.begin(plan).result()

    def _judge(self, plan: Plan, reference: Future[Result]) -> Result:
        result = Trial(self._stage, plan).run()
        right = reference.result()
        result.violations += [f"{text} (when nothing goes wrong, too)" for text in right.violations]
        difference = first_difference(right.end, result.end)
        if difference is not None:
            result.violations.append(f"I17 the end is another: {difference}")
        self._stage.recorder.forget(result.namespace)
        return result
