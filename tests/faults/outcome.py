"""What is left in the end, without what differs from one time to the next."""

from tests.faults.points import normal_name
from tests.support.history import (
    HTTP_ROUTE,
    INGRESS,
    POD,
    RUN,
    SECRET,
    SERVICE,
    History,
    Object,
    status_of,
)
from tests.support.normal import normal, without_code

CHILDREN = {
    POD: "pods",
    SECRET: "secrets",
    SERVICE: "services",
    INGRESS: "ingresses",
    HTTP_ROUTE: "httproutes",
}
"""Kinds that a run owns, with their plurals."""

DURATIONS = ("durationMillis", "runTimeSecs", "computeUnits")
"""Fields of `status.stats` that say how long something took."""


def outcome(history: History) -> Object:
    """The runs of a namespace with their phases and what they own."""
    return {
        "runs": [_run(history, life[-1].object) for life in history.objects(RUN) if life],
        "children": sorted(
            [kind, normal_name(plural, life[-1].name), status_of(life[-1].object).get("phase", "")]
            for kind, plural in CHILDREN.items()
            for life in history.objects(kind)
            if not life[-1].gone
        ),
    }


def normal_outcome(history: History) -> Object:
    """The outcome with signs in place of what varies."""
    normalised: Object = normal(outcome(history))
    return normalised


def _run(history: History, run: Object) -> Object:
    name = run["metadata"]["name"]
    (last,) = [life[-1] for life in history.objects(RUN) if life[0].name == name]
    if last.gone:
        # How far it came before its user, or its time, removed it is left to chance.
        return {"name": name, "gone": True}
    status = dict(status_of(run))
    stats = {k: v for k, v in (status.pop("stats", None) or {}).items() if k not in DURATIONS}
    return {
        "name": name,
        "gone": False,
        "phases": history.phases(name),
        "status": {**without_code(status), "stats": stats},
    }
