"""Requests in the spec of a run: abort, resurrect, reboot."""

from typing import Any

import msgspec

from actor_operator.cli.objects import Run, decode_run
from actor_operator.cli.problems import CommandError
from actor_operator.cli.session import Session
from actor_operator.kube.client import PatchKind
from actor_operator.kube.errors import InvalidError, NotFoundError
from actor_operator.kube.runs import ACTOR_RUNS


async def ask(session: Session, run: Run, field: str, request: dict[str, Any]) -> Run:
    """Write a request into the spec of a run; returns the run as stored.

    Parameters
    ----------
    session, run
        Which run.
    field
        Field of the spec.
    request
        The whole request: what is left out of a merge patch would stay as it is, so what is not
        wished must be there as ``None``.

    Raises
    ------
    CommandError
        When the run was deleted meanwhile, also when there is a new one of its name.
    """
    gone = CommandError(f"The run {run.name} was deleted meanwhile.")
    body = msgspec.json.encode({"metadata": {"uid": run.uid}, "spec": {field: request}})
    try:
        data = await session.client.patch(
            ACTOR_RUNS, run.namespace, run.name, body, PatchKind.MERGE
        )
    except NotFoundError:
        raise gone from None
    except InvalidError as error:
        # So the API server refuses to patch another object of that name.
        if any(cause.field == "metadata.uid" for cause in error.causes):
            raise gone from None
        raise
    return decode_run(data)
