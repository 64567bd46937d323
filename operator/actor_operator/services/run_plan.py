"""A run before it exists: what it will be, as its row, its object and its first status. Pure."""

from dataclasses import dataclass
from typing import Any

import msgspec

from actor_operator.api.v1alpha1.actor_run import Origin
from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.metadata import Metadata
from actor_operator.api.views.run import RunLimits, RunSpec, RunStatus, RunView
from actor_operator.constants import API_RUN, API_VERSION, LABEL_API
from actor_operator.desired.resolve import Resolution, resolve
from actor_operator.errors import TerminalError
from actor_operator.services.actor_directory import FoundActor
from actor_operator.services.errors import ApiError, invalid, not_found
from actor_operator.services.identity import Caller
from actor_operator.services.run_options import RunOptions
from actor_operator.settings import Settings
from actor_operator.storage.runs import PARENT, PENDING, RunRow

MOST_META_CHARACTERS = 500
"""Longest text about the client that is kept."""


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What a client asks for.

    Parameters
    ----------
    actor
        What to run.
    options
        How.
    body
        The input as sent, decoded.
    content_type
        Of the input; may be empty.
    client_ip, user_agent
        From where, and with what.
    """

    actor: FoundActor
    options: RunOptions
    body: bytes
    content_type: str = ""
    client_ip: str = ""
    user_agent: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before it exists."""

    run_id: str
    namespace: str
    request: StartRequest
    resolution: Resolution
    origin: Origin
    parent: str | None
    """Id of the run that starts it."""

    def row(self, account: int, now: int, input_size: int) -> RunRow:
        """Its row, before the start is settled."""
        resolved = self.resolution.resolved
        status = RunStatus(options=resolved.options(), build_number=resolved.build_number)
        actor = self.request.actor
        return RunRow(
            account=account,
            id=self.run_id,
            name=self.run_id,
            state=PENDING,
            actor_id=actor.id,
            actor=actor.key,
            origin=self.origin,
            started_at=now,
            build_number=resolved.build_number,
            build_id=actor.build_id(resolved.build_number),
            mirror=msgspec.json.encode(status),
            meta=msgspec.json.encode(self._meta()),
            input_body_len=input_size,
        )

    @property
    def input_schema(self) -> str | None:
        """The schema of its input, as JSON text; None: it takes anything."""
        build = self.request.actor.build(self.resolution.resolved.build_number)
        return build.input_schema if build is not None else None

    def manifest(self, annotations: dict[str, str]) -> dict[str, Any]:
        """Its object. The input is in its key-value store, and not here."""
        options = self.request.options
        spec = {
            "actor": self.request.actor.reference_in(self.namespace),
            "build": options.build,
            "memoryMbytes": options.memory_mbytes,
            "timeoutSecs": options.timeout_secs,
            "restartOnError": options.restart_on_error,
            "limits": options.limits,
            "origin": self.origin,
            "whenMemoryExceeded": "Reject",
        }
        return {
            "apiVersion": API_VERSION,
            "kind": "ActorRun",
            "metadata": {
                "name": self.run_id,
                "namespace": self.namespace,
                "labels": {LABEL_API: API_RUN},
                "annotations": annotations,
            },
            "spec": {key: value for key, value in spec.items() if value is not None},
        }

    def _meta(self) -> dict[str, str]:
        texts = {
            "clientIp": self.request.client_ip[:MOST_META_CHARACTERS],
            "userAgent": self.request.user_agent[:MOST_META_CHARACTERS],
            PARENT: self.parent,
        }
        return {"origin": str(self.origin), **{key: text for key, text in texts.items() if text}}


def plan(
    run_id: str, caller: Caller, request: StartRequest, parent: str | None, settings: Settings
) -> Plan:
    """Find out what a run will be.

    Parameters
    ----------
    run_id
        Id that it gets.
    caller
        Who starts it, in whose namespace it will be.
    request
        What is asked for.
    parent
        Id of the run that asks, if one does.
    settings
        What holds where nobody says anything.

    Raises
    ------
    ApiError
        400 for options or a build that cannot be, 404 for an Actor that may not be run, 403 for
        what a limited run may not start.
    """
    request.options.check()
    resolution = _resolve(run_id, caller, request, settings)
    if caller.is_limited and _would_be_full(resolution, caller, settings):
        raise ApiError(
            "insufficient-permissions",
            "A run with limited permissions cannot start one with full permissions, which this"
            " Actor's runs have.",
            status=403,
        )
    origin = Origin.ACTOR if caller.run is not None else Origin.API
    return Plan(run_id, caller.namespace, request, resolution, origin, parent)


def _resolve(run_id: str, caller: Caller, request: StartRequest, settings: Settings) -> Resolution:
    options = request.options
    spec = RunSpec(
        actor=request.actor.reference_in(caller.namespace),
        build=options.build,
        memory_mbytes=options.memory_mbytes,
        timeout_secs=options.timeout_secs,
        restart_on_error=options.restart_on_error,
        limits=RunLimits(options.max_items, options.max_total_charge_usd),
    )
    run = RunView(metadata=Metadata(name=run_id, namespace=caller.namespace), spec=spec)
    try:
        return resolve(run, request.actor.actor, settings)
    except TerminalError as error:
        if error.reason == Reason.ACTOR_NOT_FOUND:
            raise not_found("Actor") from None
        unknown = error.reason == Reason.BUILD_NOT_FOUND
        raise invalid(str(error), "unknown-build-tag" if unknown else "invalid-request") from None


def _would_be_full(resolution: Resolution, caller: Caller, settings: Settings) -> bool:
    """Whether the token of the run would allow all that is the account's."""
    own = resolution.actor.namespace == caller.namespace
    return own and settings.api.full_permissions_of_own_actors
