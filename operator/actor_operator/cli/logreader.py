"""The log of a run as it is written: over cuts of the connection, and from pod to pod."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable

from actor_operator.api.v1alpha1.conditions import ConditionType
from actor_operator.api.views.run import RunView
from actor_operator.cli.problems import cause_of
from actor_operator.cli.session import Session
from actor_operator.constants import CONTAINER_NAME
from actor_operator.engine.backoff import Backoff
from actor_operator.kube.errors import (
    ApiError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthorizedError,
)
from actor_operator.kube.logs import LogOptions, read_log
from actor_operator.kube.pods import Pods

RETRY = Backoff(first=0.3, cap=3.0)
"""Pauses between attempts to go on with a log."""

MAX_LINE_BYTES = 1024 * 1024
"""A longer line is passed on in parts."""

OVERLAP_SECONDS = 5
"""By how much more than needed is asked for after a cut; what is known is left out."""

OUTAGE = 2
"""Failures in a row that are worth telling of: a single cut is daily life."""

ATTEMPTS_AT_END = 5
"""How often the log of a container that has ended is tried."""

_STAMPED = re.compile(rb"(\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)) (.*)", re.DOTALL)


class LogPosition:
    """Up to where a log was read, by the time that the kubelet writes before each line.

    The kubelet writes times of one length, so that they compare as text.
    """

    def __init__(self) -> None:
        self._last = b""
        self._read_at: float | None = None

    def take(self, line: bytes, now: float) -> tuple[bytes, bytes] | None:
        """Split a line into time and text; ``None`` when it was read before."""
        match = _STAMPED.fullmatch(line)
        if match is None:
            return b"", line
        stamp, text = match.groups()
        if stamp <= self._last:
            return None
        self._last, self._read_at = stamp, now
        return stamp, text

    def since_seconds(self, now: float) -> int | None:
        """How far back to ask when going on; ``None`` for from the start."""
        return None if self._read_at is None else int(now - self._read_at) + OVERLAP_SECONDS


class LogReader:
    """Follows the log of one run.

    Parameters
    ----------
    session
        Of which cluster.
    namespace
        Of the run.
    write
        Takes lines as bytes.
    timestamps
        Whether each line begins with its time.
    tail
        Of what is there already only so many lines.
    """

    def __init__(
        self,
        session: Session,
        namespace: str,
        write: Callable[[bytes], None],
        *,
        timestamps: bool = False,
        tail: int | None = None,
    ) -> None:
        self._session = session
        self._namespace = namespace
        self._write = write
        self._timestamps = timestamps
        self._tail = tail
        self._pods: asyncio.Queue[str | None] = asyncio.Queue()
        self._last_pod = ""
        self._failures = 0

    def see(self, run: RunView) -> None:
        """Take note of the run's pod, once its container has run."""
        status = run.status
        pod = status.pod_name or ""
        if pod not in {"", self._last_pod} and status.is_true(ConditionType.STARTED):
            self._last_pod = pod
            self._pods.put_nowait(pod)

    def close(self) -> None:
        """No further pod will come."""
        self._pods.put_nowait(None)

    async def run(self) -> None:
        """Read the logs of all pods to their end, one after the other.

        Raises
        ------
        ForbiddenError, UnauthorizedError
            When the log may not be read.
        """
        while (pod := await self._pods.get()) is not None:
            await self._read(pod)

    async def _read(self, pod: str) -> None:
        """Read one pod's log until its container has ended, and everything was read after that."""
        position = LogPosition()
        self._failures = 0
        while True:
            over = await self._is_over(pod)
            if over is None:
                self._session.tell(f"The pod {pod} is gone, and its log with it.")
                return
            whole = await self._read_stream(pod, position)
            if over and (whole or self._failures >= ATTEMPTS_AT_END):
                return
            await asyncio.sleep(RETRY.delay(max(1, self._failures)))

    async def _is_over(self, pod: str) -> bool | None:
        """Whether the container has ended; ``None`` when the pod is gone."""
        try:
            found = await Pods(self._session.client).read(self._namespace, pod)
        except (ForbiddenError, UnauthorizedError):
            raise
        except ApiError:
            return False
        if found is None:
            return None
        return found.is_over or found.terminated is not None

    async def _read_stream(self, pod: str, position: LogPosition) -> bool:
        """Pass on what is new until the stream ends; False when it broke, or could not begin."""
        since = position.since_seconds(time.monotonic())
        options = LogOptions(
            container=CONTAINER_NAME,
            follow=True,
            timestamps=True,
            since_seconds=since,
            tail_lines=self._tail if since is None else None,
        )
        try:
            async with read_log(self._session.client, self._namespace, pod, options) as chunks:
                self._failures = 0
                async for line in split_log(chunks):
                    self._pass_on(position.take(line, time.monotonic()))
        except (ForbiddenError, UnauthorizedError):
            raise
        except NotFoundError:
            return True
        except ApiError as error:
            self._note_failure(error)
            return False
        return True

    def _note_failure(self, error: ApiError) -> None:
        """Count a failure; of one that lasts the user is told once."""
        self._failures += 1
        # An invalid request is one for the log of a container that has not started.
        if self._failures == OUTAGE and not isinstance(error, InvalidError):
            self._session.tell(f"The log is interrupted, still trying: {cause_of(error.message)}")

    def _pass_on(self, line: tuple[bytes, bytes] | None) -> None:
        if line is None:
            return
        stamp, text = line
        self._write(stamp + b" " + text if self._timestamps and stamp else text)


async def split_log(
    chunks: AsyncIterator[bytes], limit: int = MAX_LINE_BYTES
) -> AsyncIterator[bytes]:
    """Yield lines with their ends; a very long one in parts, and at last what has no end."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line + b"\n"
        if len(rest) > limit:
            yield rest
            rest = b""
    if rest:
        yield rest
