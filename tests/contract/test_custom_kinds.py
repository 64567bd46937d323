"""Schemas and rules of custom kinds, with the sentences that users see."""

import pytest
from tests.contract.client import Api, Object

NOT_CHECKED = (
    "<nil>: Invalid value: null: some validation rules were not checked because the object was "
    "invalid; correct the existing errors to complete validation"
)
"""What follows where rules could not be looked at."""

SUPPORTED_SIZES = 'supported values: "1", "2", "4"'

REFUSED: dict[str, tuple[Object, str, str]] = {
    "a value that is not in the enum": (
        {"size": 3},
        f"[spec.size: Unsupported value: 3: {SUPPORTED_SIZES}, {NOT_CHECKED}]",
        "FieldValueNotSupported",
    ),
    "a string for a number": (
        {"size": "x"},
        (
            '[spec.size: Invalid value: "string": spec.size in body must be of type integer: '
            f'"string", spec.size: Unsupported value: "x": {SUPPORTED_SIZES}, {NOT_CHECKED}]'
        ),
        "FieldValueTypeInvalid",
    ),
    "a required field that is missing": (
        {"size": None},
        f"[spec.size: Required value, {NOT_CHECKED}]",
        "FieldValueRequired",
    ),
    "too large a number": (
        {"count": 11},
        "spec.count: Invalid value: 11: spec.count in body should be less than or equal to 10",
        "FieldValueInvalid",
    ),
    "too small a number": (
        {"count": -1},
        "spec.count: Invalid value: -1: spec.count in body should be greater than or equal to 0",
        "FieldValueInvalid",
    ),
    "too short a string, also where it breaks the pattern": (
        {"title": "A"},
        'spec.title: Invalid value: "A": spec.title in body should be at least 2 chars long',
        "FieldValueInvalid",
    ),
    "a string that breaks the pattern": (
        {"title": "AB"},
        "spec.title: Invalid value: \"AB\": spec.title in body should match '^[a-z]+$'",
        "FieldValueInvalid",
    ),
    "too long a string": (
        {"title": "abcdef"},
        f"[spec.title: Too long: may not be more than 5 bytes, {NOT_CHECKED}]",
        "FieldValueTooLong",
    ),
    "a time that is none": (
        {"when": "x"},
        (
            '[spec.when: Invalid value: "x": spec.when in body must be of type date-time: "x", '
            f"{NOT_CHECKED}]"
        ),
        "FieldValueTypeInvalid",
    ),
    "a string for a switch": (
        {"enabled": "true"},
        (
            '[spec.enabled: Invalid value: "string": spec.enabled in body must be of type boolean: '
            f'"string", {NOT_CHECKED}]'
        ),
        "FieldValueTypeInvalid",
    ),
    "a list for an object": (
        {"options": []},
        (
            '[spec.options: Invalid value: "array": spec.options in body must be of type object: '
            f'"array", {NOT_CHECKED}]'
        ),
        "FieldValueTypeInvalid",
    ),
    "too many entries of a map": (
        {"labels": {"a": "1", "b": "2", "c": "3"}},
        f"[spec.labels: Too many: 3: must have at most 2 items, {NOT_CHECKED}]",
        "FieldValueTooMany",
    ),
    "too long a value of a map": (
        {"labels": {"a": "long"}},
        f"[spec.labels.a: Too long: may not be more than 3 bytes, {NOT_CHECKED}]",
        "FieldValueTooLong",
    ),
    "a switch for a number or string": (
        {"port": True},
        (
            '[spec.port: Invalid value: "boolean": spec.port in body must be of type '
            f'integer,string: "boolean", {NOT_CHECKED}]'
        ),
        "FieldValueTypeInvalid",
    ),
    "too few items": (
        {"tags": []},
        "spec.tags: Invalid value: 0: spec.tags in body should have at least 1 items",
        "FieldValueInvalid",
    ),
    "too many items": (
        {"tags": ["a", "b", "c", "d"]},
        f"[spec.tags: Too many: 4: must have at most 3 items, {NOT_CHECKED}]",
        "FieldValueTooMany",
    ),
    "an item twice in a set": (
        {"tags": ["a", "a"]},
        'spec.tags[1]: Duplicate value: "a"',
        "FieldValueDuplicate",
    ),
    "a key twice in a list that is a map": (
        {"builds": [{"number": "1", "image": "x"}, {"number": "1", "image": "y"}]},
        'spec.builds[1]: Duplicate value: {"number":"1"}',
        "FieldValueDuplicate",
    ),
    "a field of an item that is missing": (
        {"builds": [{"number": "1"}]},
        f"[spec.builds[0].image: Required value, {NOT_CHECKED}]",
        "FieldValueRequired",
    ),
    "two wrong fields": (
        {"size": 9, "count": 20},
        (
            "[spec.count: Invalid value: 20: spec.count in body should be less than or equal to "
            f"10, spec.size: Unsupported value: 9: {SUPPORTED_SIZES}, {NOT_CHECKED}]"
        ),
        "FieldValueInvalid",
    ),
    "a rule with a message of its own making": (
        {"low": 3, "count": 2},
        "spec: Forbidden: low is over count",
        "FieldValueForbidden",
    ),
    "a rule about a single value": (
        {"word": "b"},
        'spec.word: Invalid value: "b": a word starts with a',
        "FieldValueInvalid",
    ),
    "a rule with a path of its own": (
        {"order": 2},
        "spec.order: Invalid value: order rises by one",
        "FieldValueInvalid",
    ),
}
"""What is wrong -> fields of the spec, the refusal, a reason among its causes."""


