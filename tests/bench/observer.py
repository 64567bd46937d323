"""Watches from outside, and notes when each object came, got its pod, ran, and ended.

The API server's own times are whole seconds; what a watch tells is taken at its arrival, on the
machine that the API server runs on.
"""

import http.client
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec
from tests.bench.contenders import ENDS, Contender
from tests.support.reach import Reachable, tls_context

SILENCE_SECONDS = 5.0
"""After which a watch is opened anew."""

PAUSE_SECONDS = 0.05
"""Before a watch is opened again."""

CREATED, POD, RUNNING, ENDED, FINISHED = "created", "pod", "running", "pod ended", "finished"
"""What is noted of each object: it exists; its pod exists, runs, has ended; it tells its end."""

POD_PHASES = {"Running": (RUNNING,), "Succeeded": (ENDED,), "Failed": (ENDED,)}
"""What a pod's phase tells, beside that the pod exists."""

Moments = dict[str, dict[str, float]]
"""What → namespace/name of the object → when, in seconds of the monotonic clock."""


class _Owner(msgspec.Struct):
    name: str


class _Metadata(msgspec.Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    resource_version: str = ""
    owner_references: list[_Owner] = []


class _Condition(msgspec.Struct):
    type: str
    status: str


class _Status(msgspec.Struct):
    phase: str = ""
    conditions: list[_Condition] = []


class _Object(msgspec.Struct):
    metadata: _Metadata
    kind: str = ""
    status: _Status | str | None = None
    """A text where the object is not one, but an error."""
    message: str = ""


class _Event(msgspec.Struct):
    type: str
    object: _Object


_EVENTS = msgspec.json.Decoder(_Event)


class Observer:
    """Watches the objects of a contender and their pods; a context manager.

    Parameters
    ----------
    server
        Whose API server.
    contender
        Which objects.
    namespace
        Where; there is nothing in it yet. None: everywhere.
    tell
        Told of everything that is noted, and of which object.
    """

    def __init__(
        self,
        server: Reachable,
        contender: Contender,
        namespace: str | None,
        tell: Callable[[str, str], None] = lambda _what, _key: None,
    ) -> None:
        self._tell = tell
        context = tls_context(server)
        address = urlsplit(server.url).netloc
        self._watches = [
            (http.client.HTTPSConnection(address, context=context, timeout=SILENCE_SECONDS), path)
            for path in _paths(contender, namespace)
        ]
        self._threads = [threading.Thread(target=self._watch, args=w) for w in self._watches]
        self._stopping = False
        self._news = threading.Condition()
        self.moments: Moments = defaultdict(dict)
        """What was seen so far; also phases of runs and conditions of Jobs, by their names."""

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
        for connection, _ in self._watches:
            if connection.sock is not None:
                connection.sock.shutdown(2)
        for thread in self._threads:
            thread.join(timeout=2 * SILENCE_SECONDS)

    def wait(self, count: int, seconds: float, what: str = FINISHED) -> None:
        """Wait until something was noted of so many objects.

        Raises
        ------
        TimeoutError
            Not in time.
        """
        with self._news:
            seen = self.moments[what]
            if not self._news.wait_for(lambda: len(seen) >= count, seconds):
                raise TimeoutError(f"{what}: {len(seen)} of {count} within {seconds:g} s")

    def _watch(self, connection: http.client.HTTPSConnection, path: str) -> None:
        version = ""
        while not self._stopping:
            try:
                connection.request("GET", f"{path}?watch=1&resourceVersion={version}")
                response = connection.getresponse()
                while line := response.readline():
                    version = self._hear(_EVENTS.decode(line))
            except (OSError, http.client.HTTPException):
                # A busy API server cuts off who reads slowly: go on where it was cut.
                time.sleep(PAUSE_SECONDS)
            finally:
                connection.close()

    def _hear(self, event: _Event) -> str:
        """Take note of one event; returns the version after it."""
        if event.type == "ERROR":
            raise RuntimeError(f"events were missed: {event.object.message}")
        with self._news:
            if event.type != "DELETED":
                self._note(event.object)
            self._news.notify_all()
        return event.object.metadata.resource_version

    def _note(self, found: _Object) -> None:
        now, metadata = time.monotonic(), found.metadata
        status = found.status if isinstance(found.status, _Status) else _Status()
        if found.kind == "Pod":
            owner = metadata.owner_references[0].name if metadata.owner_references else ""
            said = [POD, *POD_PHASES.get(status.phase, ())]
            key = f"{metadata.namespace}/{owner}"
        else:
            true = [item.type for item in status.conditions if item.status == "True"]
            said = [CREATED, *filter(None, (status.phase, *true))]
            said += [FINISHED] if not ENDS.isdisjoint(said) else []
            key = f"{metadata.namespace}/{metadata.name}"
        for what in said:
            if key not in self.moments[what]:
                self.moments[what][key] = now
                self._tell(what, key)


def _paths(contender: Contender, namespace: str | None) -> tuple[str, str]:
    objects, pods = contender.path, "/api/v1/namespaces/{namespace}/pods"
    if namespace is None:
        return objects.replace("/namespaces/{namespace}", ""), "/api/v1/pods"
    return objects.format(namespace=namespace), pods.format(namespace=namespace)
