"""Logs of containers, read at once or followed."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from actor_operator.kube.client import KubeClient
from actor_operator.kube.resources import Resource

PODS = Resource("", "v1", "pods", "Pod")
"""The kind whose objects have logs."""


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Which part of a log."""

    container: str = ""
    """Name of the container; may be left out when the pod has one."""

    follow: bool = False
    """Go on until the container ends."""

    previous: bool = False
    """Of the container before the last restart."""

    timestamps: bool = False
    """Each line begins with an RFC 3339 time."""

    tail_lines: int | None = None
    """At most this many lines from the end."""

    since_seconds: int | None = None
    """Only what is younger."""

    since_time: str = ""
    """Only what was written since this RFC 3339 time; fractions of seconds do not count."""

    limit_bytes: int | None = None
    """At most this many bytes; whatever reads on behalf of others should say so."""

    def params(self) -> dict[str, str]:
        """As query parameters; empty ones mean unset."""
        return {
            "container": self.container,
            "follow": "true" if self.follow else "",
            "previous": "true" if self.previous else "",
            "timestamps": "true" if self.timestamps else "",
            "tailLines": _number(self.tail_lines),
            "sinceSeconds": _number(self.since_seconds),
            "sinceTime": self.since_time,
            "limitBytes": _number(self.limit_bytes),
        }


def read_log(
    client: KubeClient,
    namespace: str,
    pod: str,
    options: LogOptions,
    *,
    silence: float | None = 30.0,
) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
    """Open a log; the value yields raw chunks that end anywhere, not at lines.

    Parameters
    ----------
    client
        Over which to read.
    namespace, pod
        Whose log.
    options
        Which part of it.
    silence
        Seconds without a byte after which the stream is taken for dead. A followed log can be
        quiet for hours, so it has no such limit.

    Raises
    ------
    NotFoundError
        When there is no such pod.
    InvalidError
        When the container has no log yet, or there is none of that name.
    """
    return client.read_stream(
        PODS,
        namespace,
        pod,
        "log",
        params=options.params(),
        silence=None if options.follow else silence,
    )


def _number(value: int | None) -> str:
    return "" if value is None else str(value)
