"""Names and identifiers: valid, stable, and never the same for two things."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.builders import RUN_UID, a_run, a_status

from actor_operator.api.views.run import RunStatus, Stats
from actor_operator.constants import API_RUN, LABEL_API, MAX_NAME_LENGTH
from actor_operator.desired.names import (
    child_name,
    environment_suffix,
    ids,
    ids_of,
    object_id,
    pod_name,
    pod_number,
)

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
"""RFC 1123 label: names of pods (as host names) and Services."""

LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-_.A-Za-z0-9]*[A-Za-z0-9])?")
"""Value of a label."""

run_names = st.from_regex(r"[a-z]([-a-z0-9]{0,48}[a-z0-9])?", fullmatch=True)
uids = st.uuids().map(str)
numbers = st.integers(min_value=1, max_value=9_999_999)


@given(run_names, uids, numbers)
@example("a" * MAX_NAME_LENGTH, "0" * 36, 9_999_999)
def test_pod_names_are_valid_labels_for_every_name_of_a_run(
    run: str, uid: str, number: int
) -> None:
    name = pod_name(run, uid, number)

    assert DNS_LABEL.fullmatch(name)
    assert len(name) <= 63


@given(run_names, uids)
def test_child_names_are_valid_labels_and_begin_with_the_name_of_the_run(
    run: str, uid: str
) -> None:
    name = child_name(run, uid)

    assert DNS_LABEL.fullmatch(name)
    assert len(name) <= 63
    assert name.startswith(f"{run}-")


@given(run_names, run_names, uids, uids, numbers, numbers)
@example("a", "a-bbbb-1", "u", "u", 1, 1)
@example("a", "a", "u", "u", 1, 11)
def test_two_pods_have_one_name_only_when_run_and_number_are_the_same(
    run: str, other: str, uid: str, other_uid: str, number: int, other_number: int
) -> None:
    same = pod_name(run, uid, number) == pod_name(other, other_uid, other_number)

    # Four symbols of the uid may be equal by chance, but only for runs of the same name.
    assert not same or (run, number) == (other, other_number)


def test_names_are_what_they_have_always_been() -> None:
    """Children are found by these names after an upgrade."""
    uid = "11111111-2222-3333-4444-555555555555"

    assert pod_name("hello", uid, 3) == "hello-mzx7-3"
    assert child_name("hello", uid) == "hello-mzx7"
    assert object_id("run", uid) == "3ijy7xdlfscxdzhy0"
    assert object_id("dataset", "3ijy7xdlfscxdzhy0") == "ffy1t4x8llqkby031"
    assert environment_suffix(b"key", uid, 1, b"{}") == "h4dgppm3vvxdmjtj"


@given(st.binary(), uids, numbers, st.binary())
def test_the_end_of_a_secrets_name_is_a_valid_label_value_of_sixteen_symbols(
    key: bytes, uid: str, number: int, content: bytes
) -> None:
    suffix = environment_suffix(key, uid, number, content)

    assert LABEL_VALUE.fullmatch(suffix)
    assert len(suffix) == 16
    assert suffix == environment_suffix(key, uid, number, content)


@pytest.mark.parametrize(
    "other",
    [
        (b"other", "uid", 1, b"content"),
        (b"key", "other", 1, b"content"),
        (b"key", "uid", 2, b"content"),
        (b"key", "uid", 1, b"other"),
        (b"key", "uid\x001", 1, b"content"),
    ],
    ids=["key", "uid", "number", "content", "uid that looks like uid and number"],
)
def test_secrets_names_differ_with_each_thing_that_they_are_made_of(
    other: tuple[bytes, str, int, bytes],
) -> None:
    assert environment_suffix(b"key", "uid", 1, b"content") != environment_suffix(*other)


@given(uids)
def test_ids_have_seventeen_symbols_and_differ_by_what_they_are_of(uid: str) -> None:
    kinds = ["run", "actor", "build", "user", "keyValueStore", "dataset", "requestQueue"]
    ids = [object_id(kind, uid) for kind in kinds]

    assert all(re.fullmatch(r"[a-z0-9]{17}", one) for one in ids)
    assert len(set(ids)) == len(kinds)


MADE_BY_API = {LABEL_API: API_RUN}


def test_a_run_that_the_api_server_made_has_its_name_as_its_id() -> None:
    assert ids(a_run("abcdefghij0123456", labels=MADE_BY_API)).run == "abcdefghij0123456"


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("abcdefghij0123456", {}),
        ("abcdefghij0123456", {LABEL_API: "else"}),
        ("0bcdefghij0123456", MADE_BY_API),
        ("abcdefghij-123456", MADE_BY_API),
        ("abcdefghij012345", MADE_BY_API),
        ("abcdefghij01234567", MADE_BY_API),
    ],
    ids=["no label", "another value", "begins with a digit", "hyphen", "too short", "too long"],
)
def test_every_other_run_has_an_id_that_is_made_of_its_uid(
    name: str, labels: dict[str, str]
) -> None:
    assert ids(a_run(name, labels=labels)).run == object_id("run", RUN_UID)


def test_the_ids_of_storages_follow_from_that_of_the_run() -> None:
    by_api = a_run("abcdefghij0123456", labels=MADE_BY_API)

    assert ids(by_api) == ids_of("abcdefghij0123456")
    assert ids(a_run()) == ids_of(object_id("run", RUN_UID))
    assert ids(by_api).dataset == object_id("dataset", "abcdefghij0123456")


def test_the_first_pod_has_number_one() -> None:
    assert pod_number(RunStatus()) == 1


def test_all_that_calls_for_another_pod_counts_up_its_number() -> None:
    """Over all attempts: ``migrations`` begins anew with each of them."""
    stats = Stats(restart_count=4, migration_count=3, reboot_count=5)

    assert pod_number(a_status(attempt=2, migrations=1, stats=stats)) == 14
