"""Large bodies in a bucket of S3, or of something that speaks its protocol."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import ObjectStore, S3Store

from actor_operator.errors import ConfigurationError
from actor_operator.log import logger
from actor_operator.settings_api import BucketSettings
from actor_operator.storage.objects import ObjectMissingError, ObjectStoreUnavailableError

if TYPE_CHECKING:  # at run time obstore has no such names
    from obstore import GetOptions, GetResult

PART_BYTES = 8 * 1024 * 1024
"""Size of the parts of a large upload; S3 takes 10,000 of them."""

PARTS_AT_ONCE = 2
"""Parts that are sent at the same time: what an upload keeps in memory."""

CHUNK_BYTES = 256 * 1024
"""The least that is read at a time."""

CONNECT_TIMEOUT = timedelta(seconds=5)
"""How long a connection may take."""

READ_TIMEOUT = timedelta(seconds=30)
"""How long the store may be silent."""

REQUEST_TIMEOUT = timedelta(hours=1)
"""How long one request may take as a whole: slow clients read large bodies."""

RETRY_TIMEOUT = timedelta(seconds=15)
"""How long a request that failed is tried again: clients of the API wait for it."""

RETRIES = 4
"""How often."""

CHECK_FOLDER = "check"
"""Where objects are that are made at the start only; no account has such a folder."""

NO_BUCKET = "NoSuchBucket"
"""S3's name for an error that is not the lack of an object, though the status is the same."""

PAST_END = "InvalidRange"
"""S3's name for the error that a part begins at the end of an object or behind it."""

CODE = re.compile("<Code>(.*?)</Code>")
"""The name of an error in an answer of S3."""

log = logger(__name__)


