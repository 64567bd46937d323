"""ActorRuns: read whole or as stubs, written only through ``/status``."""

import msgspec
from typing_extensions import Buffer

from actor_operator.api.views.run import FinishedRun, RunStatus, RunView, stub
from actor_operator.constants import API_VERSION, GROUP, VERSION
from actor_operator.kube.client import KubeClient
from actor_operator.kube.resources import Resource

ACTOR_RUNS = Resource(GROUP, VERSION, "actorruns", "ActorRun")
"""The kind."""

_DECODER = msgspec.json.Decoder(RunView)


class _StatusMetadata(msgspec.Struct, rename="camel"):
    name: str
    namespace: str
    uid: str
    resource_version: str


class _StatusBody(msgspec.Struct, rename="camel"):
    api_version: str
    kind: str
    metadata: _StatusMetadata
    status: RunStatus


def decode_run(data: Buffer) -> RunView | FinishedRun:
    """Read a run from JSON; one that needs nothing more becomes a stub.

    Raises
    ------
    msgspec.MsgspecError
        When it is no ActorRun.
    """
    run = stub(_DECODER.decode(data))
    if isinstance(run, RunView) and bytes(run.spec.input):
        # Without a copy the input would keep the whole message in memory.
        spec = msgspec.structs.replace(run.spec, input=run.spec.input.copy())
        return msgspec.structs.replace(run, spec=spec)
    return run


class Runs:
    """Reads single runs and writes their status.

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

        Only the status is sent: with the resourceVersion it is a whole write and a lock at once.

        Raises
        ------
        ConflictError
            When the run has changed since it was read.
        NotFoundError
            When it is gone.
        """
        meta = run.metadata
        identity = _StatusMetadata(meta.name, meta.namespace, meta.uid, meta.resource_version)
        body = msgspec.json.encode(_StatusBody(API_VERSION, "ActorRun", identity, status))
        data = await self._client.put(
            ACTOR_RUNS, meta.namespace, meta.name, body, subresource="status"
        )
        return _DECODER.decode(data)
