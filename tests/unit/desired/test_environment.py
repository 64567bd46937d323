"""The variables of a container: names, values, both spellings, who wins."""

import base64
import re
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.support.builders import (
    ACTOR_UID,
    CREATED,
    RUN_UID,
    SETTINGS,
    a_run,
    a_status,
    an_actor,
    at,
)

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.actor import Build, EnvVar, SecretKeyRef
from actor_operator.api.views.run import RunLimits, RunView
from actor_operator.desired.environment import (
    Environment,
    build_environment,
    compact_input,
    encode_secret_data,
    input_sha256,
    platform_variables,
)
from actor_operator.desired.names import ids, object_id
from actor_operator.desired.resolve import resolve
from actor_operator.errors import TerminalError

SPELLINGS = {
    "ACTOR_ID": ("APIFY_ACTOR_ID", "APIFY_ACT_ID"),
    "ACTOR_RUN_ID": ("APIFY_ACTOR_RUN_ID", "APIFY_ACT_RUN_ID"),
    "ACTOR_BUILD_ID": ("APIFY_ACTOR_BUILD_ID",),
    "ACTOR_BUILD_NUMBER": ("APIFY_ACTOR_BUILD_NUMBER",),
    "ACTOR_DEFAULT_DATASET_ID": ("APIFY_DEFAULT_DATASET_ID",),
    "ACTOR_DEFAULT_KEY_VALUE_STORE_ID": ("APIFY_DEFAULT_KEY_VALUE_STORE_ID",),
    "ACTOR_DEFAULT_REQUEST_QUEUE_ID": ("APIFY_DEFAULT_REQUEST_QUEUE_ID",),
    "ACTOR_INPUT_KEY": ("APIFY_INPUT_KEY",),
    "ACTOR_MEMORY_MBYTES": ("APIFY_MEMORY_MBYTES",),
    "ACTOR_STARTED_AT": ("APIFY_STARTED_AT",),
    "ACTOR_TIMEOUT_AT": ("APIFY_TIMEOUT_AT",),
    "ACTOR_WEB_SERVER_PORT": ("APIFY_CONTAINER_PORT", "ACTOR_STANDBY_PORT"),
    "ACTOR_WEB_SERVER_URL": ("APIFY_CONTAINER_URL",),
}
"""Variables of Apify's list with their old spellings, as far as there is a value for them."""

SINGLE = {
    "ACTOR_FULL_NAME",
    "ACTOR_BUILD_TAGS",
    "ACTOR_STORAGES_JSON",
    "ACTOR_INPUT_JSON",
    "ACTOR_MAX_PAID_DATASET_ITEMS",
    "ACTOR_MAX_TOTAL_CHARGE_USD",
    "ACTOR_RESTART_ON_ERROR",
    "APIFY_DEDICATED_CPUS",
    "APIFY_HEADLESS",
    "APIFY_META_ORIGIN",
    "APIFY_USER_ID",
}
"""Variables with one spelling."""

URL = "https://x.example/"
"""The run's URL, in an installation in which runs have one."""

EVERYTHING: dict[str, Any] = {
    "input": {"message": "Hi"},
    "timeout_secs": 90,
    "limits": RunLimits(5, 1.5),
    "restart_on_error": True,
    "origin": "WEB",
}
"""A spec for which every variable has a value."""


def environment(run: RunView | None = None, url: str | None = None, **actor: Any) -> Environment:
    run = run or a_run()
    return build_environment(run, resolve(run, an_actor(**actor), SETTINGS, url), {})


def literals(run: RunView | None = None, url: str | None = None, **actor: Any) -> dict[str, str]:
    return environment(run, url, **actor).literals


def test_every_variable_with_a_value_is_set_and_no_other() -> None:
    run = a_run(**EVERYTHING)

    old = {name for names in SPELLINGS.values() for name in names}
    assert set(literals(run, URL)) == SPELLINGS.keys() | old | SINGLE


def test_the_reference_has_each_variable_with_its_older_spellings() -> None:
    page = Path(__file__).parents[3] / "docs" / "environment.md"
    table, _, _ = page.read_text(encoding="utf-8").partition("With an API server")
    rows = [row.split("|") for row in table.splitlines() if row.startswith("| `")]

    told = {row[1].strip(" `"): re.findall(r"`(\w+)`", row[2]) for row in rows}
    assert told == {
        **{name: list(olds) for name, olds in SPELLINGS.items()},
        **{n: [] for n in SINGLE},
    }


def test_all_spellings_of_a_variable_have_the_same_value() -> None:
    found = literals(a_run(**EVERYTHING), URL)

    assert {new: {found[old] for old in olds} for new, olds in SPELLINGS.items()} == {
        new: {found[new]} for new in SPELLINGS
    }