@pytest.mark.parametrize("case", REFUSED)
async def test_refused_is(api: Api, case: str) -> None:
    spec, message, reason = REFUSED[case]
    reply = await api.post("things", {"metadata": {"name": "a"}, "spec": {"size": 1} | spec})

    assert (reply.code, reply.reason) == (422, "Invalid")
    start = 'Thing.contract.example.org "a" is invalid: '
    # The real server tells several mistakes in any order.
    assert sorted(reply.message.removeprefix(start).strip("[]")) == sorted(message.strip("[]"))
    assert reason in {cause["reason"] for cause in reply.details["causes"]}
    assert reply.details["group"] == "contract.example.org"
    assert reply.details["kind"] == "Thing"


@pytest.mark.parametrize(
    ("spec", "stored"),
    [
        ({}, {}),
        ({"mode": "Slow"}, {"mode": "Slow"}),
        ({"mode": None}, {}),
        ({"note": None}, {"note": None}),
        ({"count": None}, {}),
        ({"unknown": 1}, {}),
        ({"options": {}}, {"options": {"depth": 3}}),
        ({"options": {"depth": None, "width": None, "x": 1}}, {"options": {"depth": 3}}),
        ({"free": {"a": {"b": [1]}}}, {"free": {"a": {"b": [1]}}}),
        ({"port": "http"}, {"port": "http"}),
        ({"port": 80}, {"port": 80}),
        ({"ratio": 2}, {"ratio": 2}),
        ({"ratio": 2.5}, {"ratio": 2.5}),
        ({"when": "2026-01-01T00:00:00Z"}, {"when": "2026-01-01T00:00:00Z"}),
        (
            {"builds": [{"number": "1", "image": "x", "more": 1}]},
            {"builds": [{"number": "1", "image": "x"}]},
        ),
    ],
)
async def test_unknown_fields_and_nulls_go_and_defaults_come(
    api: Api, spec: Object, stored: Object
) -> None:
    reply = await api.post("things", {"metadata": {"name": "a"}, "spec": {"size": 1} | spec})

    assert reply.code == 201, reply.body
    assert reply.body["spec"] == {"size": 1, "mode": "Fast"} | stored


async def test_a_default_status_shows_at_once_and_a_sent_one_does_not(api: Api) -> None:
    body = {"metadata": {"name": "a"}, "spec": {"size": 1}, "status": {"phase": "DONE"}}
    reply = await api.post("things", body)

    assert reply.body["status"] == {"phase": "READY"}
    assert (await api.get("things", "a")).body["status"] == {"phase": "READY"}


async def test_a_spec_that_is_required_is_not_left_out(api: Api) -> None:
    reply = await api.post("things", {"metadata": {"name": "a"}})

    assert reply.code == 422
    assert "[spec: Required value, " in reply.message


async def test_a_rule_at_the_root_sees_the_name(api: Api) -> None:
    reply = await api.post("things", {"metadata": {"name": "a" * 21}, "spec": {"size": 1}})

    assert reply.code == 422
    assert "metadata.name: Invalid value: a name has at most 20 characters" in reply.message
    assert reply.details["causes"][0]["field"] == "metadata.name"


