"""Arithmetic of memory, processor and disk sizes."""

MEMORY_STEPS = (128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
"""Sizes of a run in MB that are allowed: powers of two (Apify: Actor memory)."""

MEMORY_MBYTES_PER_CORE = 4096
"""A run gets one core for each 4096 MB of its memory (Apify: usage and resources)."""

DISK_PER_MEMORY = 2
"""A run's disk is this many times its memory (Apify: usage and resources)."""


MEBIBYTE = 2**20
"""Bytes of what runs, actors and accounts call a MB, as Kubernetes' ``Mi``."""


def cpu_millicores(memory_mbytes: int) -> int:
    """Processor share of a run in thousandths of a core, rounded up: 1024 MB → 250, 128 MB → 32."""
    return -(-memory_mbytes * 1000 // MEMORY_MBYTES_PER_CORE)


def disk_mbytes(memory_mbytes: int) -> int:
    """Disk of a run in MB: twice its memory."""
    return memory_mbytes * DISK_PER_MEMORY


def format_millicores(millicores: int) -> str:
    """Write a processor share as a Kubernetes quantity: 250 → ``250m``, 2000 → ``2``."""
    return str(millicores // 1000) if millicores % 1000 == 0 else f"{millicores}m"


def format_mebibytes(mebibytes: int) -> str:
    """Write a size as a Kubernetes quantity: 1024 → ``1024Mi``."""
    return f"{mebibytes}Mi"


def compute_units(memory_mbytes: int, run_time_seconds: float) -> float:
    """Apify's compute units: 1024 MB for one hour is one unit."""
    return memory_mbytes / 1024 * run_time_seconds / 3600
