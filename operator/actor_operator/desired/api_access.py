"""What the container of a run gets to use the API server: address, token, and events."""

from actor_operator.api.views.run import RunView
from actor_operator.desired.input_key import input_key_variables
from actor_operator.desired.keyring import Keyring
from actor_operator.desired.resolve import Resolution
from actor_operator.desired.tokens import PermissionLevel, events_path, run_token
from actor_operator.settings_api import ApiSettings


def permission_level(run: RunView, actor_namespace: str, api: ApiSettings) -> PermissionLevel:
    """What the token of a run allows: never everything where the Actor is somebody else's."""
    own = actor_namespace == run.namespace
    return (
        PermissionLevel.FULL
        if own and api.full_permissions_of_own_actors
        else PermissionLevel.LIMITED
    )


def api_variables(
    run: RunView, resolution: Resolution, api: ApiSettings, keyring: Keyring
) -> dict[str, str]:
    """The variables that only an API server gives a meaning; none where there is none.

    They are the same for all pods of an attempt while the key in use is, and others for the next
    attempt: what a token allows ends with its attempt.

    Raises
    ------
    TerminalError
        InputKeyUnavailable.
    """
    if not api.enabled:
        return {}
    uid, attempt = run.uid, run.status.attempt
    level = permission_level(run, resolution.resolved.actor_namespace, api)
    token = run_token(
        keyring, namespace=run.namespace, name=run.name, uid=uid, attempt=attempt, level=level
    )
    events = _socket(api.events_url) + events_path(keyring, uid=uid, attempt=attempt)
    return {
        # Makes the SDKs call an API instead of keeping their storages in files.
        "APIFY_IS_AT_HOME": "1",
        "APIFY_TOKEN": token,
        "APIFY_API_BASE_URL": api.internal_url,
        "APIFY_API_PUBLIC_BASE_URL": api.base_url,
        "ACTOR_EVENTS_WEBSOCKET_URL": events,
        "APIFY_ACTOR_EVENTS_WS_URL": events,
        "ACTOR_PERMISSION_LEVEL": level.value,
        "APIFY_USER_IS_PAYING": "1",
        **input_key_variables(run, keyring),
    }


def _socket(url: str) -> str:
    """``ws://`` for ``http://``, ``wss://`` for ``https://``."""
    return f"ws{url.removeprefix('http')}"
