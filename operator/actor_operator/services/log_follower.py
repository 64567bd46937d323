"""Follows the logs of the pods of one attempt of a run, from the first to the last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from actor_operator.api.views.pod import PodView
from actor_operator.api.views.run import RunView
from actor_operator.constants import CONTAINER_NAME
from actor_operator.engine.backoff import Backoff
from actor_operator.errors import ActorOperatorError
from actor_operator.kube.client import KubeClient
from actor_operator.kube.errors import InvalidError, NotFoundError
from actor_operator.kube.logs import LogOptions, read_log
from actor_operator.log import logger
from actor_operator.services.events import has_ended
from actor_operator.services.log_lines import LineReader, Position
from actor_operator.services.log_text import CREATING, GAP, PULLING, STARTING, line
from actor_operator.services.log_writer import LogWriter
from actor_operator.services.run_watch import RunState, RunWatch, Subscription, attempt_of

log = logger(__name__)

RETRY = Backoff(first=0.5, cap=10.0)
"""Pauses between attempts to go on with a log."""

END_SECONDS = 15.0
"""How long a stream may go on after its container has ended: nodes die without a word."""

LAG_SECONDS = 2.0
"""How long after the end of a stream the end of its container is waited for."""

GIVE_UP_SECONDS = 600.0
"""How long the rest of the log of an ended container is tried for."""


@dataclass(frozen=True, slots=True)
class PodLogSource:
    """Where logs come from.

    Parameters
    ----------
    client
        Over which.
    watch
        Tells of runs and their pods.
    """

    client: KubeClient
    watch: RunWatch


class AttemptFollower:
    """Follows one attempt.

    Parameters
    ----------
    source
        Where logs come from.
    writer
        Where they go; what it has stored says where to go on.
    uid, attempt
        Of the run.
    """

    def __init__(self, source: PodLogSource, writer: LogWriter, uid: str, attempt: int) -> None:
        self._source = source
        self._writer = writer
        self._uid = uid
        self._attempt = attempt

    async def run(self) -> None:
        """Read until the attempt has ended and nothing is left to be read.

        Raises
        ------
        StaleError
            When another replica follows the log now.
        """
        with self._source.watch.subscribe(self._uid) as changes:
            while True:
                state = self._state()
                pod = self._next_pod(state)
                if pod is not None:
                    await self._follow(pod, changes)
                elif state.run is None or has_ended(state.run, self._attempt):
                    break
                else:
                    await changes.wait(None)
            await self._finish(state)

    async def _finish(self, state: RunState) -> None:
        row = self._writer.row
        run = state.run
        started = isinstance(run, RunView) and run.status.started_at is not None
        if (row.pod is not None and not row.pod_done) or (row.pod is None and started):
            await self._gap()
        self._writer.note(pod_done=True, complete=True)
        await self._writer.store()

    def _state(self) -> RunState:
        return self._source.watch.state(self._uid)

    def _next_pod(self, state: RunState) -> PodView | None:
        """The pod whose log is read, or the next one; its container has started, or never will."""
        row = self._writer.row
        last = number_of(row.pod) if row.pod else 0
        pods = [pod for pod in state.pods if attempt_of(pod) == self._attempt]
        pods.sort(key=lambda pod: number_of(pod.name))
        for pod in pods:
            number = number_of(pod.name)
            if number > last or (number == last and not row.pod_done):
                return pod
        return None

    async def _follow(self, pod: PodView, changes: Subscription) -> None:
        """Read the log of a pod to its end."""
        if self._writer.row.pod != pod.name:
            await self._begin(pod, changes)
        if self._writer.row.position is None and not await self._started(pod, changes):
            self._writer.note(pod=pod.name, pod_done=True)
            return
        if not await self._read(pod, changes):
            await self._gap()
        self._writer.note(pod=pod.name, pod_done=True)

    async def _begin(self, pod: PodView, changes: Subscription) -> None:
        """Tell of a new pod, once it has a node; and of what was missed before it."""
        row = self._writer.row
        missed = row.pod is not None and number_of(pod.name) > number_of(row.pod) + 1
        if missed or (row.pod is not None and not row.pod_done):
            await self._gap()
        found: PodView | None = pod
        while found is not None and not found.spec.node_name and not found.has_ended:
            await changes.wait(None)
            found = self._find(pod)
        if found is not None and found.spec.node_name:
            text = PULLING.format(build=self._build())
            moment = found.status.start_time or found.metadata.creation_timestamp
            if moment is not None:
                await self._writer.write(line(moment, text))
        self._writer.note(pod=pod.name)

    async def _started(self, pod: PodView, changes: Subscription) -> bool:
        """Wait until the container has started; False: it never will."""
        while True:
            found = self._find(pod)
            if found is None:
                return False
            moment = found.container_started_at
            if moment is not None:
                await self._writer.write(line(moment, CREATING) + line(moment, STARTING))
                self._writer.note(pod=pod.name, position="")
                return True
            if found.has_ended:
                return False
            await changes.wait(None)

    async def _read(self, pod: PodView, changes: Subscription) -> bool:
        """Read on, over any number of streams; False when the end could not be read."""
        loop = asyncio.get_running_loop()
        failures, ended_at = 0, 0.0
        last: LineReader | None = None  # of the last stream, if that came to an end
        while not self._writer.is_full:
            found = self._find(pod)
            ended = found is None or found.has_ended
            ended_at = ended_at or (loop.time() if ended else 0.0)
            try:
                last = await self._stream(pod, follow=not ended)
                failures = 0
            except NotFoundError:
                # A pod may be removed as soon as its container has ended.
                return last is not None and await self._end(pod, last)
            except TimeoutError:
                last = None  # the container has ended and its stream has not: once more
            except ActorOperatorError as error:
                last, failures = None, failures + 1
                self._note_failure(pod, error, failures)
                if ended and loop.time() - ended_at > GIVE_UP_SECONDS:
                    return False
            if last is not None and ended:
                return await self._end(pod, last)
            await self._pause(pod, changes, failures)
        return await self._wait_for_end(pod, changes)

    async def _end(self, pod: PodView, reader: LineReader) -> bool:
        await self._take(pod, reader, reader.end())
        return True

    async def _wait_for_end(self, pod: PodView, changes: Subscription) -> bool:
        """Let the container end; what it prints is over the limit."""
        while (found := self._find(pod)) is not None and not found.has_ended:
            await changes.wait(None)
        return True

    async def _pause(self, pod: PodView, changes: Subscription, failures: int) -> None:
        """Wait before the next stream: after one that ended well, for the end of its container."""
        if failures:
            await asyncio.sleep(RETRY.delay(failures))
            return
        found = self._find(pod)
        if found is not None and not found.has_ended:
            await changes.wait(LAG_SECONDS)

    async def _stream(self, pod: PodView, *, follow: bool) -> LineReader:
        """Take what one stream brings, from where the last text came from that was taken."""
        position = Position.read(self._writer.row.position)
        reader = LineReader(position, self._moment(pod))
        reader.begin()
        options = LogOptions(
            container=CONTAINER_NAME,
            follow=follow,
            timestamps=True,
            since_time=position.since_time(),
        )
        client = self._source.client
        async with (
            self._limited(pod, follow=follow),
            read_log(client, pod.namespace, pod.name, options) as chunks,
        ):
            async for chunk in chunks:
                await self._take(pod, reader, reader.feed(chunk))
                if self._writer.is_full:
                    break
        return reader

    async def _take(self, pod: PodView, reader: LineReader, text: str) -> None:
        if text:
            await self._writer.write(text)
            # Nothing may be awaited between the two: a text is stored with its position.
            self._writer.note(pod=pod.name, position=reader.position.text())

    @asynccontextmanager
    async def _limited(self, pod: PodView, *, follow: bool) -> AsyncIterator[None]:
        """End a followed stream some time after its container."""
        async with asyncio.timeout(None) as limit:
            watching = asyncio.create_task(self._limit(pod, limit)) if follow else None
            try:
                yield
            finally:
                if watching is not None:
                    watching.cancel()

    async def _limit(self, pod: PodView, limit: asyncio.Timeout) -> None:
        with self._source.watch.subscribe(self._uid) as changes:
            while (found := self._find(pod)) is not None and not found.has_ended:
                await changes.wait(None)
        limit.reschedule(asyncio.get_running_loop().time() + END_SECONDS)

    def _find(self, pod: PodView) -> PodView | None:
        """The pod as it is now."""
        return next((found for found in self._state().pods if found.uid == pod.uid), None)

    def _build(self) -> str:
        run = self._state().run
        number = run.status.build_number if isinstance(run, RunView) else None
        return f"build {number}" if number else "the build"

    async def _gap(self) -> None:
        """Say that something is missing here."""
        position = Position.read(self._writer.row.position)
        if position.part:
            await self._writer.write("\n")
        await self._writer.write(line(LineReader(position, self._run_moment()).moment, GAP))

    def _moment(self, pod: PodView) -> datetime:
        """For lines without a time: when the container started, or about that."""
        found = self._find(pod) or pod
        return found.container_started_at or found.metadata.creation_timestamp or self._run_moment()

    def _run_moment(self) -> datetime:
        """The end of the run, or its last beginning."""
        run = self._state().run
        if not isinstance(run, RunView):
            return self._writer.now()
        return run.status.finished_at or run.attempt_began

    def _note_failure(self, pod: PodView, error: ActorOperatorError, failures: int) -> None:
        # The first failure is daily life; the second of an invalid request is a slow kubelet.
        if failures == 2 and not isinstance(error, InvalidError):
            log.warning("A log is interrupted.", pod=pod.name, error=str(error))


def number_of(pod_name: str) -> int:
    """The number at the end of a pod's name, by which the pods of a run are counted."""
    text = pod_name.rpartition("-")[2]
    return int(text) if text.isascii() and text.isdigit() else 0
