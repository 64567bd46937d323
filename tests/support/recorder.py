"""Watches a real API server on its own and keeps every revision of runs, pods and Secrets.

It has nothing in common with the operator's watches: blocking connections, one thread a kind. Of
Secrets it asks for the metadata only. What happens in the moment after the API server was started
anew and before it is listed is seen in its result only.
"""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec
from tests.cluster_tool.control_plane import ControlPlane
from tests.support.history import (
    ADDED,
    DELETED,
    MODIFIED,
    POD,
    RUN,
    SECRET,
    History,
    Object,
    Revision,
)

METADATA_ONLY = "application/json;as=PartialObjectMetadata{list};g=meta.k8s.io;v=v1"
"""Asks for objects without spec, data and status."""

SOURCES = {
    RUN: "/apis/actor-operator.dev/v1alpha1/actorruns",
    POD: "/api/v1/pods?labelSelector=actor-operator.dev/run-uid",
    SECRET: "/api/v1/secrets?labelSelector=actor-operator.dev/run-uid",
}
"""What is watched, by kind."""

WATCH_SECONDS = 240
"""After which the server ends a watch; the next one goes on from there."""

SILENCE_SECONDS = 90.0
"""A connection without a bookmark for this long is dead."""

PAUSE_SECONDS = 0.2
"""Between attempts to reach the server."""

LOST = (OSError, http.client.HTTPException, ValueError)
"""What reading from a server that dies may raise."""

Key = tuple[str, str, str]
"""Kind, namespace, name."""


class RecorderError(AssertionError):
    """The recording has broken off, or what a test waits for does not come."""


class Recorder:
    """Records from `start` to `stop`; also a context manager.

    Parameters
    ----------
    control_plane
        Whose API server.
    file
        Where each revision is appended as one JSON line.
    """

    def __init__(self, control_plane: ControlPlane, file: Path) -> None:
        admin = control_plane.admin
        self._context = ssl.create_default_context(cafile=str(control_plane.ca))
        self._context.load_cert_chain(str(admin.certificate), str(admin.key))
        self._address = urlsplit(control_plane.url).netloc
        self._file = file.open("ab")
        self._news = threading.Condition()
        self._revisions: list[Revision] = []
        self._live: dict[Key, Object] = {}
        self._defect = ""
        self._stopping = False
        self._connections: dict[str, http.client.HTTPSConnection] = {}
        self._threads = [
            threading.Thread(target=self._record, args=(kind,), name=f"recorder-{kind}")
            for kind in SOURCES
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
        self._stopping = True
        for connection in list(self._connections.values()):
            if connection.sock is not None:
                connection.sock.shutdown(2)
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
            When it does not hold in time.
        """
        with self._news:
            if not self._news.wait_for(done, timeout=seconds):
                raise RecorderError(f"{what}: not within {seconds:g} s")

    def catch_up(self, kind: str, namespace: str, versions: dict[str, str]) -> None:
        """Wait until exactly these objects are known, by name, in these versions at least."""

        def done() -> bool:
            known = {
                key[2]: obj["metadata"]["resourceVersion"]
                for key, obj in self._live.items()
                if key[:2] == (kind, namespace)
            }
            newer = (int(known[name]) >= int(version) for name, version in versions.items())
            return known.keys() == versions.keys() and all(newer)

        self.wait(f"{kind}s of {namespace} in the recording", done, 30)

    def history(self, namespace: str) -> History:
        """All revisions in a namespace.

        Raises
        ------
        RecorderError
            When the recording has broken off.
        """
        with self._news:
            if self._defect:
                raise RecorderError(f"the recording has broken off: {self._defect}")
            return History(r for r in self._revisions if r.namespace == namespace)

    # One thread a kind

    def _record(self, kind: str) -> None:
        version = ""
        while not self._stopping:
            try:
                if not version:
                    version = self._list(kind)
                version = self._watch(kind, version)
            except LOST:
                time.sleep(PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 -- a test must not wait for a dead thread
                self._defect = f"{kind}: {error!r}"
                return

    def _list(self, kind: str) -> str:
        with self._request(kind, {}) as response:
            answer = json.loads(response.read())
        if answer["kind"] == "Status":  # the CRD is not there yet, or the server is going
            raise ValueError(answer["message"])
        version = str(answer["metadata"]["resourceVersion"])
        self._compare(kind, int(version), answer["items"] or [])
        return version

    def _compare(self, kind: str, version: int, items: list[Object]) -> None:
        """Note what a list tells that was not known: all of it at first, later what was missed."""
        listed = {(kind, i["metadata"].get("namespace", ""), i["metadata"]["name"]) for i in items}
        for key, obj in list(self._live.items()):
            if key[0] == kind and key not in listed:
                self._note(Revision(version, kind, DELETED, obj, time.time()))
        for item in items:
            key = (kind, item["metadata"].get("namespace", ""), item["metadata"]["name"])
            known = self._live.get(key)
            if known is None or _number(known) != _number(item):
                change = MODIFIED if known else ADDED
                self._note(Revision(_number(item), kind, change, item, time.time()))

    def _watch(self, kind: str, version: str) -> str:
        """Follow one watch to its end; returns the version to go on from."""
        query = {
            "watch": "1",
            "allowWatchBookmarks": "1",
            "resourceVersion": version,
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        with self._request(kind, query) as response:
            if response.status != 200:
                raise ValueError(f"HTTP {response.status}")
            try:
                for event in _events(response):
                    if event["type"] == "ERROR":
                        # A server that was started anew has no history: list, and compare.
                        return ""
                    version = str(event["object"]["metadata"]["resourceVersion"])
                    if event["type"] != "BOOKMARK":
                        obj = event["object"]
                        self._note(Revision(_number(obj), kind, event["type"], obj, time.time()))
            except LOST:
                time.sleep(PAUSE_SECONDS)
        return version

    @contextmanager
    def _request(self, kind: str, query: dict[str, str]) -> Iterator[http.client.HTTPResponse]:
        path = SOURCES[kind]
        joint = "&" if "?" in path else "?"
        path += joint + "&".join(f"{name}={value}" for name, value in query.items())
        connection = http.client.HTTPSConnection(
            self._address, context=self._context, timeout=SILENCE_SECONDS
        )
        self._connections[kind] = connection
        accept = "application/json"
        if kind == SECRET:
            form = "" if "watch" in query else "List"
            accept = METADATA_ONLY.replace("{list}", form)
        try:
            connection.request("GET", path, headers={"Accept": accept})
            yield connection.getresponse()
        finally:
            connection.close()

    def _note(self, revision: Revision) -> None:
        revision.object["metadata"].pop("managedFields", None)
        with self._news:
            self._revisions.append(revision)
            key = (revision.kind, revision.namespace, revision.name)
            if revision.change == DELETED:
                self._live.pop(key, None)
            else:
                self._live[key] = revision.object
            self._file.write(msgspec.json.encode(revision) + b"\n")
            self._news.notify_all()


def _events(response: http.client.HTTPResponse) -> Iterator[Object]:
    while line := response.readline():
        event: Object = msgspec.json.decode(line)
        yield event


def _number(obj: Object) -> int:
    return int(obj["metadata"]["resourceVersion"])
