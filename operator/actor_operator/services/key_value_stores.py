"""Records of key-value stores: what the routes do, without HTTP."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

from actor_operator.services.access import StorageRef
from actor_operator.services.content_types import check_content_type
from actor_operator.services.decoding import ENCODINGS, DecodingError
from actor_operator.services.errors import ApiError, invalid, not_found
from actor_operator.services.record_archive import RecordArchive
from actor_operator.services.storage_use import StorageUse
from actor_operator.storage.database import Database
from actor_operator.storage.objects import ObjectStore
from actor_operator.storage.records import KeyPage, RecordRow, Records
from actor_operator.storage.uploads import Uploaded, Uploads, upload

INLINE_BYTES = 32_768
"""Largest body that is kept in the row."""

KEY_PATTERN = re.compile(r"[a-zA-Z0-9!\-_.'()]{1,256}")
"""What a key looks like (Apify docs: key-value store)."""

PREFIX_PATTERN = re.compile(r"[a-zA-Z0-9!\-_.'()]{0,256}")
"""What keys can begin with."""

MAX_KEYS = 1000
"""Most keys of a page (Apify)."""

DEFAULT_CONTENT_TYPE = "application/octet-stream"
"""Of a body that comes without one."""


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record that is read.

    Parameters
    ----------
    about
        What is known of it.
    body
        Its body as it is kept, that is encoded; pieces where it is large.
    """

    about: RecordRow
    body: bytes | AsyncIterator[bytes]


