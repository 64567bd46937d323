"""ActorRuns: read whole or as stubs, written only through ``/status``, removed when it is time."""

import msgspec
from typing_extensions import Buffer

from actor_operator.api.views.run import FinishedRun, RunStatus, RunView, stub
from actor_operator.constants import GROUP, MAX_INPUT_BYTES, VERSION
from actor_operator.kube.client import KubeClient
from actor_operator.kube.resources import Resource
from actor_operator.kube.status import status_body
from actor_operator.text import compact_json

ACTOR_RUNS = Resource(GROUP, VERSION, "actorruns", "ActorRun")
"""The kind."""

_DECODER = msgspec.json.Decoder(RunView)


def decode_run(data: Buffer) -> RunView | FinishedRun:
    """Read a run from JSON; one that needs nothing more becomes a stub.

    Raises
    ------
    msgspec.MsgspecError
        When it is no ActorRun.
    """
    run = stub(_DECODER.decode(data))
    return _with_own_input(run) if isinstance(run, RunView) else run


def _with_own_input(run: RunView) -> RunView:
    """The run with a copy of its input, which else keeps the whole message in memory.

    Of an input that is too large only the size is kept: whoever may create runs could else fill
    our memory with them.
    """
    raw = bytes(run.spec.input)
    if not raw:
        return run
    size = len(compact_json(raw)) if len(raw) > MAX_INPUT_BYTES else 0
    if size > MAX_INPUT_BYTES:
        spec = msgspec.structs.replace(run.spec, input=msgspec.Raw(), oversized_input_bytes=size)
    else:
        spec = msgspec.structs.replace(run.spec, input=run.spec.input.copy())
    return msgspec.structs.replace(run, spec=spec)


class Runs:
    """Reads single runs, writes their status, and removes them.

    Parameters
    ----------
    client
        Over which; its guard keeps others than the leader from writing.
    """

    def __init__(self, client: KubeClient) -> None:
        self._client = client

    async def read(self, namespace: str, name: str) -> RunView | None:
        """The run as it is now, whole also when it is finished; None: there is none."""
        data = await self._client.get(ACTOR_RUNS, namespace, name)
        return _DECODER.decode(data) if data is not None else None

    async def write_status(self, run: RunView, status: RunStatus) -> RunView:
        """Replace the status; returns the run as stored.

        Raises
        ------
        ConflictError
            When the run has changed since it was read.
        NotFoundError
            When it is gone.
        """
        body = status_body(ACTOR_RUNS, run, status)
        data = await self._client.put(
            ACTOR_RUNS, run.namespace, run.name, body, subresource="status"
        )
        return _with_own_input(_DECODER.decode(data))

    async def delete(self, run: RunView) -> None:
        """Delete that very run in that very state; its children follow by garbage collection.

        Nothing happens when it is gone.

        Raises
        ------
        ConflictError
            When it has changed since it was read, or is another one of that name.
        """
        await self._client.delete(
            ACTOR_RUNS,
            run.namespace,
            run.name,
            uid=run.uid,
            resource_version=run.resource_version,
        )
