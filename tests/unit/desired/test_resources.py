"""Requests and limits: all derived from the memory."""

import pytest

from actor_operator.desired.resources import build_resources, build_shared_memory
from actor_operator.quantities import MEMORY_STEPS
from actor_operator.settings_pod import PodSettings

EXPECTED = {
    128: ("32m", "128Mi", "256Mi", "64Mi"),
    256: ("63m", "256Mi", "512Mi", "128Mi"),
    512: ("125m", "512Mi", "1024Mi", "256Mi"),
    1024: ("250m", "1024Mi", "2048Mi", "512Mi"),
    2048: ("500m", "2048Mi", "4096Mi", "1024Mi"),
    4096: ("1", "4096Mi", "8192Mi", "2048Mi"),
    8192: ("2", "8192Mi", "16384Mi", "4096Mi"),
    16384: ("4", "16384Mi", "32768Mi", "8192Mi"),
    32768: ("8", "32768Mi", "65536Mi", "16384Mi"),
}
"""Memory in MB: processor, memory, disk, shared memory."""


@pytest.mark.parametrize("memory", MEMORY_STEPS)
def test_each_size_has_its_limits_and_requests_equal_them(memory: int) -> None:
    resources = build_resources(memory, PodSettings())
    cpu, size, disk, _ = EXPECTED[memory]

    assert resources.limits == {"cpu": cpu, "memory": size, "ephemeral-storage": disk}
    assert resources.requests == resources.limits


@pytest.mark.parametrize("memory", MEMORY_STEPS)
def test_shared_memory_is_half_of_the_memory_and_counted_as_memory(memory: int) -> None:
    volume = build_shared_memory(memory)

    assert (volume.medium, volume.size_limit) == ("Memory", EXPECTED[memory][3])


def test_settings_lower_requests_of_processor_and_disk_and_never_of_memory() -> None:
    settings = PodSettings(cpu_request_fraction=0.2, disk_request_fraction=0.25)
    resources = build_resources(1024, settings)

    assert resources.requests == {"cpu": "50m", "memory": "1024Mi", "ephemeral-storage": "512Mi"}
    assert resources.limits == build_resources(1024, PodSettings()).limits


def test_a_request_never_falls_to_no_processor_at_all() -> None:
    """A request of 0 would be replaced by a LimitRange's default."""
    resources = build_resources(128, PodSettings(cpu_request_fraction=0.001))

    assert resources.requests is not None
    assert resources.requests["cpu"] == "1m"
