"""I14: no run is removed before its time. Who deletes runs by hand names them."""

from collections.abc import Collection
from datetime import datetime

from tests.support.history import RUN, History, Revision, status_of


def removed_early(history: History, *, ttl: float, by_hand: Collection[str] = ()) -> list[str]:
    """Each run that went before its time.

    Parameters
    ----------
    history
        What was committed.
    ttl
        Seconds to live of runs that do not say otherwise.
    by_hand
        Names of runs that a user deleted.
    """
    found = []
    for life in history.objects(RUN):
        last = life[-1]
        if not last.gone or last.name in by_hand:
            continue
        due = _due(last, ttl)
        if due is None:
            found.append(f"I14 {RUN} {last.name} at {last.number}: removed before its end")
        elif last.at < due:
            early = due - last.at
            found.append(f"I14 {RUN} {last.name} at {last.number}: removed {early:.1f} s early")
    return found


def _due(run: Revision, ttl: float) -> float | None:
    finished_at = status_of(run.object).get("finishedAt")
    if finished_at is None or not status_of(run.object).get("finished"):
        return None
    own = run.object["spec"].get("ttlSecondsAfterFinished", ttl)
    return datetime.fromisoformat(finished_at).timestamp() + float(own)
