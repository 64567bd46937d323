"""What the API server writes of ActorRuns: new ones, and requests in their spec."""

from typing import Any

import msgspec
from typing_extensions import Buffer

from actor_operator.api.views.run import Attempt, RunView
from actor_operator.constants import ANNOTATION_ARCHIVED
from actor_operator.kube.client import KubeClient, PatchKind
from actor_operator.kube.errors import ConflictError, InvalidError, NotFoundError
from actor_operator.kube.runs import ACTOR_RUNS

_DECODER = msgspec.json.Decoder(RunView)

NO_INPUT = msgspec.Raw()
NO_ATTEMPTS: tuple[Attempt, ...] = ()


def decode_slim_run(data: Buffer) -> RunView:
    """Read a run for the API server, which knows all of them.

    Raises
    ------
    msgspec.MsgspecError
        When it is no ActorRun.
    """
    return slim(_DECODER.decode(data))


def slim(run: RunView) -> RunView:
    """A run without what the API server never tells: its input, and lines about the past."""
    status = msgspec.structs.replace(run.status, attempts=NO_ATTEMPTS)
    if status.finished:
        # Their messages are most of a finished run.
        conditions = (msgspec.structs.replace(c, message="") for c in status.conditions)
        status = msgspec.structs.replace(status, conditions=tuple(conditions))
    spec = msgspec.structs.replace(run.spec, input=NO_INPUT)
    return msgspec.structs.replace(run, spec=spec, status=status)


class RunRequests:
    """Makes runs and asks something of them.

    Parameters
    ----------
    client
        Over which.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def create(self, namespace: str, manifest: dict[str, Any]) -> RunView:
        """Create a run; returns it as stored.

        Raises
        ------
        AlreadyExistsError
            When the name is taken, perhaps by this very run of a lost answer.
        """
        body = msgspec.json.encode(manifest)
        return decode_slim_run(await self._client.create(ACTOR_RUNS, namespace, body))

    async def ask(self, run: RunView, field: str, request: dict[str, Any]) -> RunView:
        """Write a request into the spec of that very run; returns it as stored.

        Parameters
        ----------
        run
            Which run.
        field
            ``abort``, ``resurrect`` or ``reboot``.
        request
            The whole request: what is left out of a merge patch stays as it is, so what is not
            wished must be there as None.

        Raises
        ------
        NotFoundError
            When the run is gone.
        ConflictError
            When another run has its name now, or its state no longer allows the request.
        """
        body = msgspec.json.encode({"metadata": {"uid": run.uid}, "spec": {field: request}})
        try:
            data = await self._client.patch(
                ACTOR_RUNS, run.namespace, run.name, body, PatchKind.MERGE
            )
        except InvalidError as error:
            # Both are known only now: the uid, and the attempt that the rules of the kind check.
            if any(c.field.startswith(("metadata.uid", "spec")) for c in error.causes):
                raise ConflictError(error.message, status=409) from error
            raise
        return decode_slim_run(data)

    async def mark_archived(self, run: RunView, attempt: int) -> bool:
        """Say on that very run that the log of an attempt is archived; False: the run is gone."""
        metadata = {"uid": run.uid, "annotations": {ANNOTATION_ARCHIVED: str(attempt)}}
        body = msgspec.json.encode({"metadata": metadata})
        try:
            await self._client.patch(ACTOR_RUNS, run.namespace, run.name, body, PatchKind.MERGE)
        except NotFoundError:
            return False
        except InvalidError as error:
            # So the API server answers when the uid is another one.
            if "metadata.uid" not in error.message:
                raise
            return False
        return True
