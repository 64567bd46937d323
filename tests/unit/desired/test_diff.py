"""Merge patches: applied to what is stored, they give what is wanted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actor_operator.desired.diff import differ_elsewhere, merge_patch, missing_entries

scalars = st.integers() | st.text(max_size=3) | st.booleans()
values = st.recursive(
    scalars | st.lists(scalars, max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3),
    max_leaves=6,
)
mappings = st.dictionaries(st.sampled_from("abcd"), values, max_size=4)


def applied(target: Any, patch: Any) -> Any:
    """RFC 7386, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = applied(result.get(name), value)
    return result


@given(mappings, mappings)
def test_a_patch_makes_one_of_the_other(stored: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert applied(stored, merge_patch(stored, wanted)) == wanted


@given(mappings)
def test_equals_need_no_patch(stored: dict[str, Any]) -> None:
    assert merge_patch(stored, dict(stored)) == {}


def test_lists_are_replaced_whole() -> None:
    assert merge_patch({"a": [1, 2], "b": 1}, {"a": [1, 3], "b": 1}) == {"a": [1, 3]}


def test_entries_are_missing_when_they_are_absent_or_other() -> None:
    stored = {"a": "1", "b": "2", "theirs": "x"}

    assert missing_entries(stored, {"a": "1", "b": "3", "c": "4"}) == {"b": "3", "c": "4"}
    assert missing_entries(stored, {"a": "1"}) == {}


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"a": 2, "b": {"c": 1, "d": 1}}, False),
        ({"a": 1, "b": {"c": 5, "d": 1}}, False),
        ({"a": 1, "b": {"c": 1, "d": 2}}, True),
        ({"a": 1, "b": {"c": 1, "d": 1}, "e": 1}, True),
        ({"b": {"c": 1, "d": 1}}, False),
        ({"a": 1}, False),
    ],
)
def test_what_differs_beside_a_patch_is_somebody_elses(
    after: dict[str, Any], *, expected: bool
) -> None:
    before, patch = {"a": 1, "b": {"c": 1, "d": 1}}, {"a": 2, "b": {"c": 5}}

    assert differ_elsewhere(before, after, patch) is expected
