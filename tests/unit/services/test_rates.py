from actor_operator.services import rates
from actor_operator.services.rates import Rates


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_allowed_and_then_no_more() -> None:
    limited = Rates(per_second=2, burst=3, now=Time())
    assert [limited.take("a") for _ in range(5)] == [True, True, True, False, False]


def test_time_brings_requests_back() -> None:
    time = Time()
    limited = Rates(per_second=2, burst=3, now=time)
    for _ in range(3):
        limited.take("a")
    time.now += 0.5
    assert limited.take("a")
    assert not limited.take("a")


def test_a_quiet_time_gives_no_more_than_a_burst() -> None:
    time = Time()
    limited = Rates(per_second=2, burst=3, now=time)
    limited.take("a")
    time.now += 1000
    assert [limited.take("a") for _ in range(4)] == [True, True, True, False]


def test_a_refused_request_costs_nothing() -> None:
    time = Time()
    limited = Rates(per_second=1, burst=1, now=time)
    limited.take("a")
    for _ in range(10):
        limited.take("a")
    time.now += 1
    assert limited.take("a")


def test_each_has_a_bucket_of_its_own() -> None:
    limited = Rates(per_second=1, burst=1, now=Time())
    assert limited.take("a")
    assert limited.take("b")
    assert not limited.take("a")


def test_no_more_buckets_are_kept_than_there_is_room_for() -> None:
    limited = Rates(per_second=1, burst=1, now=Time())
    for number in range(rates.MOST_BUCKETS + 10):
        limited.take(str(number))
    assert len(limited._buckets) == rates.MOST_BUCKETS