class KeyValueStores:
    """Reads and writes records.

    Parameters
    ----------
    database
        Where records are.
    objects
        Where large bodies are.
    use
        Is told of what is read.
    now
        The time in milliseconds since 1970.
    max_record_bytes
        Largest body.
    """

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        use: StorageUse,
        now: Callable[[], int],
        *,
        max_record_bytes: int,
    ) -> None:
        self._database = database
        self._objects = objects
        self._use = use
        self._now = now
        self._max_record_bytes = max_record_bytes

    async def put_record(
        self,
        store: StorageRef,
        key: str,
        body: AsyncIterator[bytes],
        *,
        content_type: str | None,
        content_encoding: str | None,
    ) -> None:
        """Write a record; a body that is cut, or too large, changes nothing.

        Parameters
        ----------
        store
            Where.
        key
            Its key.
        body
            Its body as it came, that is encoded. What it raises is raised here.
        content_type, content_encoding
            Of the body; both are given back as they were.

        Raises
        ------
        ApiError
            400 for an impossible key or content type, 413 for too large a body, 415 for an unknown
            encoding, 404 without the store.
        DatabaseUnavailableError, ObjectStoreUnavailableError
            When it cannot be kept now.
        """
        _check_key(key)
        write = partial(
            self._write,
            store,
            key,
            content_type=check_content_type(content_type or DEFAULT_CONTENT_TYPE),
            content_encoding=_encoding(content_encoding),
        )
        await write(await self._kept(store.account, self._limited(body)))

    async def _kept(self, account: int, body: AsyncIterator[bytes]) -> bytes | Uploaded:
        """A body as it goes into its row: itself, or the object that it was uploaded as."""
        begin = bytearray()
        async for chunk in body:
            begin += chunk
            if len(begin) > INLINE_BYTES:
                whole = _joined(bytes(begin), body)
                return await upload(self._database, self._objects, account, whole, self._now())
        return bytes(begin)

    async def get_record(self, store: StorageRef, key: str) -> StoredRecord:
        """Read a record.

        Raises
        ------
        ApiError
            400 for an impossible key, 404 without such a record.
        DatabaseUnavailableError, ObjectStoreUnavailableError
            When it cannot be read now.
        ObjectMissingError
            When the object store has lost the body.
        """
        _check_key(key)
        found = await self._database.read(
            lambda connection: Records(connection, store.account).get(store.id, key)
        )
        if found is None:
            raise _no_record(key)
        self._use.note(store.account, store.id, reads=1)
        about, body = found
        if body is not None:
            return StoredRecord(about, body)
        return StoredRecord(about, await self._open(about))

    async def head_record(self, store: StorageRef, key: str) -> RecordRow:
        """What is known of a record without its body.

        Raises
        ------
        ApiError
            400 for an impossible key, 404 without such a record.
        DatabaseUnavailableError
            When it cannot be read now.
        """
        _check_key(key)
        found = await self._database.read(
            lambda connection: Records(connection, store.account).head(store.id, key)
        )
        if found is None:
            raise _no_record(key)
        self._use.note(store.account, store.id, reads=1)
        return found

    async def delete_record(self, store: StorageRef, key: str) -> None:
        """Remove a record; that there is none is no error.

        Raises
        ------
        ApiError
            400 for an impossible key, 404 without the store.
        DatabaseUnavailableError
            When it cannot be removed now.
        """
        _check_key(key)
        now = self._now()
        if not await self._database.write(
            lambda connection: Records(connection, store.account).delete(store.id, key, now)
        ):
            raise _no_store()

    async def list_keys(
        self, store: StorageRef, *, exclusive_start_key: str = "", prefix: str = "", limit: int
    ) -> KeyPage:
        """A page of keys, in the order of their bytes.

        Parameters
        ----------
        store
            Of which store.
        exclusive_start_key
            The key before the first one of the page.
        prefix
            What the keys begin with.
        limit
            Most keys of the page; never more than `MAX_KEYS`.

        Raises
        ------
        ApiError
            400 for a key that is none.
        DatabaseUnavailableError
            When they cannot be read now.
        """
        if exclusive_start_key:
            _check_key(exclusive_start_key)
        if PREFIX_PATTERN.fullmatch(prefix) is None:
            return KeyPage([], is_truncated=False)  # no key begins so
        self._use.note(store.account, store.id, lists=1)
        return await self._database.read(
            lambda connection: Records(connection, store.account).keys(
                store.id, after=exclusive_start_key, prefix=prefix, limit=min(limit, MAX_KEYS)
            )
        )

    async def zip_records(self, store: StorageRef, *, prefix: str = "") -> AsyncIterator[bytes]:
        """All records whose keys begin with something, decoded, as a zip file.

        What cannot be decoded is there as it is kept, with its encoding behind its name.

        Raises
        ------
        DatabaseUnavailableError, ObjectStoreUnavailableError
            When they cannot be read now; perhaps in the middle.
        """
        archive = RecordArchive()
        after, more = "", True
        while more:
            page = await self.list_keys(
                store, exclusive_start_key=after, prefix=prefix, limit=MAX_KEYS
            )
            for key, _ in page.items:
                async for piece in self._zip_one(archive, store, key):
                    yield piece
                after = key
            more = page.is_truncated
        yield archive.finish()

    async def _zip_one(
        self, archive: RecordArchive, store: StorageRef, key: str
    ) -> AsyncIterator[bytes]:
        try:
            record = await self.get_record(store, key)
        except ApiError:  # removed since the page was read
            return
        about = record.about
        try:
            async for piece in archive.add(
                key, about.modified_at, _pieces(record.body), about.content_encoding
            ):
                yield piece
        except DecodingError:
            in_row = isinstance(record.body, bytes)
            raw = _pieces(record.body if in_row else await self._open(about))
            name = f"{key}.{about.content_encoding}"
            async for piece in archive.add(name, about.modified_at, raw, None):
                yield piece

    async def _write(
        self,
        store: StorageRef,
        key: str,
        body: bytes | Uploaded,
        *,
        content_type: str,
        content_encoding: str | None,
    ) -> None:
        now = self._now()
        written = await self._database.write(
            lambda connection: Records(connection, store.account).put(
                store.id,
                key,
                body,
                content_type=content_type,
                content_encoding=content_encoding,
                now=now,
            )
        )
        if not written:
            if isinstance(body, Uploaded):
                await self._database.write(
                    lambda connection: Uploads(connection, store.account).give_up(body.key, now)
                )
            raise _no_store()

    async def _limited(self, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in body:
            size += len(chunk)
            if size > self._max_record_bytes:
                raise ApiError(
                    "record-too-large",
                    f"The record is larger than {self._max_record_bytes} bytes.",
                    status=413,
                )
            yield chunk

    async def _open(self, about: RecordRow) -> AsyncIterator[bytes]:
        if about.object_key is None:
            raise ValueError(f"the body of {about.key!r} is in its row")
        return await self._objects.get(about.object_key)


def _check_key(key: str) -> None:
    if KEY_PATTERN.fullmatch(key) is None:
        raise invalid(
            "A key of a record has 1 to 256 of these symbols: a-z A-Z 0-9 ! - _ . ' ( )",
            "invalid-record-key",
        )


def _encoding(given: str | None) -> str | None:
    encoding = (given or "identity").strip().lower()
    if encoding == "identity":
        return None
    if encoding not in ENCODINGS:
        raise ApiError(
            "unsupported-content-encoding",
            "The Content-Encoding must be one of br, gzip, deflate and identity.",
            status=415,
        )
    return encoding


def _no_record(key: str) -> ApiError:
    return not_found(f'The record "{key}"')


def _no_store() -> ApiError:
    return not_found("The key-value store")


async def _joined(begin: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield begin
    async for chunk in rest:
        yield chunk


async def _pieces(body: bytes | AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if isinstance(body, bytes):
        yield body
        return
    async for chunk in body:
        yield chunk
