"""Aborts that meet natural ends: which verdict the order of the committed revisions allows."""

from tests.support.attempts import Attempt, phase_of

END_FIRST = "the end came first"
ABORT_FIRST = "the abort came first"
MET = "the end met the abort"


def expected(attempt: Attempt, natural: str) -> tuple[set[str], str]:
    """The verdicts that are right, and what came first in words.

    Parameters
    ----------
    attempt
        What became of it.
    natural
        The verdict of its container's own end.
    """
    asked, ended = attempt.abort_asked, attempt.container_end
    told = next((r for r in attempt.revisions if phase_of(r) == "ABORTING"), None)
    if ended is None or (told is not None and told.number < ended.number):
        return {"ABORTED"}, ABORT_FIRST
    if asked is None or ended.number < asked.number:
        return {natural}, END_FIRST
    # The end was committed between the request and the answer to it.
    return {natural, "ABORTED"}, MET
