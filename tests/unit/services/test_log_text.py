"""What is added to logs, and taken out of them."""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.builders import CREATED, KEYRING, RUN_UID

from actor_operator.desired.tokens import PermissionLevel, events_path, run_token
from actor_operator.services import log_text
from actor_operator.services.log_text import ANSI, MARK, AnsiStripper, Cap, line, mask

TOKEN = run_token(
    KEYRING, namespace="a", name="b", uid=RUN_UID, attempt=1, level=PermissionLevel.FULL
)
PATH = events_path(KEYRING, uid=RUN_UID, attempt=12)


def test_run_tokens_api_tokens_and_paths_of_sockets_are_masked() -> None:
    text = f"token={TOKEN}, apify_api_A1b2C3 wss://host{PATH}?x apify_runner"
    masked = mask(text)
    assert masked == (
        f"token=apify_run_***, apify_api_*** wss://host/events/{RUN_UID}.12.***?x apify_runner"
    )
    assert mask("nothing here") == "nothing here"


def test_a_line_of_ours_has_the_stamp_of_every_line() -> None:
    assert line(CREATED, "x") == "2026-03-01T12:00:00.000Z x\n"


@given(st.lists(st.text(alphabet="ab\n", max_size=12)))
def test_a_log_is_cut_at_its_longest_and_marked_once(parts: list[str]) -> None:
    with patch.object(log_text, "MAX_CHARACTERS", 30):
        cap = Cap()
        text = "".join([cap.take(part, CREATED) for part in parts])
        whole = "".join(parts)
        assert cap.characters == len(text)
        assert cap.is_full is (len(whole) > 30)
        assert text.startswith(whole[:30])
        assert text.count(MARK) == (1 if len(whole) > 30 else 0)
        if not cap.is_full:
            assert text == whole


def test_who_takes_over_a_full_log_adds_nothing() -> None:
    cap = Cap(log_text.MAX_CHARACTERS)
    assert not cap.is_full
    assert MARK in cap.take("x\n", CREATED)
    assert Cap(cap.characters).take("y\n", CREATED) == ""


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Btext\x1b7", "text"),
        ("a\x1b[2Kb\x1b[1;32;40mc", "abc"),
    ],
)
def test_control_sequences_are_taken_out(text: str, plain: str) -> None:
    stripper = AnsiStripper()
    assert stripper.feed(text) + stripper.end() == plain


@given(
    st.lists(st.sampled_from(["\x1b[31m", "x", "\x1b]0;t\x07", "\x1b", "\n", "[0m", "é"])),
    st.lists(st.integers(1, 9)),
)
def test_sequences_are_found_across_parts(pieces: list[str], sizes: list[int]) -> None:
    text, out = "".join(pieces), ""
    stripper, rest = AnsiStripper(), text
    for size in sizes:
        out += stripper.feed(rest[:size])
        rest = rest[size:]
    out += stripper.feed(rest) + stripper.end()
    assert out == ANSI.sub("", text)


def test_an_escape_that_never_ends_is_passed_on() -> None:
    stripper = AnsiStripper()
    long = "\x1b]" + "x" * (log_text.LONGEST_ANSI + 10)
    assert stripper.feed(long) == long
