"""The sockets on which actors hear of what happens to their run."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from actor_operator.api.views.run import RunView
from actor_operator.clock import Clock
from actor_operator.desired.keyring import Keyring
from actor_operator.desired.tokens import EVENTS_PATH, read_events_path
from actor_operator.engine.store import is_newer
from actor_operator.errors import ActorOperatorError
from actor_operator.log import logger
from actor_operator.services.events import EventScript, has_ended, system_info
from actor_operator.services.run_watch import RunState, RunWatch, Subscription
from actor_operator.services.system_info import SystemInfo

log = logger(__name__)

ROUTE = EVENTS_PATH + "{path:path}"
"""The route, for Starlette. It takes any path: what is none of ours is accepted and closed."""

MOST_SOCKETS = 10_000
"""Sockets of all runs at the same time, unless it is said otherwise."""

MAX_SOCKETS = 8
"""Sockets of one run at the same time."""

NORMAL = 1000
"""Close code at the end of a run."""

REFUSED = 1008
"""Close code after which SDKs do not come back: no such run, over, or too many sockets."""

FULL = 1013
"""Close code after which SDKs come back later: this process serves enough sockets."""

SECONDS = 1.0
"""Time between two ``systemInfo`` frames."""


class LiveReader(Protocol):
    """Reads a run as it is now."""

    async def read(self, uid: str) -> RunView | None:
        """The run; None: there is none.

        Raises
        ------
        ActorOperatorError
            When Kubernetes does not answer.
        """
        ...


class EventSockets:
    """Serves the sockets; its :meth:`serve` is the endpoint of :data:`ROUTE`.

    Every connection is accepted, because an actor whose SDK cannot connect fails. The path itself
    proves that we made it: a valid one is only closed when a live look at the run says so.

    Parameters
    ----------
    keyring
        The keys that paths are made with.
    watch
        Tells of runs and their pods.
    live
        Asked when the watch does not know the run, or says that it has ended.
    info
        What runs use.
    clock
        What time it is.
    most
        Sockets at the same time, at most.
    """

    def __init__(
        self,
        keyring: Keyring,
        watch: RunWatch,
        live: LiveReader,
        info: SystemInfo,
        clock: Clock,
        most: int = MOST_SOCKETS,
    ) -> None:
        self._most = most
        self._keyring = keyring
        self._watch = watch
        self._live = live
        self._info = info
        self._clock = clock
        self._open: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """Sockets that are open."""
        return self._open.total()

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one socket to its end."""
        identity = read_events_path(self._keyring, websocket.path_params["path"])
        await websocket.accept()
        if identity is None or self._open[identity[0]] >= MAX_SOCKETS:
            await websocket.close(REFUSED)
            return
        if self.count >= self._most:
            await websocket.close(FULL)
            return
        with self._counted(identity[0]):
            await self._until_either_ends(websocket, *identity)

    @contextmanager
    def _counted(self, uid: str) -> Iterator[None]:
        self._open[uid] += 1
        try:
            yield
        finally:
            self._open[uid] -= 1
            if not self._open[uid]:
                del self._open[uid]

    async def _until_either_ends(self, websocket: WebSocket, uid: str, attempt: int) -> None:
        """Send until the run ends, and stop when the client goes."""
        sending = asyncio.create_task(self._send(websocket, uid, attempt))
        reading = asyncio.create_task(_read_to_end(websocket))
        try:
            await asyncio.wait({sending, reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            if not sending.done():
                sending.cancel()
            outcomes = await asyncio.gather(sending, reading, return_exceptions=True)
        for outcome in outcomes:
            # A client that goes while it is written to is no error.
            if isinstance(outcome, Exception) and not isinstance(outcome, WebSocketDisconnect):
                raise outcome

    async def _send(self, websocket: WebSocket, uid: str, attempt: int) -> None:
        with self._watch.subscribe(uid) as changes, self._info.measured(uid):
            view = _View(self._watch, uid)
            known = view.state().run
            doubtful = known is None or has_ended(known, attempt)
            if doubtful and await self._is_over(view, uid, attempt):
                await websocket.close(REFUSED)
                return
            await self._tell(websocket, EventScript(attempt), view, changes)
            await websocket.close(NORMAL)

    async def _is_over(self, view: "_View", uid: str, attempt: int) -> bool:
        """Whether a live look says so; while Kubernetes does not answer, it is not over."""
        try:
            run = await self._live.read(uid)
        except ActorOperatorError as error:
            log.warning("A run with a new socket cannot be looked at.", uid=uid, error=str(error))
            return False
        if run is not None:
            view.learn(run)
        return run is None or has_ended(run, attempt)

    async def _tell(
        self, websocket: WebSocket, script: EventScript, view: "_View", changes: Subscription
    ) -> None:
        """Send frames until the attempt is over."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not view.is_gone:
            state, now = view.state(), self._clock.now()
            step = script.see(state, now)
            if step.ended:
                return
            for text in step.frames:
                await websocket.send_text(text)
            if loop.time() >= due:
                usage = self._info.usage(state)
                if usage is not None:
                    await websocket.send_text(system_info(usage, now))
                due = max(due + SECONDS, loop.time())
            await changes.wait(max(0.0, due - loop.time()))


class _View:
    """The newest that is known of a run: of the watch, or of a live look that was newer."""

    def __init__(self, watch: RunWatch, uid: str) -> None:
        self._watch = watch
        self._uid = uid
        self._learned: RunView | None = None
        self._seen = False

    def learn(self, run: RunView) -> None:
        """Take in what a live look has told."""
        self._learned = run

    def state(self) -> RunState:
        """The run and its pods."""
        state = self._watch.state(self._uid)
        known, learned = state.run, self._learned
        self._seen = self._seen or known is not None
        if learned is None:
            return state
        if known is not None and not is_newer(learned.resource_version, known.resource_version):
            return state
        return RunState(learned, state.pods)

    @property
    def is_gone(self) -> bool:
        """Whether the watch knew the run, and it is deleted."""
        return self._watch.state(self._uid).run is None and self._seen


async def _read_to_end(websocket: WebSocket) -> None:
    """Ignore what the client sends, and return when it goes."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