async def test_unknown_fields_are_refused_when_validation_is_strict(api: Api) -> None:
    spec = {"size": 1, "zz": 1, "builds": [{"number": "1", "image": "x", "q": 1}]}
    body = {"metadata": {"name": "a"}, "spec": spec, "extra": 1}
    reply = await api.post("things", body, fieldValidation="Strict")

    assert (reply.code, reply.reason) == (400, "BadRequest")
    assert reply.message == (
        'Thing in version "v1" cannot be handled as a Thing: strict decoding error: '
        'unknown field "extra", unknown field "spec.builds[0].q", unknown field "spec.zz"'
    )


async def test_a_rule_compares_with_the_old_value(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    reply = await api.patch("things", "a", {"spec": {"size": 2}})

    assert reply.code == 422
    assert reply.message == (
        'Thing.contract.example.org "a" is invalid: spec: Invalid value: size never changes'
    )


async def test_items_are_compared_by_their_key_not_by_their_place(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1, "builds": [{"number": "1", "image": "x"}]})
    builds = [{"number": "2", "image": "new"}, {"number": "1", "image": "x"}]
    moved = await api.patch("things", "a", {"spec": {"builds": builds}})
    builds = [{"number": "2", "image": "new"}, {"number": "1", "image": "y"}]
    changed = await api.patch("things", "a", {"spec": {"builds": builds}})

    assert moved.code == 200
    assert changed.code == 422
    assert "spec.builds[1]: Invalid value: a build never changes" in changed.message


async def test_an_optional_old_value_lets_a_rule_speak_at_creation_too(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1, "order": 1})
    second = await api.patch("things", "a", {"spec": {"order": 2}})
    skipped = await api.patch("things", "a", {"spec": {"order": 4}})

    assert second.code == 200
    assert "spec.order: Invalid value: order rises by one" in skipped.message


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ({"phase": "NONE"}, 'status.phase: Unsupported value: "NONE": supported values:'),
        (
            {"count": "x"},
            'status.count: Invalid value: "string": count in body must be of type integer:',
        ),
        (
            {"steps": [1]},
            'status.steps[0]: Invalid value: "integer": steps[0] in body must be of type string:',
        ),
    ],
)
async def test_a_status_is_held_to_its_schema(api: Api, status: Object, message: str) -> None:
    await api.create("things", "a", spec={"size": 1})
    reply = await api.patch("things", "a", {"status": status}, "status")

    assert reply.code == 422
    assert message in reply.message


async def test_a_changed_spec_is_held_to_its_schema(api: Api) -> None:
    await api.create("things", "a", spec={"size": 1})
    reply = await api.patch("things", "a", {"spec": {"count": 11}})

    assert reply.message.endswith(
        "spec.count: Invalid value: 11: spec.count in body should be less than or equal to 10"
    )


@pytest.mark.parametrize("status", [{"phase": "RUNNING"}, None])
async def test_a_status_is_held_to_its_rules(api: Api, status: Object | None) -> None:
    await api.create("things", "a", spec={"size": 1})
    await api.patch("things", "a", {"status": {"phase": "DONE"}}, "status")
    reply = await api.patch("things", "a", {"status": status}, "status")

    assert reply.code == 422
    assert reply.message == (
        'Thing.contract.example.org "a" is invalid: status.phase: Forbidden: what is done stays '
        "done"
    )


async def test_what_was_allowed_before_may_stay_while_something_else_changes(api: Api) -> None:
    """Values that do not change are not looked at again."""
    await api.create("things", "a", spec={"size": 1, "low": 1, "count": 1})
    reply = await api.patch("things", "a", {"metadata": {"labels": {"a": "b"}}})

    assert reply.code == 200


async def test_a_run_walks_its_phases_and_no_others(api: Api) -> None:
    """The project's own kind, as far as the operator depends on it."""
    body = {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorRun",
        "metadata": {"name": "a"},
        "spec": {"actor": "hello-world"},
    }
    created = await api.call("POST", api.path("actorruns"), body)
    running = {"status": {"phase": "RUNNING"}}
    first = await api.patch("actorruns", "a", running, "status")
    back = await api.patch("actorruns", "a", {"status": {"phase": "READY"}}, "status")

    assert created.code == 201, created.body
    assert created.body["status"]["phase"] == "READY"
    assert created.body["status"]["attempt"] == 1
    assert first.code == 200, first.body
    assert back.code == 422
    assert "status.phase" in back.message
