"""Arithmetic of sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actor_operator.quantities import (
    MEMORY_STEPS,
    compute_units,
    cpu_millicores,
    disk_mbytes,
    format_mebibytes,
    format_millicores,
)


def test_sizes_are_the_powers_of_two_from_128_to_32768() -> None:
    assert tuple(2**power for power in range(7, 16)) == MEMORY_STEPS


@pytest.mark.parametrize(
    ("memory", "cores"),
    [(128, 32), (256, 63), (512, 125), (1024, 250), (4096, 1000), (32768, 8000)],
)
def test_a_run_gets_one_core_for_each_4096_mb_rounded_up(memory: int, cores: int) -> None:
    assert cpu_millicores(memory) == cores


@given(st.integers(min_value=1, max_value=2**20))
def test_no_run_gets_less_than_its_share_nor_a_thousandth_more(memory: int) -> None:
    assert 0 <= cpu_millicores(memory) - memory * 1000 / 4096 < 1


def test_the_disk_is_twice_the_memory() -> None:
    assert disk_mbytes(1024) == 2048


@pytest.mark.parametrize(
    ("millicores", "text"), [(1, "1m"), (250, "250m"), (1000, "1"), (1001, "1001m"), (8000, "8")]
)
def test_shares_of_a_processor_are_written_as_kubernetes_quantities(
    millicores: int, text: str
) -> None:
    assert format_millicores(millicores) == text


def test_sizes_are_written_as_kubernetes_quantities() -> None:
    assert format_mebibytes(1024) == "1024Mi"


@pytest.mark.parametrize(
    ("memory", "seconds", "units"), [(1024, 3600, 1), (4096, 900, 1), (128, 36, 0.00125), (1, 0, 0)]
)
def test_1024_mb_for_an_hour_is_one_compute_unit(memory: int, seconds: float, units: float) -> None:
    assert compute_units(memory, seconds) == pytest.approx(units)
