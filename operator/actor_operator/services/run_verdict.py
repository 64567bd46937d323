"""Whether a new run was admitted: read from what the operator writes anyway. Pure."""

from actor_operator.api.v1alpha1.conditions import ConditionType, Reason
from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.api.views.run import Failure, RunView
from actor_operator.services.errors import ApiError, invalid
from actor_operator.services.run_watch import RunState

MEMORY_EXCEEDED = "actor-memory-limit-exceeded"
"""Apify's type of the error that clients wait and try again for."""


def is_admitted(state: RunState) -> bool:
    """Whether the account has room for the run.

    A pod is made of an admission only; a run that is finished for another reason than its account
    was let in too, and says itself what went wrong.
    """
    run = state.run
    if not isinstance(run, RunView):
        return False
    if state.pods or run.status.is_true(ConditionType.ADMITTED):
        return True
    return run.status.phase is not Phase.READY and refusal(run) is None


def refusal(run: RunView) -> ApiError | None:
    """Why the account has no room for a finished run; None: it is not that."""
    failure = run.status.failure
    if not run.status.finished or failure is None or run.status.is_true(ConditionType.ADMITTED):
        return None
    match failure.reason:
        case Reason.MEMORY_LIMIT_EXCEEDED:
            return memory_exceeded(failure)
        case Reason.CONCURRENT_RUNS_LIMIT_EXCEEDED:
            return ApiError("concurrent-runs-limit-exceeded", failure.message, status=402)
        case Reason.ACCOUNT_SUSPENDED:
            return ApiError("insufficient-permissions", failure.message, status=403)
        case Reason.BUILD_NOT_FOUND:
            return invalid(failure.message, "unknown-build-tag")
        case _:
            return None


def memory_exceeded(failure: Failure) -> ApiError:
    """The account has not enough memory left (Apify's sentence has the same three numbers)."""
    return ApiError(
        MEMORY_EXCEEDED,
        f"Starting this run would exceed the memory limit of {failure.limit_mbytes or 0} MB for"
        f" all runs of the account (currently used: {failure.used_mbytes or 0} MB, requested:"
        f" {failure.requested_mbytes or 0} MB).",
        status=402,
        data={
            "limitMbytes": failure.limit_mbytes,
            "usedMbytes": failure.used_mbytes,
            "requestedMbytes": failure.requested_mbytes,
        },
    )


def is_settled(state: RunState) -> bool:
    """Whether the operator has decided: the run is admitted or refused."""
    run = state.run
    return is_admitted(state) or (isinstance(run, RunView) and refusal(run) is not None)
