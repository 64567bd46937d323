"""Clients that write all the time, and know what was acknowledged."""

import hashlib
import random
import threading
import time
from types import TracebackType
from typing import Self

import httpx
from tests.support.clients.access import ApiAccess

WRITERS = 4

RECORD_BYTES = 40_000
"""Larger than what is kept in rows."""

EVERY = 8
"""Of so many writes of a writer one is a record."""

PAUSE_SECONDS = 0.02


class Pushing:
    """Writers that push items one by one, and put records, from enter to exit.

    Nothing is sent again: what has no answer may be there or not.

    Parameters
    ----------
    api
        Where to.
    dataset, store
        Ids of the storages.
    """

    def __init__(self, api: ApiAccess, dataset: str, store: str) -> None:
        self._api = api
        self._dataset, self._store = dataset, store
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._write, args=(number,), daemon=True)
            for number in range(WRITERS)
        ]
        self.items: set[int] = set()
        """Items that were acknowledged."""
        self.records: dict[str, str] = {}
        """Digests of records that were acknowledged, by key."""
        self.failures: list[str] = []
        """What went wrong with the others."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def acknowledged(self) -> int:
        """How many writes were."""
        with self._lock:
            return len(self.items) + len(self.records)

    def wait_for(self, more: int, seconds: float = 60) -> None:
        """Wait until so many more writes are acknowledged."""
        wanted, deadline = self.acknowledged + more, time.monotonic() + seconds
        while self.acknowledged < wanted:
            assert time.monotonic() < deadline, f"writes fail: {self.failures[-3:]}"
            time.sleep(0.05)

    def _write(self, writer: int) -> None:
        headers = {"Authorization": f"Bearer {self._api.token}"}
        with httpx.Client(
            base_url=self._api.url, headers=headers, timeout=30, trust_env=False
        ) as client:
            count = 0
            while not self._stop.wait(PAUSE_SECONDS):
                count += 1
                number = count * WRITERS + writer
                try:
                    if count % EVERY:
                        self._push(client, number)
                    else:
                        self._put(client, f"record-{number}")
                except httpx.HTTPError as error:
                    with self._lock:
                        self.failures.append(repr(error))

    def _push(self, client: httpx.Client, number: int) -> None:
        client.post(f"/v2/datasets/{self._dataset}/items", json={"n": number}).raise_for_status()
        with self._lock:
            self.items.add(number)

    def _put(self, client: httpx.Client, key: str) -> None:
        body = random.Random(key).randbytes(RECORD_BYTES)  # noqa: S311 -- no secret
        path = f"/v2/key-value-stores/{self._store}/records/{key}"
        client.put(path, content=body).raise_for_status()
        with self._lock:
            self.records[key] = digest(body)


def digest(body: bytes) -> str:
    """What stands for a body."""
    return hashlib.sha256(body).hexdigest()
