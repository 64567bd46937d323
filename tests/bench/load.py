"""Sends requests: as fast as the API server takes them, or so many a second."""

import itertools
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.bench.contenders import Contender
from tests.support.reach import Reachable
from tests.support.rest import JSON, RestClient

CONNECTIONS = 8
"""Over which requests are sent side by side."""


@dataclass(frozen=True)
class Send:
    """One request."""

    name: str
    """Of the object that it is about, as the observer has it: namespace/name."""
    verb: str
    path: str
    body: Any
    content_type: str = JSON


def creations(
    contender: Contender, namespaces: Sequence[str], count: int, prefix: str = "x"
) -> list[Send]:
    """The creation of so many objects, spread over namespaces in turn."""
    found = []
    for number, namespace in zip(range(count), itertools.cycle(namespaces), strict=False):
        name = f"{prefix}-{number}"
        path = contender.path.format(namespace=namespace)
        found.append(Send(f"{namespace}/{name}", "POST", path, contender.manifest(name)))
    return found


def send(server: Reachable, requests: Iterable[Send], per_second: float = 0) -> dict[str, float]:
    """Send requests, in their order; returns when each was sent, by the monotonic clock.

    Parameters
    ----------
    server
        To whom.
    requests
        What.
    per_second
        How many; 0 for as many as the server takes.

    Raises
    ------
    AssertionError
        One is refused.
    """
    waiting = iter(enumerate(requests))
    lock = threading.Lock()
    sent: dict[str, float] = {}
    begun = time.monotonic()

    def work() -> None:
        client = RestClient(server)
        while True:
            with lock:
                number, request = next(waiting, (0, None))
            if request is None:
                break
            if per_second:
                time.sleep(max(0.0, begun + number / per_second - time.monotonic()))
            sent[request.name] = time.monotonic()
            answer = client.call(
                request.verb, request.path, request.body, content_type=request.content_type
            )
            assert answer.accepted, f"{request.verb} {request.path}: {answer.sentences}"
        client.close()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for future in [pool.submit(work) for _ in range(CONNECTIONS)]:
            future.result()
    return sent
