"""Plans are files, and a file that was written reproduces its plan."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.faults import generate
from tests.faults.kinds import Crash, Does, Moment, Refuse, Server, Twin, Watch
from tests.faults.plan import Plan
from tests.faults.points import asked_of
from tests.faults.script import Armed

WRITES = {
    "succeeds": ["create pods subject-1 #1", "update actorruns/status subject #1"],
    "times-out": ["delete secrets subject-1-env #1"],
}


@pytest.mark.parametrize(("count", "seed"), [(1, 1), (80, 1), (400, 2)])
def test_a_seed_gives_the_same_plans_again(count: int, seed: int) -> None:
    plans = generate.campaign(WRITES, count, seed)

    assert len(plans) == count
    assert plans == generate.campaign(WRITES, count, seed)


def test_a_campaign_has_every_kind_of_fault() -> None:
    plans = generate.campaign(WRITES, 400, 1)
    kinds = {fault.fault for plan in plans for fault in plan.faults}

    assert kinds == {
        *("clock", "conflict", "crash", "freeze", "outage", "refuse", "reset", "server"),
        *("silence", "slow", "twin", "watch"),
    }


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    for number, plan in enumerate(generate.campaign(WRITES, 400, 2)):
        file = tmp_path / f"{number}.yaml"
        plan.write(file)

        assert Plan.read(file) == plan


def test_a_plan_says_what_goes_wrong() -> None:
    faults = (Twin(), Crash(at="create pods", moment=Moment.BEFORE), Refuse(at="work", code=429))

    assert Plan(workload="fails", faults=faults).name == (
        "fails: twin; crash at create pods (moment before); refuse at work (code 429)"
    )


def test_a_plan_with_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValidationError):
        Plan.model_validate(
            {"workload": "succeeds", "faults": [{"fault": "crash", "at": "a b c d"}]}
        )
    with pytest.raises(ValidationError):
        Plan.model_validate({"workload": "succeeds", "fault": []})


def test_what_is_done_to_the_api_server_is_done_alone() -> None:
    assert Plan(workload="succeeds", faults=(Server(at="work"),)).alone
    assert not Plan(workload="succeeds", faults=(Watch(at="work", does=Does.CUT),)).alone


def test_a_fault_strikes_from_its_nth_request_on_and_so_often_as_it_says() -> None:
    armed = Armed.of(Refuse(at="delete pods #2", times=2))
    asked = asked_of("DELETE", "/api/v1/namespaces/a/pods/b-abcd-1", {}, b"")

    assert [armed.takes(asked) for _ in range(4)] == [False, True, True, False]
    assert armed.struck
