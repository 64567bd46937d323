"""Traces what the program asks of a bucket that changes something: before it, and after it."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.crashing.entries import Entry, Kind, Trace

from actor_operator.storage.bucket import Bucket


def trace_bucket(trace: Trace) -> None:
    """Replace the functions that change a bucket, until the process ends."""
    for name, before, after in (
        ("put", Kind.UPLOAD, Kind.UPLOADED),
        ("delete", Kind.DELETION, Kind.DELETED),
    ):
        setattr(Bucket, name, _traced(trace, before, after, getattr(Bucket, name)))


def _traced(
    trace: Trace, before: Kind, after: Kind, original: Callable[..., Awaitable[Any]]
) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(original)
    async def call(bucket: Bucket, key: str, *arguments: Any) -> Any:
        trace.perform(Entry(before, key), lambda _: None)
        result = await original(bucket, key, *arguments)
        trace.perform(Entry(after, key), lambda _: None)
        return result

    return call
