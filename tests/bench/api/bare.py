"""The baseline: the same HTTP server, the same rows by plain SQL, the same bytes to the same disk.

No framework, no authentication, no checks, no pools: what cannot be saved. It runs in a process of
its own, on the core on which the API server runs too, never at the same time.
"""

import asyncio
import os
import secrets
import sqlite3
import sys
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from starlette.types import Receive, Scope, Send

from actor_operator.server.process import http_server
from actor_operator.storage.sqlite import FILE, SqliteDatabase

CORE = 0
"""The processor that it runs on."""

STORAGE = "bare"
LARGE = 32_768
ROW = (1, STORAGE)
READ_RUNS = (
    "SELECT * FROM runs WHERE account = 2 AND state = 'visible' "
    "ORDER BY started_at DESC, id DESC LIMIT 1000"
)
PUT_RECORD = "INSERT OR REPLACE INTO records VALUES (?, ?, ?, 'application/json', NULL, ?, 0, ?, ?)"
COUNT_RECORD = (
    "UPDATE storages SET modified_at = 1, storage_bytes = storage_bytes + 1 "
    "WHERE account = 1 AND id = ?"
)
LOCK = (
    "UPDATE requests SET locked_until = ?, lock_client = 'bare' WHERE account = 1 AND storage = ? "
    "AND id = (SELECT id FROM requests WHERE account = 1 AND storage = ? AND handled_at IS NULL "
    "AND locked_until IS NULL ORDER BY order_no LIMIT 1) RETURNING head"
)


class Bare:
    """An ASGI application that does each thing in one transaction."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._thread = ThreadPoolExecutor(1)
        self._disk = ThreadPoolExecutor(4)
        self._items = 0
        self._requests = 0
        self.spent: list[float] = []
        """Seconds of each piece of work, without HTTP."""
        self._works: dict[str, Callable[[str, bytes], bytes]] = {
            "push": self._push,
            "put": self._put,
            "get": self._get,
            "batch": self._batch,
            "lock": self._lock,
            "runs": self._runs,
        }
        self._connection = self._thread.submit(self._connect).result()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer ``/WHAT/NAME``."""
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        _, what, name = scope["path"].split("/")
        if what == "spent":
            answer, self.spent = msgspec.json.encode(self.spent), []
        else:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(
                self._thread, self._timed, what, name, b"".join(parts)
            )
        headers = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _timed(self, what: str, name: str, body: bytes) -> bytes:
        begun = time.perf_counter()
        answer = self._works[what](name, body)
        self.spent.append(time.perf_counter() - begun)
        return answer

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._folder / "database" / FILE, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 4000")
        connection.execute(
            "INSERT INTO storages (account, id, kind, created_at, modified_at, accessed_at, "
            "general_access, signing_key, item_count, clean_item_count, handled_count, "
            "storage_bytes, inflated_bytes, first_order, last_order, had_multiple_clients, "
            "read_count, write_count, delete_count, list_count) "
            "VALUES (1, ?, 'dataset', 0, 0, 0, '', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
            (STORAGE,),
        )
        return connection

    def _write(self, *statements: tuple[str, tuple[Any, ...]]) -> Any:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        rows = [execute(*statement).fetchall() for statement in statements]
        execute("COMMIT")
        return rows

    def _push(self, _: str, body: bytes) -> bytes:
        self._items += 1000
        packed = zlib.compress(body, 1)
        self._write(
            ("UPDATE storages SET item_count = ? WHERE account = 1 AND id = ?",
             (self._items, STORAGE)),
            ("INSERT INTO blocks VALUES (?, ?, ?, 1, ?, ?, NULL)",
             (*ROW, self._items, len(packed), packed)),
        )  # fmt: skip
        return b"{}"

    def _put(self, name: str, body: bytes) -> bytes:
        key = self._store(body) if len(body) > LARGE else None
        small = None if key else body
        self._write(
            (PUT_RECORD, (*ROW, name, len(body), small, key)),
            (COUNT_RECORD, (STORAGE,)),
        )  # fmt: skip
        return b"{}"

    def _store(self, body: bytes) -> str:
        """Keep a body in a file as safely as the API server does."""
        key = secrets.token_hex(16)
        temporary = self._folder / f"{key}.tmp"
        with temporary.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self._folder / key)
        descriptor = os.open(self._folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        return key

    def _get(self, name: str, _: bytes) -> bytes:
        query = "SELECT body, object_key FROM records WHERE account = ? AND storage = ? AND key = ?"
        body, key = self._connection.execute(query, (*ROW, name)).fetchone()
        return (self._folder / key).read_bytes() if key else bytes(body)

    def _batch(self, _: str, body: bytes) -> bytes:
        rows = msgspec.json.decode(body, type=list[msgspec.Raw])
        first, self._requests = self._requests, self._requests + len(rows)
        query = "INSERT INTO requests VALUES (?, ?, ?, ?, NULL, NULL, NULL, NULL, ?, ?, ?)"
        self._write(
            *((query, (*ROW, f"{first + place:015}", first + place, len(row), bytes(row),
                       bytes(row))) for place, row in enumerate(rows)),
            ("UPDATE storages SET item_count = ? WHERE account = 1 AND id = ?",
             (self._requests, STORAGE)),
        )  # fmt: skip
        return b"{}"

    def _lock(self, _: str, __: bytes) -> bytes:
        (found, _rows) = self._write(
            (LOCK, (2**40, STORAGE, STORAGE)),
            ("UPDATE storages SET modified_at = 1 WHERE account = 1 AND id = ?", (STORAGE,)),
        )
        return bytes(found[0][0])

    def _runs(self, _: str, __: bytes) -> bytes:
        cursor = self._connection.execute(READ_RUNS)
        names = [column[0] for column in cursor.description]
        rows = [
            {name: None if isinstance(value, bytes) else value
             for name, value in zip(names, row, strict=True)}
            for row in cursor
        ]  # fmt: skip
        return msgspec.json.encode(rows)


async def serve(folder: Path, port: int) -> None:
    """Serve until the process is killed."""
    await http_server(Bare(folder), "127.0.0.1", port).serve()


def main() -> None:
    """Serve what is in a folder at a port."""
    os.sched_setaffinity(0, {CORE})
    uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2])))


async def make_tables(folder: Path) -> None:
    """Make an empty database."""
    await (await SqliteDatabase.open(folder / "database")).close()


if __name__ == "__main__":
    main()