class Bucket:
    """Keeps bodies in a bucket.

    Parameters
    ----------
    store
        The bucket, as obstore knows it.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def of(cls, settings: BucketSettings) -> "Bucket":
        """The bucket of the settings; its credentials come from the environment."""
        store = S3Store(
            settings.name,
            prefix=settings.prefix or None,
            config={
                **({"region": settings.region} if settings.region else {}),
                **({"endpoint": settings.endpoint} if settings.endpoint else {}),
            },
            client_options={
                "allow_http": settings.allow_http,
                "connect_timeout": CONNECT_TIMEOUT,
                "read_timeout": READ_TIMEOUT,
                "timeout": REQUEST_TIMEOUT,
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": RETRY_TIMEOUT},
        )
        return cls(store)

    async def check(self) -> None:
        """Store a small object, read it and remove it, to see whether that is allowed.

        Raises
        ------
        ConfigurationError
            When there is no such bucket, or the credentials do not do for it.
        ObjectStoreUnavailableError
            When the store does not answer.
        """
        key = f"{CHECK_FOLDER}/{secrets.token_hex(16)}"
        try:
            await obstore.put_async(self._store, key, b"check", use_multipart=False)
            await obstore.get_async(self._store, key)
            await obstore.delete_async(self._store, key)
        except (FileNotFoundError, PermissionDeniedError, UnauthenticatedError) as error:
            raise ConfigurationError(
                "The bucket of storage.bucket does not exist, or its credentials (AWS_…) may not"
                f" write, read and delete in it: {_sentence(error)}."
            ) from error
        except BaseError as error:
            raise _unavailable(error) from error

    async def put(self, key: str, body: AsyncIterator[bytes]) -> int:
        """Store what the stream gives, and return its size once it is durable.

        Raises
        ------
        ObjectStoreUnavailableError
            When the store does not take it.
        """
        begin, size = [], 0
        async for chunk in body:
            begin.append(chunk)
            size += len(chunk)
            if size >= PART_BYTES:
                return await self._put_parts(key, _joined(begin, body))
        # One request instead of three, and no parts that a crash leaves behind.
        try:
            await obstore.put_async(self._store, key, b"".join(begin), use_multipart=False)
        except (BaseError, FileNotFoundError) as error:
            raise _unavailable(error) from error
        return size

    async def _put_parts(self, key: str, body: AsyncIterator[bytes]) -> int:
        counted = _Counted(body)
        sending = asyncio.create_task(self._send(key, counted))
        try:
            await asyncio.shield(sending)
        except asyncio.CancelledError:
            # Only a stream that breaks makes obstore remove the parts that are stored already.
            counted.give_up()
            await asyncio.gather(sending, return_exceptions=True)
            raise
        except Exception as error:
            # Through obstore an error of the stream comes out as one of the store.
            if counted.error is not None:
                raise counted.error from None
            if isinstance(error, (BaseError, FileNotFoundError)):
                raise _unavailable(error) from error
            raise
        return counted.size

    async def _send(self, key: str, body: "_Counted") -> None:
        await obstore.put_async(
            self._store, key, body, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
        )

    async def get(
        self, key: str, start: int = 0, length: int | None = None
    ) -> AsyncIterator[bytes]:
        """Read an object, or a part of it.

        Raises
        ------
        ObjectMissingError
            When there is none.
        ObjectStoreUnavailableError
            When the store does not answer; also later, by the stream.
        """
        if length == 0:  # S3 knows no empty range
            return _nothing()
        options: GetOptions = {}
        if length is not None:
            options["range"] = (start, start + length)
        elif start:
            options["range"] = {"offset": start}
        try:
            found = await obstore.get_async(self._store, key, options=options)
        except FileNotFoundError as error:
            if NO_BUCKET in str(error):
                raise _unavailable(error) from error
            raise ObjectMissingError(key) from error
        except BaseError as error:
            if PAST_END in str(error):
                return _nothing()
            raise _unavailable(error) from error
        return _chunks(found)

    async def delete(self, key: str) -> None:
        """Remove an object; that there is none is no error.

        Raises
        ------
        ObjectStoreUnavailableError
            When the store does not answer.
        """
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError as error:
            if NO_BUCKET in str(error):
                raise _unavailable(error) from error
        except BaseError as error:
            raise _unavailable(error) from error

    async def list(self, prefix: str) -> AsyncIterator[str]:
        """Keys that begin with a folder, ``1/`` or nothing, in no order.

        Raises
        ------
        ObjectStoreUnavailableError
            When the store does not answer.
        """
        try:
            async for page in obstore.list(self._store, prefix.rstrip("/") or None):
                for found in page:
                    yield found["path"]
        except BaseError as error:
            raise _unavailable(error) from error


class _GivenUpError(Exception):
    """Nobody waits for an upload any more."""


class _Counted:
    """A stream whose size and error are remembered, and that can be broken from outside."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self._next: asyncio.Task[bytes] | None = None
        self._given_up = False
        self.size = 0
        self.error: Exception | None = None

    def give_up(self) -> None:
        """Break the stream, also while it waits for its next piece."""
        self._given_up = True
        if self._next is not None:
            self._next.cancel()

    def __aiter__(self) -> "_Counted":
        return self

    async def __anext__(self) -> bytes:
        if self._given_up:
            raise _GivenUpError
        self._next = asyncio.create_task(self._read())
        try:
            chunk = await self._next
        except StopAsyncIteration:
            raise
        except asyncio.CancelledError:
            raise _GivenUpError from None
        except Exception as error:
            self.error = error
            raise
        self.size += len(chunk)
        return chunk

    async def _read(self) -> bytes:
        return await anext(self._body)


async def _joined(begin: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    begin.reverse()
    while begin:
        yield begin.pop()  # nobody keeps it any longer
    async for chunk in rest:
        yield chunk


async def _chunks(found: "GetResult") -> AsyncIterator[bytes]:
    try:
        async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)
    except BaseError as error:
        raise _unavailable(error) from error


async def _nothing() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for chunk in nothing:
        yield chunk


def _unavailable(error: Exception) -> ObjectStoreUnavailableError:
    # Clients of the API are told of it, and the address of the store is not for them.
    log.warning("The object store does not answer as it should.", cause=_sentence(error))
    return ObjectStoreUnavailableError("The object store does not answer.")


def _sentence(error: Exception) -> str:
    """What an error says, on one line: without the answer's text, which may repeat the request."""
    text = str(error).partition("Debug source:")[0]
    code = CODE.search(text)
    sentence = " ".join(text.partition("<?xml")[0].split())
    return f"{sentence} {code[1]}" if code else sentence
