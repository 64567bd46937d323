"""What is in etcd, and runs copied into it: much faster than the API server takes them."""

import base64
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
from tests.support.operators import LOCAL

RUNS = "/registry/actor-operator.dev/actorruns/"
"""Where runs are, as JSON."""

PLACES = (
    RUNS,
    "/registry/jobs/",
    "/registry/pods/",
    "/registry/secrets/",
    "/registry/services/specs/",
    "/registry/ingress/",
    "/registry/events/",
)
"""Where everything is that is measured."""

PUTS_A_CALL = 100
"""etcd takes 128 operations a transaction."""


def stored_bytes(url: str) -> int:
    """The size of all objects that are measured."""
    return sum(len(value) for place in PLACES for _, value in _values(url, place))


def copy_run(url: str, namespace: str, name: str, count: int, prefix: str) -> None:
    """Copy a run as it is so many times, under other names and uids.

    Raises
    ------
    KeyError
        There is no such run.
    """
    place = f"{RUNS}{namespace}/"
    run = msgspec.json.decode(dict(_values(url, place))[f"{place}{name}"])
    for first in range(0, count, PUTS_A_CALL):
        puts = []
        for number in range(first, min(count, first + PUTS_A_CALL)):
            run["metadata"] |= {"name": f"{prefix}-{number}", "uid": str(uuid.uuid4())}
            value = base64.b64encode(msgspec.json.encode(run)).decode()
            key = _text(f"{place}{prefix}-{number}")
            puts.append({"requestPut": {"key": key, "value": value}})
        _ask(url, "txn", {"success": puts})


def _values(url: str, place: str) -> Iterator[tuple[str, bytes]]:
    end = place[:-1] + chr(ord(place[-1]) + 1)
    answer = _ask(url, "range", {"key": _text(place), "range_end": _text(end)})
    for found in answer.get("kvs", ()):
        yield base64.b64decode(found["key"]).decode(), base64.b64decode(found.get("value", ""))


def _ask(url: str, what: str, body: Any) -> Any:
    request = urllib.request.Request(f"{url}/v3/kv/{what}", data=msgspec.json.encode(body))  # noqa: S310 -- etcd on loopback
    with LOCAL.open(request, timeout=60) as answer:
        return msgspec.json.decode(answer.read())


def _text(key: str) -> str:
    return base64.b64encode(key.encode()).decode()
