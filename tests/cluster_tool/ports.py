"""Free TCP ports on 127.0.0.1."""

import random
import socket

from tests.cluster_tool.errors import ClusterToolError

_LOWEST, _HIGHEST = 20_000, 30_000
"""Below the range that the kernel gives to outgoing connections, so that none takes a port
between our look and its use."""

_TRIES = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Different free ports, chosen at random so that parallel starts rarely meet.

    Raises
    ------
    ClusterToolError
        Too few were found.
    """
    found: set[int] = set()
    for _ in range(_TRIES):
        if len(found) == count:
            break
        port = random.randint(_LOWEST, _HIGHEST)  # noqa: S311  # not a secret
        if port not in found and is_free(port):
            found.add(port)
    if len(found) < count:
        raise ClusterToolError(f"Fewer than {count} free ports between {_LOWEST} and {_HIGHEST}.")
    return sorted(found)


def preferred_or_free(preferred: int) -> int:
    """The wanted port if it is free, else another one."""
    return preferred if is_free(preferred) else free_ports(1)[0]
