"""Texts that must be no longer than the API server takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actor_operator.text import cut


@pytest.mark.parametrize(
    ("text", "most", "result"),
    [("short", 5, "short"), ("longer", 5, "lo…"), ("ääää", 8, "ääää"), ("äääää", 8, "ää…")],
)
def test_a_long_text_ends_with_an_ellipsis(text: str, most: int, result: str) -> None:
    assert cut(text, most) == result


@given(st.text(), st.integers(min_value=3, max_value=40))
def test_no_text_is_longer_than_asked_for(text: str, most: int) -> None:
    assert len(cut(text, most).encode()) <= most
