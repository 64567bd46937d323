"""What the fields of our kinds are changed to, and how."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.spec_changes.values import ABSENT, BASES, changed, fields, patch, values
from tests.support.apiserver.patches import merged

LEAVES = st.one_of(st.booleans(), st.integers(0, 2), st.sampled_from(["a", "b"]))
SPECS = st.dictionaries(
    st.sampled_from("xyz"),
    st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("xyz"), inner, max_size=2)
        ),
        max_leaves=4,
    ),
    max_size=3,
)


def test_fields_in_lists_and_maps_are_changed_too() -> None:
    found = {path for path, _ in fields("actors")}

    assert ("builds", 0, "env", 0, "secretKeyRef", "name") in found
    assert ("taggedBuilds", "latest") in found
    assert {path[0] for path, _ in fields("actorruns")} >= {"input", "resurrect", "origin"}


def test_values_lie_at_and_beyond_the_limits() -> None:
    seconds = {"type": "integer", "minimum": 0, "maximum": 10}

    assert {0, 10, -1, 11, "text"} <= {v for v in values(seconds) if not isinstance(v, list | dict)}


def test_every_field_of_every_kind_can_be_changed() -> None:
    for plural, base in BASES.items():
        for path, schema in fields(plural):
            assert any(changed(base, path, value) != base for value in values(schema)), path


def test_what_is_missing_on_the_way_is_made() -> None:
    assert changed({}, ("env", 0, "secretKeyRef", "name"), "x") == {
        "env": [{"secretKeyRef": {"name": "x"}}]
    }
    assert changed({"env": [{"a": 1}, {"b": 2}]}, ("env", 0), ABSENT) == {"env": [{"b": 2}]}


@given(old=SPECS, new=SPECS)
def test_the_patch_leads_from_one_spec_to_the_other(old: Any, new: Any) -> None:
    assert merged(old, patch(old, new)) == new
