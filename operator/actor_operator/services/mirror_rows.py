"""What a row says of an object. Pure."""

import msgspec

from actor_operator.api.views.full_actor import FullActor
from actor_operator.api.views.run import Options, RunView
from actor_operator.desired.names import ids
from actor_operator.desired.resolve import resolve
from actor_operator.errors import TerminalError
from actor_operator.services.run_shown import shown
from actor_operator.services.times import millis_of
from actor_operator.settings import Settings
from actor_operator.storage.run_ends import MICRO
from actor_operator.storage.runs import VISIBLE, Mirrored, RunRow


def mirrored(run: RunView, build_id: str | None, options: Options | None) -> Mirrored:
    """What a row mirrors of a run.

    Parameters
    ----------
    run
        The run.
    build_id
        Id of its build; None: not known yet.
    options
        What it will have, where the operator has not said so yet.
    """
    seen = shown(run)
    status = msgspec.structs.replace(run.status, options=run.status.options or options)
    return Mirrored(
        uid=run.uid,
        attempt=seen.attempt,
        phase_rank=seen.rank,
        status=str(seen.phase),
        finished_at=millis_of(seen.finished_at) if seen.finished_at is not None else None,
        build_number=status.build_number,
        build_id=build_id,
        mirror=msgspec.json.encode(status),
        micro_units=round(status.stats.compute_units * MICRO),
    )


def new_row(run: RunView, account: int, actor: str, actor_id: str, news: Mirrored) -> RunRow:
    """The row of a run that has none.

    Parameters
    ----------
    run
        The run.
    account
        Whose it is.
    actor, actor_id
        Namespace and name of its Actor, and the Actor's id.
    news
        What it mirrors.
    """
    created = run.metadata.creation_timestamp
    return RunRow(
        account=account,
        id=ids(run).run,
        name=run.name,
        state=VISIBLE,
        actor_id=actor_id,
        actor=actor,
        origin=run.spec.origin,
        started_at=millis_of(created) if created is not None else 0,
        meta=msgspec.json.encode({"origin": run.spec.origin}),
        **msgspec.structs.asdict(news),
    )


def expected_options(run: RunView, actor: FullActor | None, settings: Settings) -> Options | None:
    """The options that a run will have, until the operator says so; None: it cannot run."""
    if run.status.options is not None:
        return run.status.options
    try:
        return resolve(run, actor, settings).resolved.options()
    except TerminalError:
        return None
