"""Everything that is decided and told of a run at one moment, as plain data for a golden file."""

from typing import Any

import msgspec
from tests.support.builders import KEYRING, SETTINGS, at

from actor_operator.api.views.run import RunStatus
from actor_operator.lifecycle.actions import CreatePod
from actor_operator.lifecycle.decide import decide
from actor_operator.lifecycle.events import events_of
from actor_operator.lifecycle.observed import Observed
from actor_operator.lifecycle.status import summarise
from actor_operator.settings import Settings


def whole(observed: Observed, now: float, settings: Settings = SETTINGS) -> dict[str, Any]:
    """What comes of looking at a run so many seconds after its creation."""
    decision = decide(observed, at(now), settings, KEYRING)
    statuses = summarise(observed, decision, at(now), settings)
    return {
        "actions": [
            f"create {action.objects.pod_name} with {action.objects.secret_name}"
            if isinstance(action, CreatePod)
            else repr(action)
            for action in decision.actions
        ],
        "routing": [repr(action) for action in decision.routing],
        "wakeAt": plain(decision.wake_at),
        "statuses": plain(statuses),
        "events": events(observed.status, statuses),
    }


def events(old: RunStatus, statuses: tuple[RunStatus, ...]) -> list[dict[str, Any]]:
    """What is told of the steps, each after the one before."""
    found: list[dict[str, Any]] = []
    for new in statuses:
        found += plain(list(events_of(old, new)))
        old = new
    return found


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    return msgspec.json.decode(msgspec.json.encode(value))
