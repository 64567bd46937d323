"""What runs get to use the API server."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.builders import (
    KEYRING,
    RUN_UID,
    SETTINGS,
    a_run,
    a_status,
    an_actor,
)
from tests.support.golden import Golden

from actor_operator.api.views.run import RunView, Stats
from actor_operator.constants import ANNOTATION_INPUT_KEY, API_RUN, LABEL_API
from actor_operator.desired.api_access import api_variables
from actor_operator.desired.input_key import annotation
from actor_operator.desired.keyring import Keyring
from actor_operator.desired.pod import RunObjects, build_objects
from actor_operator.desired.resolve import resolve
from actor_operator.desired.tokens import PermissionLevel, read_events_path, read_run_token
from actor_operator.settings import Settings
from actor_operator.settings_api import ApiSettings

EVENTS = "http://events.ops.svc:8001"


def settings(**api: Any) -> ApiSettings:
    given = {"internal_url": "http://api.ops.svc:8000", "events_url": EVENTS, "enabled": True}
    return ApiSettings.model_validate(given | api)


def variables(run: RunView | None = None, keyring: Keyring = KEYRING, **api: Any) -> dict[str, str]:
    run = run or a_run()
    owner, _, _ = run.spec.actor.rpartition("/")
    actor = an_actor(namespace=owner or "team", is_public=True)
    return api_variables(run, resolve(run, actor, SETTINGS), settings(**api), keyring)


def objects(run: RunView) -> RunObjects:
    resolution = resolve(run, an_actor(), SETTINGS)
    return build_objects(run, resolution, keyring=KEYRING, settings=Settings(api=settings()))


def test_without_an_api_server_there_is_none_of_it() -> None:
    assert variables(enabled=False) == {}


def test_with_an_api_server_all_of_it_is_set(golden: Golden) -> None:
    golden.check("api-access", variables(public_url="https://api.example.com"))


def test_the_token_names_the_run_and_its_attempt() -> None:
    found = read_run_token(KEYRING, variables(a_run(status=a_status(attempt=2)))["APIFY_TOKEN"])

    assert found is not None
    assert (found.namespace, found.name, found.uid) == ("team", "hello", RUN_UID)
    assert (found.attempt, found.level) == (2, PermissionLevel.FULL)


def test_the_socket_is_that_of_the_attempt_in_both_spellings() -> None:
    found = variables(a_run(status=a_status(attempt=3)))
    url = found["ACTOR_EVENTS_WEBSOCKET_URL"]

    assert url.startswith("ws://events.ops.svc:8001/events/")
    assert read_events_path(KEYRING, url.removeprefix("ws://events.ops.svc:8001")) == (RUN_UID, 3)
    assert found["APIFY_ACTOR_EVENTS_WS_URL"] == url


def test_a_socket_of_https_is_wss() -> None:
    url = variables(events_url="https://events.example")["ACTOR_EVENTS_WEBSOCKET_URL"]

    assert url.startswith("wss://events.example/events/")


@pytest.mark.parametrize(
    ("actor", "own_are_full", "level"),
    [
        ("greeter", True, PermissionLevel.FULL),
        ("greeter", False, PermissionLevel.LIMITED),
        ("owner/greeter", True, PermissionLevel.LIMITED),
        ("team/greeter", True, PermissionLevel.FULL),
    ],
    ids=["own", "own, by setting", "of others", "own, with its owner named"],
)
def test_what_a_token_allows_depends_on_whose_actor_it_is(
    actor: str, own_are_full: Any, level: PermissionLevel
) -> None:
    found = variables(a_run(actor=actor), full_permissions_of_own_actors=own_are_full)
    token = read_run_token(KEYRING, found["APIFY_TOKEN"])

    assert found["ACTOR_PERMISSION_LEVEL"] == level
    assert token is not None
    assert token.level == level


def test_pods_of_one_attempt_have_one_token_and_another_attempt_another() -> None:
    first = variables()["APIFY_TOKEN"]
    moved = variables(a_run(status=a_status(stats=Stats(migration_count=1))))["APIFY_TOKEN"]
    again = variables(a_run(status=a_status(attempt=2)))["APIFY_TOKEN"]

    assert moved == first
    assert again != first


def test_the_reference_has_these_variables_in_a_table_of_their_own() -> None:
    page = Path(__file__).parents[3] / "docs" / "environment.md"
    _, _, table = page.read_text(encoding="utf-8").partition("With an API server")
    first_two = [row.split("|")[1:3] for row in table.splitlines() if row.startswith("| `")]

    named = re.findall(r"`(\w+)`", " ".join(cell for row in first_two for cell in row))
    run = a_run()
    run.metadata.annotations[ANNOTATION_INPUT_KEY] = annotation(KEYRING.active_id, "a2V5")
    assert sorted(named) == sorted(variables(run))


def test_all_of_it_is_in_the_secret_and_nothing_of_it_in_the_pod() -> None:
    made = objects(a_run())
    token = variables()["APIFY_TOKEN"]

    assert made.secret.data is not None
    assert variables().keys() <= made.secret.data.keys()
    text = made.pod.model_dump_json()
    assert token not in text
    assert "/events/" not in text


def test_a_run_of_the_api_server_has_its_input_in_a_record_and_not_in_a_variable() -> None:
    run = a_run("abcdefghij0123456", labels={LABEL_API: API_RUN})
    data = objects(run).secret.data

    assert data is not None
    assert "ACTOR_INPUT_KEY" in data
    assert "ACTOR_INPUT_JSON" not in data
