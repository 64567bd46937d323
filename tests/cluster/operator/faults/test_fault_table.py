"""Rows of the table of faults that only a proxy before the API server can make."""

import pytest
from tests.faults.kinds import Clock, Crash, Does, Moment, Outage, Refuse, Reset, Silence, Watch
from tests.faults.plan import Fault, Plan
from tests.faults.trial import Result
from tests.faults.workloads import SUBJECT
from tests.support.history import EVENT, RUN, History, Revision, status_of
from tests.support.history import POD as POD_KIND

from actor_operator.clock import parse_timestamp

pytestmark = pytest.mark.cluster

POD = "create pods subject-1 #1"
"""The creation of the run's pod."""

FAR_OFF = 300.0
"""Seconds by which the operator's clock is wrong."""

EVENTS = {"succeeds": set[str](), "times-out": {"Warning/TimingOut", "Warning/TimedOut"}}
"""What is told of the run of each workload."""

TIMEOUT = 1.0
"""Time limit in seconds of a run of the workload `times-out`."""

CLOCKS = (
    Clock(before=FAR_OFF, after=FAR_OFF),
    Clock(before=-FAR_OFF, after=-FAR_OFF),
    Clock(after=FAR_OFF, jump=2),
    Clock(before=FAR_OFF, jump=2),
)
"""Clocks that are wrong all the time, or from a moment on, or until then."""

FAULTS: tuple[tuple[str, str, Fault], ...] = (
    ("A18", "succeeds", Silence(at=POD, applied=True)),
    ("A18", "succeeds", Reset(at=POD, moment=Moment.COMMITTED)),
    ("C3", "succeeds", Watch(at=POD, does=Does.GONE_EVENT, seconds=2)),
    ("C3", "succeeds", Watch(at=POD, does=Does.GONE_STATUS, seconds=2)),
    ("C4", "times-out", Outage(at=POD, code=429, seconds=10)),
    ("C4", "times-out", Refuse(at=POD, code=429, times=2, retry_after=3)),
    ("C5", "succeeds", Crash(at=POD, moment=Moment.BEFORE)),
    ("C5", "succeeds", Crash(at=POD, moment=Moment.COMMITTED)),
    *(("C7", "times-out", clock) for clock in CLOCKS),
)
"""Row, workload and fault of each plan."""

PLANS = [
    pytest.param(
        Plan(workload=workload, faults=(fault,)),
        marks=pytest.mark.fault(row),
        id=f"{row}: {workload}, {fault}",
    )
    for row, workload, fault in FAULTS
]


@pytest.mark.parametrize("plan", PLANS)
def test_a_run_ends_as_ever_and_nothing_else_is_told(result: Result, plan: Plan) -> None:
    assert result.violations == []
    assert result.missed == []
    assert told(result.history) == EVENTS[plan.workload]


@pytest.mark.parametrize("plan", PLANS[-len(CLOCKS) :])
def test_a_wrong_clock_of_the_operator_tells_no_timeout_too_early(result: Result) -> None:
    (pod,) = result.history.objects(POD_KIND)
    began = parse_timestamp(pod[-1].object["status"]["startTime"]).timestamp()

    assert seen(result.history, "TIMING-OUT") >= began + TIMEOUT


def told(history: History) -> set[str]:
    """Types and reasons of the Events about the run."""
    events = [life[0].object for life in history.objects(EVENT)]
    return {
        f"{event['type']}/{event['reason']}"
        for event in events
        if event["regarding"].get("name") == SUBJECT
    }


def seen(history: History, phase: str) -> float:
    """When a phase of the run was first seen."""

    def has(revision: Revision) -> bool:
        return status_of(revision.object).get("phase") == phase

    return next(revision.at for revision in history.life(RUN, SUBJECT) if has(revision))
