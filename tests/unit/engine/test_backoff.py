"""Growing pauses."""

from hypothesis import given
from hypothesis import strategies as st

from actor_operator.engine.backoff import Backoff


@given(st.integers(0, 100_000))
def test_a_pause_is_between_half_and_all_of_its_doubling_and_never_above_the_cap(
    failures: int,
) -> None:
    delay = Backoff(first=0.2, cap=60.0).delay(failures)
    whole = min(60.0, 0.2 * 2.0 ** min(max(failures - 1, 0), 60))
    assert whole / 2 <= delay <= whole


def test_pauses_are_not_all_the_same() -> None:
    assert len({Backoff(first=1.0, cap=60.0).delay(3) for _ in range(10)}) > 1
