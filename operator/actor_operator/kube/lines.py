"""Splits the body of a watch into lines, whatever their length."""

from collections.abc import AsyncIterator

from actor_operator.kube.errors import ServerError

MAX_LINE_BYTES = 16 * 1024 * 1024
"""Longest line that is taken: ten times what etcd stores; more is no watch of Kubernetes."""


async def split_lines(
    chunks: AsyncIterator[bytes], limit: int = MAX_LINE_BYTES
) -> AsyncIterator[bytes]:
    """Yield whole lines without their end.

    Half a line at the end of the stream is dropped: the stream was cut, and what it began to tell
    comes again after the reconnect.

    Raises
    ------
    ServerError
        When a line has more than ``limit`` bytes.
    """
    parts: list[bytes] = []
    length = 0
    async for chunk in chunks:
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            joined = b"".join((*parts, line)) if parts else line
            parts.clear()
            length = 0
            if joined:
                yield joined
        parts.append(rest)
        length += len(rest)
        if length > limit:
            raise ServerError(f"a watch sent a line of more than {limit} bytes")
