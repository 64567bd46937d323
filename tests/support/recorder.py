"""Watches a real API server on its own and keeps every revision of what concerns runs.

Each revision is a JSON line in a file, which stays when a test fails; `tests.support.recheck` looks
at such a file again.
"""

import http.client
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec
from tests.support.history import ADDED, DELETED, MODIFIED, History, Object, Revision
from tests.support.reach import Reachable, tls_context
from tests.support.recorded_kinds import SOURCES, Source
from tests.support.recording import Recording, list_now

SETTLE_SECONDS = 30.0
"""How long news may take that the API server has already."""

Key = tuple[str, str, str]
"""Kind, namespace, name."""


class RecorderError(AssertionError):
    """The recording has broken off, or what a test waits for does not come."""


class Recorder:
    """Records from its start to its end as a context manager.

    Parameters
    ----------
    cluster
        Whose API server.
    file
        Where each revision is appended as one JSON line.
    """

    def __init__(self, cluster: Reachable, file: Path) -> None:
        self.path = file
        """Path of the file."""
        self._address = urlsplit(cluster.url).netloc
        self._context = tls_context(cluster)
        self._file = file.open("ab")
        self._news = threading.Condition()
        self._revisions: list[Revision] = []
        self._live: dict[Key, Object] = {}
        self._heard: dict[Key, int] = {}
        """The greatest resourceVersion that was heard of."""
        self._defect = ""
        self._recordings = [self._recording(cluster, source) for source in SOURCES]
        self._threads = [
            threading.Thread(target=self._record, args=(recording,), name="recorder")
            for recording in self._recordings
        ]

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
        for recording in self._recordings:
            recording.stop()
        for thread in self._threads:
            thread.join(timeout=10)
        self._file.close()

    # What tests ask

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        """An object as it was last heard of; None: there is none."""
        with self._news:
            return self._live.get((kind, namespace, name))

    def all(self, kind: str, namespace: str) -> list[Object]:
        """All objects of a kind in a namespace as they were last heard of."""
        with self._news:
            live = self._live.items()
            return [obj for key, obj in live if key[:2] == (kind, namespace)]

    def wait(self, what: str, done: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until something holds, looking again after each revision.

        Raises
        ------
        RecorderError
            When it does not hold in time, or the recording has broken off.
        """
        with self._news:
            held = self._news.wait_for(lambda: self._defect or done(), timeout=seconds)
            self._check()
            if not held:
                raise RecorderError(f"{what}: not within {seconds:g} s")

    def break_off(self, cause: str) -> None:
        """Let everybody who waits give up."""
        with self._news:
            self._defect = cause
            self._news.notify_all()

    def settle(self, namespace: str) -> None:
        """Wait until all is recorded that the API server has of a namespace now.

        Raises
        ------
        RecorderError
            When it does not come, or the recording has broken off.
        """
        connection = http.client.HTTPSConnection(self._address, context=self._context, timeout=30)
        with closing(connection):
            for source in SOURCES:
                version, items = list_now(connection, source, namespace)
                wanted = {item["metadata"]["name"]: _number(item) for item in items}
                done = partial(self._knows, source.kind, namespace, version, wanted)
                self.wait(f"{source.plural} of {namespace} in the recording", done, SETTLE_SECONDS)

    def history(self, namespace: str) -> History:
        """All revisions of what concerns a namespace.

        Raises
        ------
        RecorderError
            When the recording has broken off.
        """
        with self._news:
            self._check()
            mine = [r for r in self._revisions if r.namespace == namespace]
            return History(mine, until=time.time())

    def forget(self, namespace: str) -> None:
        """Let go of what is known of a namespace that nobody will ask for again."""
        with self._news:
            self._revisions = [r for r in self._revisions if r.namespace != namespace]
            for known in (self._live, self._heard):
                for key in [key for key in known if key[1] == namespace]:
                    del known[key]

    def __len__(self) -> int:
        """How many revisions were recorded."""
        return len(self._revisions)

    def namespaces(self, since: int = 0) -> set[str]:
        """The namespaces in which something happened, after so many revisions."""
        with self._news:
            return {revision.namespace for revision in self._revisions[since:]}

    # What recordings tell

    def _recording(self, cluster: Reachable, source: Source) -> Recording:
        listed, changed = (partial(told, source.kind) for told in (self._compare, self._change))
        return Recording(cluster, source, listed, changed)

    def _record(self, recording: Recording) -> None:
        try:
            recording.run()
        except Exception as error:  # noqa: BLE001 -- a test must not wait for a dead thread
            self._defect = repr(error)

    def _compare(self, kind: str, version: int, items: list[Object]) -> None:
        """Note what a list tells that was not known: all of it at first, later what was missed."""
        listed = {_key(kind, item) for item in items}
        with self._news:
            missed = [o for key, o in self._live.items() if key[0] == kind and key not in listed]
        for obj in missed:
            self._note(Revision(version, kind, DELETED, obj, time.time()))
        for item in items:
            known = self._live.get(_key(kind, item))
            if known is None or _number(known) != _number(item):
                change = MODIFIED if known else ADDED
                self._note(Revision(_number(item), kind, change, item, time.time()))

    def _change(self, kind: str, change: str, obj: Object) -> None:
        self._note(Revision(_number(obj), kind, change, obj, time.time()))

    def _note(self, revision: Revision) -> None:
        revision.object["metadata"].pop("managedFields", None)
        with self._news:
            self._revisions.append(revision)
            key = (revision.kind, revision.namespace, revision.name)
            self._heard[key] = revision.number
            if revision.gone:
                self._live.pop(key, None)
            else:
                self._live[key] = revision.object
            self._file.write(msgspec.json.encode(revision) + b"\n")
            self._news.notify_all()

    # What is known

    def _knows(self, kind: str, namespace: str, version: int, wanted: dict[str, int]) -> bool:
        """Whether a list holds no news: neither objects nor that others are gone."""
        self._check()
        heard = (self._heard.get((kind, namespace, name), 0) for name in wanted)
        known = (key for key in self._live if key[:2] == (kind, namespace))
        return all(have >= want for have, want in zip(heard, wanted.values(), strict=True)) and all(
            key[2] in wanted or _number(self._live[key]) > version for key in known
        )

    def _check(self) -> None:
        if self._defect:
            raise RecorderError(f"the recording has broken off: {self._defect}")


def _key(kind: str, obj: Object) -> Key:
    revision = Revision(0, kind, ADDED, obj, 0.0)
    return (kind, revision.namespace, revision.name)


def _number(obj: Object) -> int:
    return int(obj["metadata"]["resourceVersion"])
