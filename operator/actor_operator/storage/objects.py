"""Stores of large bodies, as the rest of the API server sees them.

A key is used once and never again: what is there under a key never changes, so a reader needs no
lock. Keys are made by `uploads.new_key`.
"""

from collections.abc import AsyncIterator
from typing import Protocol

from actor_operator.errors import RetryableError, TerminalError


class ObjectStoreUnavailableError(RetryableError):
    """The object store does not answer, or has no room."""


class ObjectMissingError(TerminalError):
    """Nothing is stored under a key that a row refers to."""

    def __init__(self, key: str) -> None:
        super().__init__("ObjectMissing", f"The object {key} is missing in the object store.")


class ObjectStore(Protocol):
    """Keeps bytes under keys like ``1/abc…``: parts of a-z, 0-9 between slashes."""

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        """Store what the stream gives, and return its size once it is durable.

        When the stream raises, that is raised here and nothing is stored.

        Raises
        ------
        ObjectStoreUnavailableError
            When the store does not take it.
        """
        ...

    async def get(
        self, key: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Read an object, or a part of it.

        Parameters
        ----------
        key
            Its key.
        start
            The first byte, counted from 0; behind the end there is nothing to read.
        length
            How many bytes; all that follow when it is missing.

        Raises
        ------
        ObjectMissingError
            When there is none.
        ObjectStoreUnavailableError
            When the store does not answer; also later, by the stream.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove an object; that there is none is no error.

        Raises
        ------
        ObjectStoreUnavailableError
            When the store does not answer.
        """
        ...

    def list(self, prefix: str) -> AsyncIterator[str]:
        """Keys that begin with a folder, ``1/`` or nothing, in no order.

        Raises
        ------
        ObjectStoreUnavailableError
            When the store does not answer.
        """
        ...
