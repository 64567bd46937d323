"""The store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.fake_source import Thing, a_thing

from actor_operator.engine.store import Change, Store, is_newer


def by_value(thing: Thing) -> str | None:
    return str(thing.value) if thing.value else None


@pytest.fixture
def store() -> Store[Thing]:
    return Store({"value": by_value})


def test_an_object_is_found_by_namespace_and_name(store: Store[Thing]) -> None:
    thing = a_thing("a")
    assert store.apply(thing) == Change(None, thing)
    assert store.get("ns", "a") is thing
    assert store.get("other", "a") is None
    assert list(store) == [thing]
    assert len(store) == 1


@pytest.mark.parametrize(("version", "than"), [("10", "9"), ("x", "9")])
def test_a_higher_number_is_newer_and_what_is_no_number_counts_as_newer(
    version: str, than: str
) -> None:
    assert is_newer(version, than)


@pytest.mark.parametrize(("version", "than"), [("9", "10"), ("9", "9"), ("x", "x")])
def test_a_lower_number_and_the_same_version_are_not_newer(version: str, than: str) -> None:
    assert not is_newer(version, than)


def test_an_older_version_does_not_replace_a_newer_one(store: Store[Thing]) -> None:
    new = a_thing("a", 10)
    store.apply(new)
    assert store.apply(a_thing("a", 9)) is None
    assert store.apply(a_thing("a", 10, value=7)) is None
    assert store.get("ns", "a") is new


def test_a_newer_version_tells_what_was_before(store: Store[Thing]) -> None:
    old, new = a_thing("a", 9), a_thing("a", 10)
    store.apply(old)
    assert store.apply(new) == Change(old, new)


def test_the_late_answer_to_a_create_does_not_bring_a_deleted_object_back(
    store: Store[Thing],
) -> None:
    store.replace_all([], "5")
    store.version = "12"  # the watch has told of its creation (10) and deletion (12)
    assert store.apply(a_thing("a", 10)) is None
    assert store.get("ns", "a") is None


def test_the_answer_to_a_create_is_seen_before_the_watch_tells(store: Store[Thing]) -> None:
    store.replace_all([], "5")
    assert store.apply(a_thing("a", 10)) is not None
    assert store.get("ns", "a") is not None


def test_a_deletion_takes_out_only_the_object_of_that_uid(store: Store[Thing]) -> None:
    second = a_thing("a", 12, uid="second")
    store.apply(second)
    assert store.remove("ns", "a", "first") is None
    assert store.get("ns", "a") is second
    assert store.remove("ns", "a", "second") is second
    assert store.remove("ns", "a", "second") is None
    assert len(store) == 0


def test_an_index_follows_its_objects(store: Store[Thing]) -> None:
    one, two = a_thing("a", 1, value=7), a_thing("b", 2, value=7)
    store.apply(one)
    store.apply(two)
    store.apply(a_thing("c", 3))
    assert sorted(t.name for t in store.by_index("value", "7")) == ["a", "b"]
    moved = a_thing("a", 4, value=8)
    store.apply(moved)
    assert store.by_index("value", "7") == [two]
    assert store.by_index("value", "8") == [moved]
    store.remove("ns", "b", "uid-b")
    assert store.by_index("value", "7") == []
    assert store.index_values("value") == ["8"]


def test_an_unknown_index_is_a_mistake(store: Store[Thing]) -> None:
    with pytest.raises(KeyError):
        store.by_index("colour", "red")


def test_a_full_list_tells_what_came_what_changed_and_what_vanished(store: Store[Thing]) -> None:
    same, old, gone = a_thing("same", 1), a_thing("old", 2), a_thing("gone", 3)
    store.replace_all([same, old, gone], "3")
    new, fresh = a_thing("old", 4), a_thing("fresh", 5)
    difference = store.replace_all([a_thing("same", 1), new, fresh], "6")
    assert difference.added == [fresh]
    assert difference.changed == [Change(old, new)]
    assert difference.vanished == [gone]
    assert list(difference.changes()) == [
        Change(gone, None),
        Change(old, new),
        Change(None, fresh),
    ]
    assert store.version == "6"
    assert store.get("ns", "gone") is None


def test_what_a_list_cannot_read_stays_as_it_was(store: Store[Thing]) -> None:
    known = a_thing("a", 1)
    store.replace_all([known], "1")
    difference = store.replace_all([], "5", unreadable={("ns", "a")})
    assert difference.vanished == []
    assert store.get("ns", "a") is known


def test_an_answer_younger_than_the_list_stays(store: Store[Thing]) -> None:
    store.replace_all([], "5")
    young = a_thing("a", 10)
    store.apply(young)
    assert store.replace_all([], "8").vanished == []
    assert store.get("ns", "a") is young


def test_an_object_seen_to_go_and_listed_again_is_taken(store: Store[Thing]) -> None:
    store.replace_all([], "20")
    again = a_thing("a", 10)  # e.g. it matches the selector once more
    assert store.replace_all([again], "25").added == [again]


def test_after_a_restore_from_backup_the_list_wins_whatever_its_versions(
    store: Store[Thing],
) -> None:
    store.replace_all([a_thing("a", 90), a_thing("b", 95)], "100")
    restored = a_thing("a", 40)
    difference = store.replace_all([restored], "50")
    assert store.get("ns", "a") is restored
    assert [t.name for t in difference.vanished] == ["b"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 30), st.integers(0, 2)), max_size=30)
)
def test_in_any_order_of_arrival_the_newest_wins(arrivals: list[tuple[str, int, int]]) -> None:
    store: Store[Thing] = Store({"value": by_value})
    unique = {(name, version): value for name, version, value in arrivals}
    for (name, version), value in unique.items():
        store.apply(a_thing(name, version, value=value))
    for name in {name for name, _ in unique}:
        newest = max(version for other, version in unique if other == name)
        stored = store.get("ns", name)
        assert stored is not None
        assert stored.resource_version == str(newest)
        filed = [t for v in store.index_values("value") for t in store.by_index("value", v)]
        assert (stored in filed) is bool(stored.value)


# Parts


def test_a_list_of_one_namespace_takes_nothing_from_another() -> None:
    store: Store[Thing] = Store()
    here, there = store.part("here"), store.part("there")
    here.replace_all([a_thing("a", 1, namespace="here"), a_thing("b", 2, namespace="here")], "5")
    there.replace_all([a_thing("a", 3, namespace="there")], "7")

    difference = here.replace_all([a_thing("a", 1, namespace="here")], "9")

    assert [thing.name for thing in difference.vanished] == ["b"]
    assert {(thing.namespace, thing.name) for thing in store} == {("here", "a"), ("there", "a")}
    assert (here.version, there.version, store.version) == ("9", "7", "")


def test_each_part_knows_for_itself_what_its_watch_has_told() -> None:
    """The answer to a create is late: only its own watch can say that the thing is gone again."""
    store: Store[Thing] = Store()
    store.part("here").replace_all([], "20")
    store.part("there").replace_all([], "5")

    assert store.apply(a_thing("a", 10, namespace="here")) is None
    assert store.apply(a_thing("a", 10, namespace="there")) is not None


def test_a_part_that_was_restored_from_a_backup_goes_back() -> None:
    store: Store[Thing] = Store()
    store.part("here").replace_all([a_thing("a", 90, namespace="here")], "100")
    store.part("there").replace_all([a_thing("a", 95, namespace="there")], "100")

    store.part("here").replace_all([a_thing("a", 40, namespace="here")], "50")

    assert {thing.resource_version for thing in store} == {"40", "95"}


def test_a_namespace_has_one_part() -> None:
    store: Store[Thing] = Store()

    assert store.part("here") is store.part("here")


# Listeners


def test_a_listener_is_told_of_every_change_and_of_nothing_else() -> None:
    store: Store[Thing] = Store()
    told: list[tuple[int | None, int | None]] = []
    store.listen(
        lambda old, new: told.append((old.value if old else None, new.value if new else None))
    )

    store.apply(a_thing(version=1, value=1))
    store.apply(a_thing(version=1, value=2))
    store.apply(a_thing(version=2, value=3))
    store.replace_all([a_thing(version=3, value=4)], "3")
    store.remove("ns", "a", "another")
    store.replace_all([], "9")

    assert told == [(None, 1), (1, 3), (3, 4), (4, None)]


def test_an_answer_that_does_not_say_when_it_was_true_brings_nothing_back() -> None:
    """A pod that was deleted must not be stored again by the late answer to its DELETE."""
    store: Store[Thing] = Store()
    thing = a_thing("a", 5)
    store.replace_all([thing], "5")
    store.remove(thing.namespace, "a", thing.uid)

    assert store.apply(a_thing("a", 0, resource_version="")) is None
    assert store.get(thing.namespace, "a") is None
