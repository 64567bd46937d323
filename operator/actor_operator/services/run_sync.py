"""Runs whose result is the answer to their start."""

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import Caller
from actor_operator.services.run_answers import FoundRun, RunAnswers
from actor_operator.services.run_plan import StartRequest
from actor_operator.services.run_start import RunStart

LONGEST = 300.0
"""Seconds that such a run may take (Apify)."""


class RunSync:
    """Starts runs and waits for their end.

    Parameters
    ----------
    start, answers
        Start runs, and know them.
    """

    def __init__(self, start: RunStart, answers: RunAnswers) -> None:
        self._start = start
        self._answers = answers

    async def run(self, caller: Caller, request: StartRequest) -> FoundRun:
        """Start a run and wait until it has succeeded.

        Raises
        ------
        ApiError
            408 run-timeout-exceeded after 300 seconds, while the run goes on; 400 run-failed when
            it ended otherwise; and what a start raises.
        """
        found = FoundRun(await self._start.start(caller, request), caller.namespace)
        if not await self._answers.wait(found, LONGEST):
            raise ApiError(
                "run-timeout-exceeded",
                f"The run has not finished within {LONGEST:.0f} seconds. It goes on; its id is"
                f" {found.row.id}.",
                status=408,
                data={"runId": found.row.id},
            )
        answer = await self._answers.describe(found)
        if answer["status"] != Phase.SUCCEEDED:
            raise ApiError(
                "run-failed",
                f"The run {found.row.id} ended as {answer['status']}: {answer['statusMessage']}",
                data={"runId": found.row.id, "status": answer["status"]},
            )
        return found
