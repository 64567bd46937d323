"""The API server's time, from the headers of its answers."""

from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
from tests.support.builders import at

from actor_operator.kube.server_clock import ServerClock


class World:
    """A machine whose clock is wrong by some seconds."""

    def __init__(self, wrong: float = 0) -> None:
        self.true = at(0)
        self.wrong = timedelta(seconds=wrong)
        self.told: list[float] = []
        self.clock = ServerClock(self, self.told.append)

    def now(self) -> datetime:
        return self.true + self.wrong

    def answer(self, times: int = 1, late: float = 0) -> None:
        """Answers of the API server, read so many seconds after they were sent."""
        for _ in range(times):
            date = format_datetime(self.true.replace(microsecond=0), usegmt=True)
            self.true += timedelta(seconds=late)
            self.clock.hear(date)
            self.true += timedelta(seconds=0.3)

    @property
    def error(self) -> float:
        return (self.clock.now() - self.true).total_seconds()


@pytest.mark.parametrize("wrong", [0, 0.9, -0.9, 1.4])
def test_a_clock_that_is_nearly_right_is_left_alone(wrong: float) -> None:
    world = World(wrong)
    world.answer(50)

    assert world.error == pytest.approx(wrong)
    assert world.told == []


@pytest.mark.parametrize("wrong", [300, -300, 3])
def test_a_wrong_clock_is_set_right_after_a_few_answers(wrong: float) -> None:
    world = World(wrong)
    world.answer(2)
    assert world.error == pytest.approx(wrong)

    world.answer(3)
    assert abs(world.error) <= 1
    assert len(world.told) == 1


def test_an_answer_that_was_read_late_moves_nothing() -> None:
    world = World()
    world.answer(10)
    world.answer(2, late=30)
    world.answer(10)

    assert world.error == 0


def test_a_clock_that_jumps_while_we_run_is_followed_and_left_again() -> None:
    world = World()
    world.answer(5)
    world.wrong = timedelta(seconds=-120)
    world.answer(5)
    assert abs(world.error) <= 1

    world.wrong = timedelta(0)
    world.answer(5)
    assert world.error == 0
    assert [round(seconds / 10) for seconds in world.told] == [12, 0]


@pytest.mark.parametrize("date", ["", "yesterday", "Fri, 31 Dec 9999 23:59:59 -2300"])
def test_what_is_no_date_says_nothing(date: str) -> None:
    """It is empty when there was no answer, as while the API server is away at the start."""
    world = World(300)
    for _ in range(5):
        world.clock.hear(date)

    assert world.error == 300
