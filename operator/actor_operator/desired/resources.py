"""Requests and limits of a run, all derived from its memory."""

from actor_operator.api.k8s import V1EmptyDirVolumeSource, V1ResourceRequirements
from actor_operator.quantities import (
    cpu_millicores,
    disk_mbytes,
    format_mebibytes,
    format_millicores,
)
from actor_operator.settings_pod import PodSettings


def build_resources(memory_mbytes: int, settings: PodSettings) -> V1ResourceRequirements:
    """Limits by Apify's rules; requests equal them unless settings lower those of cpu and disk."""
    cpu, disk = cpu_millicores(memory_mbytes), disk_mbytes(memory_mbytes)
    memory = format_mebibytes(memory_mbytes)
    cpu_request = max(1, round(cpu * settings.cpu_request_fraction))
    disk_request = round(disk * settings.disk_request_fraction)
    return V1ResourceRequirements(
        limits={
            "cpu": format_millicores(cpu),
            "memory": memory,
            "ephemeral-storage": format_mebibytes(disk),
        },
        requests={
            "cpu": format_millicores(cpu_request),
            "memory": memory,
            "ephemeral-storage": format_mebibytes(disk_request),
        },
    )


def build_shared_memory(memory_mbytes: int) -> V1EmptyDirVolumeSource:
    """``/dev/shm``: half the run's memory and counted as such (browsers crash in 64 MiB)."""
    return V1EmptyDirVolumeSource(medium="Memory", size_limit=format_mebibytes(memory_mbytes // 2))
