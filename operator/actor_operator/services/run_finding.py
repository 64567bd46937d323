"""Which run the paths of nested routes mean: for storages and logs below a run."""

from actor_operator.api.v1alpha1.phase import Phase
from actor_operator.services.actor_directory import ActorDirectory
from actor_operator.services.errors import invalid, not_found
from actor_operator.services.identity import Caller, Permission
from actor_operator.services.run_answers import FoundRun
from actor_operator.services.runs import RunService
from actor_operator.storage.runs import RunFilter

STATUSES = frozenset(str(phase) for phase in Phase)
"""What a run's status may be."""


class RunFinding:
    """Finds runs by what stands in a path.

    Parameters
    ----------
    service
        Knows the runs.
    actors
        The Actors.
    """

    def __init__(self, service: RunService, actors: ActorDirectory) -> None:
        self._service = service
        self._actors = actors

    async def last_run_id(
        self, caller: Caller, actor: str, status: str = "", origin: str = ""
    ) -> str:
        """The id of the last run of an Actor, with one of some statuses and an origin.

        Raises
        ------
        ApiError
            404 when there is none.
        """
        return (await self.last(caller, actor, status, origin)).row.id

    async def last_to_read(
        self, caller: Caller, actor: str, status: str = "", origin: str = ""
    ) -> FoundRun:
        """The same as ``last``, for a caller of whom it is not known yet whether he may read runs.

        Raises
        ------
        ApiError
            As ``last``; 404 as well for who may not read.
        """
        if Permission.READ not in caller.permissions:
            raise not_found("Run")
        return await self.last(caller, actor, status, origin)

    async def last(
        self, caller: Caller, actor: str, status: str = "", origin: str = ""
    ) -> FoundRun:
        """The last run of an Actor, with one of some statuses (by commas) and an origin.

        Raises
        ------
        ApiError
            404 when there is none, 400 for a status that does not exist.
        """
        found = await self._actors.find(caller, actor)
        wanted = RunFilter(
            statuses=statuses_of(status), actor_id=found.id, origin=origin.upper() or None
        )
        return await self._service.last(caller, wanted)


def statuses_of(text: str) -> tuple[str, ...]:
    """The statuses of a list with commas.

    Raises
    ------
    ApiError
        400 for one that does not exist.
    """
    found = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    for status in found:
        if status not in STATUSES:
            raise invalid(
                f'"{status[:40]}" is no status of a run. There are: {", ".join(sorted(STATUSES))}.',
                "invalid-value",
            )
    return found