def test_a_plain_run_has_no_variables_without_a_value() -> None:
    found = literals(a_run(timeout_secs=0))

    absent = {
        "ACTOR_TIMEOUT_AT",
        "APIFY_TIMEOUT_AT",
        "ACTOR_WEB_SERVER_URL",
        "APIFY_CONTAINER_URL",
        "ACTOR_INPUT_JSON",
        "ACTOR_MAX_PAID_DATASET_ITEMS",
        "ACTOR_MAX_TOTAL_CHARGE_USD",
        "ACTOR_RESTART_ON_ERROR",
    }
    assert not absent & found.keys()
    assert all(found.values())


# Values


def test_identity_is_told_in_apifys_form() -> None:
    found = literals(tagged_builds={"latest": "1.0.1", "beta": "1.0.1", "old": "0.9.1"})

    assert found["ACTOR_ID"] == object_id("actor", ACTOR_UID)
    assert found["ACTOR_RUN_ID"] == object_id("run", RUN_UID)
    assert found["ACTOR_BUILD_ID"] == object_id("build", f"{ACTOR_UID}/1.0.1")
    assert found["ACTOR_FULL_NAME"] == "team/greeter"
    assert found["ACTOR_BUILD_NUMBER"] == "1.0.1"
    assert found["ACTOR_BUILD_TAGS"] == "beta,latest"
    assert found["APIFY_USER_ID"] == object_id("user", "team")


def test_storages_are_told_one_by_one_and_together() -> None:
    found, known = literals(), ids(a_run())

    store, dataset, queue = known.key_value_store, known.dataset, known.request_queue
    assert found["ACTOR_DEFAULT_KEY_VALUE_STORE_ID"] == store
    assert found["ACTOR_DEFAULT_DATASET_ID"] == dataset
    assert found["ACTOR_DEFAULT_REQUEST_QUEUE_ID"] == queue
    assert msgspec.json.decode(found["ACTOR_STORAGES_JSON"]) == {
        "keyValueStores": {"default": store},
        "datasets": {"default": dataset},
        "requestQueues": {"default": queue},
    }


@pytest.mark.parametrize(
    ("memory", "cpus"), [(128, "0.03125"), (1024, "0.25"), (4096, "1"), (32768, "8")]
)
def test_memory_and_its_share_of_a_processor_are_told(memory: int, cpus: str) -> None:
    found = literals(a_run(memory_mbytes=memory))

    assert found["ACTOR_MEMORY_MBYTES"] == str(memory)
    assert found["APIFY_DEDICATED_CPUS"] == cpus


def test_times_are_those_that_the_api_server_has_stored() -> None:
    found = literals(a_run(timeout_secs=90))

    assert found["ACTOR_STARTED_AT"] == "2026-03-01T12:00:00.000Z"
    assert found["ACTOR_TIMEOUT_AT"] == "2026-03-01T12:01:30.000Z"


def test_the_times_of_a_pod_are_the_same_before_and_after_it_has_started() -> None:
    """A Secret is found again by its content: it must not change with what the pod does."""
    started = a_run(status=a_status(started=5, timeout_at=at(66)))

    assert literals(started) == literals(a_run(status=a_status()))


def test_a_run_that_waited_for_memory_begins_when_it_got_it() -> None:
    found = literals(a_run(status=a_status(queued_at=at(1), admitted_at=at(3600), timeout=60)))

    assert found["ACTOR_STARTED_AT"] == "2026-03-01T13:00:00.000Z"
    assert found["ACTOR_TIMEOUT_AT"] == "2026-03-01T13:01:00.000Z"


def test_a_later_attempt_begins_when_it_was_asked_for() -> None:
    found = literals(a_run(status=a_status(attempt=2, queued_at=at(600))))

    assert found["ACTOR_STARTED_AT"] == "2026-03-01T12:10:00.000Z"


def test_an_input_that_is_not_the_first_one_is_refused() -> None:
    first = input_sha256(a_run(input={"a": 1}))
    status = a_status(attempt=2, queued_at=at(600), run_id="r" * 17, input_sha256=first)

    assert literals(a_run(input={"a": 1}, status=status))["ACTOR_INPUT_JSON"] == '{"a":1}'
    for other in ({"b": 1}, None):
        with pytest.raises(TerminalError) as refused:
            literals(a_run(input=other, status=status))
        assert refused.value.reason == Reason.INPUT_CHANGED


def test_times_of_another_zone_are_told_in_utc_with_milliseconds() -> None:
    moment = (at(0) + timedelta(microseconds=123_999)).astimezone(timezone(timedelta(hours=2)))

    assert literals(a_run(created=moment))["ACTOR_STARTED_AT"] == "2026-03-01T12:00:00.123Z"


