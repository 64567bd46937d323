"""Watches one burst from outside, and notes when each object came, got its pod, and ended."""

import http.client
import ssl
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import msgspec
from tests.bench.contenders import Contender
from tests.cluster_tool.control_plane import ControlPlane
from tests.support.history import Object

SILENCE_SECONDS = 5.0
"""After which a watch is opened anew."""

PAUSE_SECONDS = 0.05
"""Before a watch is opened again."""


@dataclass
class Moments:
    """When things were heard of, by the object's name, in seconds of the monotonic clock."""

    created: dict[str, float] = field(default_factory=dict)
    pod: dict[str, float] = field(default_factory=dict)
    finished: dict[str, float] = field(default_factory=dict)


class Observer:
    """Watches the objects of a contender and their pods; a context manager.

    Parameters
    ----------
    control_plane
        Whose API server.
    contender
        Which objects.
    namespace
        Where; there is nothing in it yet.
    """

    def __init__(self, control_plane: ControlPlane, contender: Contender, namespace: str) -> None:
        self._contender = contender
        context = ssl.create_default_context(cafile=str(control_plane.ca))
        admin = control_plane.admin
        context.load_cert_chain(str(admin.certificate), str(admin.key))
        address = urlsplit(control_plane.url).netloc
        paths = (contender.path.format(namespace=namespace), f"/api/v1/namespaces/{namespace}/pods")
        self._watches = [
            (http.client.HTTPSConnection(address, context=context, timeout=SILENCE_SECONDS), path)
            for path in paths
        ]
        self._threads = [threading.Thread(target=self._watch, args=w) for w in self._watches]
        self._stopping = False
        self._news = threading.Condition()
        self.moments = Moments()
        """What was seen so far."""

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

    def wait(self, count: int, seconds: float) -> None:
        """Wait until so many objects have ended.

        Raises
        ------
        TimeoutError
            They have not in time.
        """
        with self._news:
            finished = self.moments.finished
            if not self._news.wait_for(lambda: len(finished) >= count, seconds):
                raise TimeoutError(f"{len(finished)} of {count} ended within {seconds:g} s")

    def _watch(self, connection: http.client.HTTPSConnection, path: str) -> None:
        version = ""
        while not self._stopping:
            try:
                connection.request("GET", f"{path}?watch=1&resourceVersion={version}")
                response = connection.getresponse()
                while line := response.readline():
                    version = self._hear(msgspec.json.decode(line))
            except (OSError, http.client.HTTPException):
                # A busy API server cuts off who reads slowly: go on where it was cut.
                time.sleep(PAUSE_SECONDS)
            finally:
                connection.close()

    def _hear(self, event: Object) -> str:
        """Take note of one event; returns the version after it."""
        found = event["object"]
        if event["type"] == "ERROR":
            raise RuntimeError(f"events were missed: {found['message']}")
        with self._news:
            self._note(found)
            self._news.notify_all()
        return str(found["metadata"]["resourceVersion"])

    def _note(self, found: Object) -> None:
        now, metadata = time.monotonic(), found["metadata"]
        if found["kind"] == "Pod":
            self.moments.pod.setdefault(metadata["ownerReferences"][0]["name"], now)
            return
        self.moments.created.setdefault(metadata["name"], now)
        if self._contender.succeeded(found):
            self.moments.finished.setdefault(metadata["name"], now)
