"""Starting a run.

1. Options and input are checked. 2. One transaction: the row (pending: no list has it), storages,
INPUT. 3. The ActorRun is created; with ``Reject`` it never waits for memory. 4. The operator's
verdict is awaited, in what it writes anyway. 5. Admitted: the row becomes visible. Refused: nothing
is left. No verdict in time: the run is taken back, unless it was admitted at that very moment; a
client is never told "not now" of a run that may still start.
"""

import asyncio
from collections.abc import AsyncIterator

from actor_operator.api.views.run import RunView
from actor_operator.constants import ANNOTATION_INPUT_KEY, WRITE_LANDING_SECONDS
from actor_operator.desired.input_key import annotation, passphrase
from actor_operator.desired.names import ids
from actor_operator.kube.errors import AlreadyExistsError, ConflictError
from actor_operator.kube.errors import ApiError as KubeError
from actor_operator.log import logger
from actor_operator.services.errors import unavailable
from actor_operator.services.identity import Caller
from actor_operator.services.input import RunInput, read_long_input
from actor_operator.services.input_secrets import seal, secret_fields
from actor_operator.services.kubernetes_errors import of_kubernetes
from actor_operator.services.run_parts import RunParts
from actor_operator.services.run_plan import Plan, StartRequest, plan
from actor_operator.services.run_verdict import is_admitted, is_settled, refusal
from actor_operator.services.run_watch import RunState
from actor_operator.storage.catalog import new_id
from actor_operator.storage.run_starts import InputRecord, begin_run, forget_run
from actor_operator.storage.runs import RunRow, RunRows
from actor_operator.storage.uploads import Uploaded, upload

log = logger(__name__)

INLINE_BYTES = 32_768
"""Largest input that is kept in the database."""

LOOK_SECONDS = 0.5
"""Pause between two looks for a run whose creation was not answered."""

RETRY_SECONDS = 2.0
"""How long a verdict is awaited again when the run could not be taken back."""

DELETE_TRIES = 5
"""How often a refused run is deleted that changes in between."""


class RunStart:
    """Starts runs.

    Parameters
    ----------
    parts
        What it works with.
    """

    def __init__(self, parts: RunParts) -> None:
        self._parts = parts

    async def start(self, caller: Caller, request: StartRequest) -> RunRow:
        """Start a run; returns its row once the operator has let it in.

        Raises
        ------
        ApiError
            400 for what cannot be run, 402 when the account has no room, 403 when it is suspended,
            503 when nobody decides.
        RetryableError
            When Kubernetes, the database or the object store does not answer; nothing was started.
        """
        parts = self._parts
        wanted = plan(new_id(), caller, request, self._parent(caller), parts.settings)
        found = await self._read_input(wanted)
        found, annotations = await self._seal(wanted, found)
        row = wanted.row(caller.account, parts.millis, len(found.body))
        record = InputRecord(await self._keep_body(row, found.body), found.content_type)
        await parts.database.write(lambda connection: begin_run(connection, row, record))
        run = await self._create(wanted, row, annotations)
        parts.directory.take(run)
        await self.settle(row, run, parts.settings.api.limits.start_seconds)
        return row

    async def settle(self, row: RunRow, run: RunView, seconds: float) -> None:
        """Wait for the verdict on a run whose row is pending, and do what follows.

        Raises
        ------
        ApiError
            402, 403 or 400 when it was refused, 503 when there was no verdict and the run was
            taken back.
        """
        while True:
            state = await self._parts.hub.wait(
                run.namespace, run.name, is_settled, seconds, uid=run.uid
            )
            if is_admitted(state):
                await self._show(row, run)
                return
            why = refusal(state.run) if isinstance(state.run, RunView) else None
            if why is not None:
                await self._take_back(row, run)
                raise why
            if await self._take_back_undecided(row, run):
                raise unavailable("The operator does not decide on the run. Try again.")
            seconds = RETRY_SECONDS

    # Before the run is there

    def _parent(self, caller: Caller) -> str | None:
        run = self._parts.directory.by_uid(caller.run.uid) if caller.run is not None else None
        return ids(run).run if run is not None else None

    async def _read_input(self, wanted: Plan) -> RunInput:
        request = wanted.request
        return await read_long_input(request.body, request.content_type, wanted.input_schema)

    async def _seal(self, wanted: Plan, found: RunInput) -> tuple[RunInput, dict[str, str]]:
        """The input with its secret fields encrypted, and what the run must say of their key."""
        names = secret_fields(wanted.input_schema)
        if not names:
            return found, {}
        keyring = self._parts.keyring
        phrase = passphrase(keyring, keyring.active_id, wanted.namespace, wanted.run_id)
        sealed = await asyncio.to_thread(seal, found.body, names, phrase)
        if sealed is None:
            return found, {}
        key = annotation(keyring.active_id, sealed.locked_key)
        return RunInput(sealed.body, found.content_type), {ANNOTATION_INPUT_KEY: key}

    async def _keep_body(self, row: RunRow, body: bytes) -> bytes | Uploaded:
        if len(body) <= INLINE_BYTES:
            return body
        return await upload(
            self._parts.database, self._parts.objects, row.account, _once(body), row.started_at
        )

    async def _create(self, wanted: Plan, row: RunRow, annotations: dict[str, str]) -> RunView:
        manifest = wanted.manifest(annotations)
        try:
            return await self._parts.requests.create(wanted.namespace, manifest)
        except KubeError as error:
            # The id is random: a name that is taken can only be this run's, of a lost answer.
            lost = error.may_have_applied or isinstance(error, AlreadyExistsError)
            run = await self._look(wanted) if lost else None
            if run is not None:
                return run
            await self._forget(row)
            raise of_kubernetes(error) from error

    async def _look(self, wanted: Plan) -> RunView | None:
        """The run whose creation was not answered, as soon as it is there, if it ever is."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + WRITE_LANDING_SECONDS
        while True:
            run = await self._parts.directory.read(wanted.namespace, wanted.run_id)
            if run is not None or loop.time() > deadline:
                return run
            await asyncio.sleep(LOOK_SECONDS)

    # Afterwards

    async def _show(self, row: RunRow, run: RunView) -> None:
        await self._parts.database.write(
            lambda connection: RunRows(connection, row.account).show(row.id, run.uid)
        )

    async def _take_back(self, row: RunRow, run: RunView) -> None:
        """Delete a refused run; should that fail, the sweeper does it, and no list has the run."""
        latest: RunView | None = run
        for _ in range(DELETE_TRIES):
            latest = await self._parts.directory.read(run.namespace, run.name)
            if latest is None or latest.uid != run.uid:
                break
            try:
                await self._parts.runs.delete(latest)
            except ConflictError:
                continue
            break
        else:
            log.warning("A refused run changes all the time.", run=row.id)
            return
        await self._forget(row)

    async def _take_back_undecided(self, row: RunRow, run: RunView) -> bool:
        """Delete a run that nobody has decided on; False: it has changed, perhaps by a verdict."""
        latest = await self._parts.directory.read(run.namespace, run.name)
        if latest is not None and latest.uid == run.uid:
            state = self._parts.hub.state(run.uid)
            if is_settled(RunState(latest, state.pods)):
                return False
            try:
                await self._parts.runs.delete(latest)
            except ConflictError:
                return False
        await self._forget(row)
        return True

    async def _forget(self, row: RunRow) -> None:
        now = self._parts.millis
        await self._parts.database.write(
            lambda connection: forget_run(connection, row.account, row.id, now)
        )


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
