"""What a soak says of the memory of processes that live for a minute each."""

from tests.soak.memory import Sample, growth

SOAK = 1000.0


def lives(*sizes: tuple[float, float]) -> list[Sample]:
    """Processes that began at some time, each with its size."""
    return [
        sample
        for begun, size in sizes
        for sample in (Sample(begun + 5, 5, size / 2), Sample(begun + 50, 50, size))
    ]


def test_processes_of_the_same_age_are_compared() -> None:
    assert growth(lives((300, 100), (400, 100), (700, 110), (800, 110)), SOAK) == 10.000000000000009


def test_what_is_younger_later_is_not_smaller() -> None:
    """The last process of a soak is young: compared with old ones it would hide a leak."""
    samples = [Sample(300, 50, 100), Sample(300, 5, 50), Sample(900, 5, 60)]

    found = growth(samples, SOAK)

    assert found is not None
    assert round(found) == 20


def test_the_warm_up_is_not_compared() -> None:
    assert growth(lives((0, 10), (300, 100), (800, 100)), SOAK) == 0


def test_one_process_that_stands_out_says_nothing() -> None:
    samples = lives((300, 100), (400, 100), (700, 100), (750, 300), (800, 100))

    assert growth(samples, SOAK) == 0


def test_a_soak_that_is_too_short_says_so() -> None:
    assert growth(lives((300, 100)), SOAK) is None
    assert growth(lives((700, 100)), SOAK) is None