def test_the_same_run_has_the_same_environment_whenever_it_is_built() -> None:
    assert environment(a_run(created=CREATED)).content() == environment().content()


@pytest.mark.parametrize(
    ("charge", "text"),
    [
        (0, "0"),
        (5, "5"),
        (0.1, "0.1"),
        (1234.567, "1234.567"),
        (123456.78, "123456.78"),
        (1_000_000, "1000000"),
    ],
)
def test_the_most_that_a_run_may_cost_is_told_exactly(charge: float, text: str) -> None:
    found = literals(a_run(limits=RunLimits(max_total_charge_usd=charge)))

    assert found["ACTOR_MAX_TOTAL_CHARGE_USD"] == text
    assert "ACTOR_MAX_PAID_DATASET_ITEMS" not in found


def test_the_most_items_of_a_run_are_told() -> None:
    found = literals(a_run(limits=RunLimits(max_items=7)))

    assert found["ACTOR_MAX_PAID_DATASET_ITEMS"] == "7"
    assert "ACTOR_MAX_TOTAL_CHARGE_USD" not in found


# The actor's own variables


def test_variables_of_actor_and_build_are_set_and_the_builds_win() -> None:
    found = literals(env={"A": "actor", "B": "actor"}, build_env={"B": "build", "C": "build"})

    assert (found["A"], found["B"], found["C"]) == ("actor", "build", "build")


@pytest.mark.parametrize("name", ["ACTOR_RUN_ID", "APIFY_ACT_ID", "ACTOR_INPUT_KEY"])
def test_the_platforms_variables_win_over_the_actors(name: str) -> None:
    assert literals(env={name: "mine"})[name] == literals()[name]


def test_the_platforms_variables_win_over_the_actors_secrets_too() -> None:
    found = environment(env={"ACTOR_RUN_ID": SecretKeyRef("s", "k")})

    assert found.secrets == {}


@pytest.mark.parametrize("name", ["ACTOR_WEB_SERVER_PORT", "APIFY_CONTAINER_PORT"])
def test_the_actor_may_change_its_port_and_every_spelling_follows(name: str) -> None:
    found = literals(env={name: "8888"})

    ports = ("ACTOR_WEB_SERVER_PORT", "APIFY_CONTAINER_PORT", "ACTOR_STANDBY_PORT")
    assert {found[port] for port in ports} == {"8888"}


def test_keys_of_secrets_are_references_and_not_among_the_literals() -> None:
    reference = SecretKeyRef("shop", "token")
    found = environment(env={"TOKEN": reference})

    assert found.secrets == {"TOKEN": reference}
    assert "TOKEN" not in found.literals


def test_a_variable_without_value_is_empty() -> None:
    builds = [Build("1.0.1", "image", (EnvVar("EMPTY"),))]

    assert literals(builds=builds)["EMPTY"] == ""


# Input


def test_the_input_is_compact_json_with_sorted_keys() -> None:
    run = a_run(input={"b": [1, 2.50], "a": "ä\n"})

    assert literals(run)["ACTOR_INPUT_JSON"] == '{"a":"ä\\n","b":[1,2.5]}'


def test_the_order_of_keys_in_the_input_does_not_matter() -> None:
    one, other = (
        a_run(input={"a": 1, "b": {"c": 2, "d": 3}}),
        a_run(input={"b": {"d": 3, "c": 2}, "a": 1}),
    )

    assert compact_input(one) == compact_input(other)
    assert input_sha256(one) == input_sha256(other)


def test_an_empty_input_is_not_the_same_as_none() -> None:
    assert compact_input(a_run(input={})) == b"{}"
    assert compact_input(a_run()) is None
    assert input_sha256(a_run()) is None


def test_the_digest_of_the_input_is_that_of_its_compact_form() -> None:
    assert input_sha256(a_run(input={"a": 1})) == (
        "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    )


def test_numbers_beyond_64_bits_survive() -> None:
    assert compact_input(a_run(input={"n": 10**30})) == b'{"n":1' + b"0" * 30 + b"}"


# The Secret's form


def test_secret_data_is_base64_of_utf_8() -> None:
    data = encode_secret_data({"A": "ä", "EMPTY": ""})

    assert data == {"A": base64.b64encode("ä".encode()).decode(), "EMPTY": ""}


def test_the_content_does_not_depend_on_the_order_of_variables() -> None:
    assert Environment({"A": "1", "B": "2"}, {}).content() == (
        Environment({"B": "2", "A": "1"}, {}).content()
    )


def test_platform_variables_are_all_texts() -> None:
    run = a_run(**EVERYTHING)
    found = platform_variables(run, resolve(run, an_actor(), SETTINGS))

    assert all(type(value) is str for value in found.values())
