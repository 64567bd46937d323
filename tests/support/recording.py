"""One kind as an API server tells it, from a list and watches that go on from it.

It has nothing in common with the operator's watches: a blocking connection in a thread of its own.
What happens in the moment after the API server was started anew and before it is listed is seen in
its result only.
"""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import msgspec
from tests.support.history import Object
from tests.support.reach import Reachable, tls_context
from tests.support.recorded_kinds import METADATA_LIST, Source

WATCH_SECONDS = 240
"""After which the server ends a watch; the next one goes on from there."""

SILENCE_SECONDS = 90.0
"""A connection without a bookmark for this long is dead."""

PAUSE_SECONDS = 0.2
"""Between attempts to reach the server."""

MISSING_SECONDS = 2.0
"""Between attempts to list a kind that the cluster does not have."""

LOST = (OSError, http.client.HTTPException, ValueError)
"""What reading from a server that dies may raise."""

Listed = Callable[[int, list[Object]], None]
"""Takes a list's resourceVersion and its objects."""

Changed = Callable[[str, Object], None]
"""Takes the type of a change and the object."""


class Recording:
    """Lists and watches one kind until it is stopped.

    Parameters
    ----------
    cluster
        Whose API server.
    source
        What is watched.
    listed
        Is told of each list: at first, and after the server has lost its memory.
    changed
        Is told of each change.
    """

    def __init__(
        self, cluster: Reachable, source: Source, listed: Listed, changed: Changed
    ) -> None:
        self._address = urlsplit(cluster.url).netloc
        self._context = tls_context(cluster)
        self._source = source
        self._listed = listed
        self._changed = changed
        self._stopping = False
        self._connection: http.client.HTTPSConnection | None = None

    def run(self) -> None:
        """Record; call it in a thread of its own."""
        version = ""
        while not self._stopping:
            try:
                version = version or self._list()
                version = self._watch(version)
            except MissingKindError:
                time.sleep(MISSING_SECONDS)
            except LOST:
                time.sleep(PAUSE_SECONDS)

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._stopping = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with suppress(OSError):  # it has ended by itself
                connection.sock.shutdown(socket.SHUT_RDWR)

    def _list(self) -> str:
        with self._request(self._source.path(), listing=True) as response:
            version, items = read_list(response, self._source)
        self._listed(version, items)
        return str(version)

    def _watch(self, version: str) -> str:
        """Follow one watch to its end; returns the version to go on from, empty after a gap."""
        query = {"watch": "1", "allowWatchBookmarks": "1", "timeoutSeconds": str(WATCH_SECONDS)}
        path = self._source.path(**query, resourceVersion=version)
        with self._request(path, listing=False) as response:
            if response.status != 200:
                raise ValueError(f"HTTP {response.status}")
            try:
                for event in _events(response):
                    if event["type"] == "ERROR":
                        # A server that was started anew has no history: list, and compare.
                        return ""
                    version = str(event["object"]["metadata"]["resourceVersion"])
                    if event["type"] != "BOOKMARK":
                        self._changed(event["type"], event["object"])
            except LOST:
                time.sleep(PAUSE_SECONDS)
        return version

    @contextmanager
    def _request(self, path: str, *, listing: bool) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPSConnection(
            self._address, context=self._context, timeout=SILENCE_SECONDS
        )
        self._connection = connection
        try:
            connection.request(
                "GET", path, headers={"Accept": self._source.accept(listing=listing)}
            )
            yield connection.getresponse()
        finally:
            connection.close()


class MissingKindError(Exception):
    """The cluster does not have a kind that it need not have."""


def read_list(response: http.client.HTTPResponse, source: Source) -> tuple[int, list[Object]]:
    """The resourceVersion of a list, and its objects.

    Raises
    ------
    MissingKindError
        The cluster does not have this kind, and need not.
    ValueError
        The answer is no list: the CRD is not there yet, or the server is going.
    """
    if source.optional and response.status == http.client.NOT_FOUND:
        raise MissingKindError
    answer = json.loads(response.read())
    if answer["kind"] == "Status":
        raise ValueError(answer["message"])
    return int(answer["metadata"]["resourceVersion"]), answer["items"] or []


def list_now(
    connection: http.client.HTTPSConnection, source: Source, namespace: str
) -> tuple[int, list[Object]]:
    """What the API server has of a kind in a namespace; raises ValueError and OSError.

    Of a kind that the cluster does not have there is nothing.
    """
    connection.request("GET", source.path(namespace), headers={"Accept": METADATA_LIST})
    response = connection.getresponse()
    try:
        return read_list(response, source)
    except MissingKindError:
        response.read()  # else the connection could not be used again
        return 0, []


def _events(response: http.client.HTTPResponse) -> Iterator[Object]:
    while line := response.readline():
        event: Object = msgspec.json.decode(line)
        yield event
