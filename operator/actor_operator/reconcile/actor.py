"""Actors: the condition ``Ready`` says whether each tag points to a build.

CEL refuses an Actor whose tags point nowhere, so the condition is True for all that were accepted
under today's rules; it is what ``kubectl wait`` and kstatus look at.
"""

from collections.abc import Callable
from datetime import datetime

from actor_operator.api.views.actor import ActorStatus, ActorView
from actor_operator.api.views.metadata import Condition
from actor_operator.clock import Clock
from actor_operator.engine.store import Key, Store
from actor_operator.engine.workers import WorkerPool
from actor_operator.engine.workqueue import WorkQueue
from actor_operator.kube.actors import Actors

WORKERS = 2
"""Actors change seldom."""


def judge(actor: ActorView, now: datetime) -> ActorStatus:
    """The status that an Actor should have."""
    numbers = {build.number for build in actor.spec.builds}
    lost = sorted(tag for tag, number in actor.spec.tagged_builds.items() if number not in numbers)
    status, reason, message = "True", "TagsResolved", "Each tag points to a build."
    if lost:
        status, reason = "False", "BuildNotFound"
        message = f"These tags point to no build: {', '.join(lost)}."
    old = next((c for c in actor.status.conditions if c.type == "Ready"), None)
    flipped = old is None or old.status != status
    ready = Condition(
        type="Ready",
        status=status,
        reason=reason,
        message=message,
        last_transition_time=now.replace(microsecond=0)
        if flipped or old is None
        else old.last_transition_time,
        observed_generation=actor.metadata.generation,
    )
    return ActorStatus(observed_generation=actor.metadata.generation, conditions=(ready,))


class ActorController:
    """Keeps the status of Actors true, in the replica that leads.

    Parameters
    ----------
    actors
        What the informer knows.
    writer
        The API server.
    serves
        Whether this installation works in a namespace.
    clock
        The time.
    """

    def __init__(
        self,
        *,
        actors: Store[ActorView],
        writer: Actors,
        serves: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        self._actors = actors
        self._writer = writer
        self._serves = serves
        self._clock = clock
        self._leading = False
        self._queue: WorkQueue[Key] = WorkQueue()
        self._workers = WorkerPool(queue=self._queue, handle=self.reconcile, size=WORKERS)

    def on_actor(self, old: ActorView | None, new: ActorView | None) -> None:  # noqa: ARG002 -- an informer's signature
        """An Actor came, changed or went."""
        if self._leading and new is not None:
            self._queue.add((new.namespace, new.name))

    def look_at_namespace(self, namespace: str) -> None:
        """Whose a namespace is has changed."""
        for actor in self._actors:
            if self._leading and actor.namespace == namespace:
                self._queue.add((actor.namespace, actor.name))

    def start_leading(self) -> None:
        """Begin to work."""
        self._leading = True
        for actor in self._actors:
            self._queue.add((actor.namespace, actor.name))
        self._workers.start()

    async def stop_leading(self, grace: float) -> bool:
        """Stop working; returns whether all work ended by itself."""
        self._leading = False
        by_itself = await self._workers.stop(grace)
        self._queue.clear()
        return by_itself

    async def reconcile(self, key: Key) -> None:
        """Write one Actor's status, if it says something new.

        Raises
        ------
        ApiError
            Try again soon.
        """
        actor = self._actors.get(*key)
        if actor is None or not self._serves(actor.namespace):
            return
        if actor.status.observed_generation == actor.metadata.generation:
            return
        status = judge(actor, self._clock.now())
        self._actors.apply(await self._writer.write_status(actor, status))
