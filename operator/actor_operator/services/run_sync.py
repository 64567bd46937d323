"""Starts of runs whose end, or whose result, is waited for."""

from typing import Any

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.errors import RetryableError
from actor_operator.log import logger
from actor_operator.services.errors import ApiError
from actor_operator.services.identity import Caller
from actor_operator.services.run_answers import FoundRun, RunAnswers
from actor_operator.services.run_plan import StartRequest
from actor_operator.services.run_start import RunStart

log = logger(__name__)

LONGEST = 300.0
"""Seconds that a run may take whose result is waited for (Apify)."""


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

    async def start(
        self, caller: Caller, request: StartRequest, wait_seconds: float
    ) -> dict[str, Any]:
        """Start a run; answers with it as it is then, or once it has ended.

        Parameters
        ----------
        caller, request
            Who wants what.
        wait_seconds
            How long its end may be waited for.

        Raises
        ------
        ApiError
            429 when too many requests are held already, and what a start raises.
        """
        if wait_seconds <= 0:
            return await self._answers.describe(await self._begin(caller, request))
        with self._answers.place():
            found = await self._begin(caller, request)
            try:
                return await self._answers.describe_later(found, wait_seconds)
            except RetryableError as error:
                # No error: clients would start another run.
                log.warning("A run that was started is not waited for.", cause=str(error))
                return self._answers.answer(found, None)

    async def run(self, caller: Caller, request: StartRequest) -> FoundRun:
        """Start a run and wait until it has succeeded.

        Raises
        ------
        ApiError
            408 run-timeout-exceeded after 300 seconds, while the run goes on; 400 run-failed when
            it ended otherwise; 429 when too many requests are held already; and what a start
            raises.
        """
        with self._answers.place():
            found = await self._begin(caller, request)
            has_ended = await self._answers.wait(found, LONGEST)
        if not has_ended:
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

    async def _begin(self, caller: Caller, request: StartRequest) -> FoundRun:
        return FoundRun(await self._start.start(caller, request), caller.namespace)
