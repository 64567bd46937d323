"""From the bytes of Kubernetes to the lines of a log."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.support.builders import CREATED

from actor_operator.services import log_lines
from actor_operator.services.log_lines import LineReader, Position, safe_cut, split_stamp
from actor_operator.services.log_text import GAP

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
S = "2026-03-01T12:00:{:02}.{:09}Z"


def stamp(second: int, nanosecond: int) -> str:
    return S.format(second, nanosecond)


def raw(lines: list[tuple[str, bytes]]) -> bytes:
    return b"".join(time.encode() + b" " + body + b"\n" for time, body in lines)


def wanted(lines: list[tuple[str, bytes]]) -> str:
    return "".join(f"{time[:23]}Z {body.decode(errors='replace')}\n" for time, body in lines)


def read(data: bytes) -> str:
    reader = LineReader(Position(), CREATED)
    reader.begin()
    return reader.feed(data) + reader.end()


bodies = st.binary(max_size=40).map(lambda body: body.replace(b"\n", b"\r"))


@st.composite
def logs(draw: st.DrawFn) -> list[tuple[str, bytes]]:
    """Lines whose times mostly grow, some of them a little the wrong way round."""
    lines = []
    moment = 1_000_000_000
    for body in draw(st.lists(bodies, max_size=25)):
        moment += draw(st.sampled_from([0, 1, 400_000_000, 999_999_999, 1_000_000_000, 3 * 10**9]))
        early = draw(st.sampled_from([0, 0, 0, 1, 900_000_000]))
        lines.append((stamp(*divmod(max(moment - early, 0), 10**9)), body))
    return lines


def since(lines: list[tuple[str, bytes]], position: Position) -> bytes:
    """What the kubelet sends: lines from that second on, in the order of the file."""
    begin = position.since_time()
    return raw([found for found in lines if found[0][:19] >= begin[:19]])


@given(logs(), st.lists(st.integers(1, 50)), st.integers(8, 60))
def test_any_chunks_give_the_same_lines(
    lines: list[tuple[str, bytes]], sizes: list[int], long: int
) -> None:
    data, text = raw(lines), ""
    with patch.object(log_lines, "LONG_LINE_BYTES", long + 31):
        reader = LineReader(Position(), CREATED)
        reader.begin()
        for size in sizes:
            text += reader.feed(data[:size])
            data = data[size:]
        text += reader.feed(data) + reader.end()
    assert text == wanted(lines)


@given(
    logs(),
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 60), st.booleans()), max_size=6),
    st.integers(8, 60),
)
def test_streams_that_are_cut_anywhere_lose_and_repeat_nothing(
    lines: list[tuple[str, bytes]], cuts: list[tuple[int, int, bool]], long: int
) -> None:
    """Also when somebody else goes on, who knows only the position that was stored."""
    text = ""
    with patch.object(log_lines, "LONG_LINE_BYTES", long + 31):
        reader = LineReader(Position(), CREATED)
        for length, size, taken_over in cuts:
            reader.begin()
            data = since(lines, reader.position)[:length]
            for begin in range(0, len(data), size):
                text += reader.feed(data[begin : begin + size])
            if taken_over:
                reader = LineReader(Position.read(reader.position.text()), CREATED)
        reader.begin()
        text += reader.feed(since(lines, reader.position)) + reader.end()
    assert text == wanted(lines)


@given(logs(), st.integers(0, 600), st.integers(0, 25))
def test_lines_that_are_gone_are_said_to_be(
    lines: list[tuple[str, bytes]], length: int, gone: int
) -> None:
    """The kubelet has rotated the file between two streams, and lost whole lines of it."""
    assume(all(one < other for (one, _), (other, _) in pairwise(lines)))
    reader = LineReader(Position(), CREATED)
    reader.begin()
    text = reader.feed(raw(lines)[:length])
    taken = text.count("\n")
    left = lines[gone:]
    reader.begin()
    rest = reader.feed(since(left, reader.position)) + reader.end()
    for time, body in lines[max(taken, gone) :]:
        assert f"{time[:23]}Z {body.decode(errors='replace')}\n" in rest
    if gone > taken > 0:
        assert rest.count(GAP) == 1
    if gone == 0:
        assert GAP not in rest


def test_every_line_begins_with_24_characters_and_a_space() -> None:
    text = read(b"2026-03-01T12:00:00.123456789Z one\n2026-03-01T12:00:01Z two\n")
    assert text == "2026-03-01T12:00:00.123Z one\n2026-03-01T12:00:01.000Z two\n"
    assert all(re.match(r"\S{24} ", line) for line in text.splitlines())


def test_a_line_without_an_end_is_told_when_the_container_has_ended() -> None:
    reader = LineReader(Position(), CREATED)
    reader.begin()
    assert reader.feed(b"2026-03-01T12:00:00.000000001Z half") == ""
    assert reader.end() == "2026-03-01T12:00:00.000Z half\n"


@pytest.mark.parametrize(
    ("sent", "time"),
    [
        (b"2026-03-01T14:00:00.5+02:00 x", "2026-03-01T12:00:00.500000000Z"),
        (b"2026-02-28T23:30:00.000000001-00:45 x", "2026-03-01T00:15:00.000000001Z"),
        (b"2026-03-01T12:00:00Z x", "2026-03-01T12:00:00.000000000Z"),
        (b"2026-03-01T12:00:00.1234567891Z x", "2026-03-01T12:00:00.123456789Z"),
    ],
)
def test_times_of_any_zone_and_length_become_comparable(sent: bytes, time: str) -> None:
    assert split_stamp(sent) == (time, b"x")


@pytest.mark.parametrize("sent", [b"", b"hello", b"2026-03-01 x", b"0001-01-01T00:00:00+09:00 x"])
def test_what_has_no_time_is_all_text(sent: bytes) -> None:
    assert split_stamp(sent) == ("", sent)


def test_a_line_without_a_time_gets_that_of_the_line_before() -> None:
    text = read(b"unable to retrieve\n2026-03-01T12:00:09.000000001Z x\nfailed\n\n")
    assert text == (
        "2026-03-01T12:00:00.000Z unable to retrieve\n"
        "2026-03-01T12:00:09.000Z x\n"
        "2026-03-01T12:00:09.000Z failed\n"
    )


def test_invalid_utf_8_is_replaced() -> None:
    assert read(b"2026-03-01T12:00:00Z a\xffb\xe2\x82\n").endswith("Z a\ufffdb\ufffd\n")


def test_secrets_of_ours_are_masked_also_in_lines_that_come_in_parts() -> None:
    token = b"apify_run_" + b"Ab-_9." * 40
    path = b"wss://x/events/11111111-2222-3333-4444-555555555555.1.abc-_DEF"
    line = b"".join(b"%05d " % n + token + b"\xe6\xbc\xa2 " + path + b" " for n in range(900))
    data = b"2026-03-01T12:00:00Z " + line + b"\n"
    reader = LineReader(Position(), CREATED)
    reader.begin()
    parts = [reader.feed(data[begin : begin + 5000]) for begin in range(0, len(data), 5000)]
    text = "".join(parts) + reader.end()
    assert sum(bool(part) for part in parts) > 2
    assert (
        text
        == "2026-03-01T12:00:00.000Z "
        + "".join(
            f"{n:05} apify_run_***\u6f22 wss://x/events/11111111-2222-3333-4444-555555555555.1.*** "
            for n in range(900)
        )
        + "\n"
    )


@given(st.binary(min_size=1, max_size=60))
def test_a_cut_is_never_within_a_character(data: bytes) -> None:
    cut = safe_cut(data)
    assert 0 < cut <= len(data)
    parts = (data[:cut] + b"|" + data[cut:]).decode(errors="replace").replace("|", "")
    assert parts == data.decode(errors="replace").replace("|", "") or b"|" in data


@given(logs())
def test_a_position_is_stored_in_80_characters(lines: list[tuple[str, bytes]]) -> None:
    reader = LineReader(Position(), CREATED)
    reader.begin()
    assert Position.read(None) == reader.position == Position.read("")
    reader.feed(raw(lines))
    assert Position.read(reader.position.text()) == reader.position or not lines
    assert len(reader.position.text()) <= 80


def test_a_clock_that_is_set_back_loses_nothing() -> None:
    lines = [(stamp(30, 0), b"a"), (stamp(31, 0), b"b"), (stamp(5, 0), b"c"), (stamp(6, 0), b"d")]
    reader = LineReader(Position(), CREATED)
    reader.begin()
    text = reader.feed(raw(lines[:3]))
    reader.begin()
    text += reader.feed(since(lines, reader.position)) + reader.end()
    for line in wanted(lines).splitlines():
        assert line in text.splitlines()


def test_the_moment_is_that_of_the_last_line() -> None:
    reader = LineReader(Position(), CREATED)
    assert reader.moment == CREATED
    reader.begin()
    reader.feed(b"2026-03-01T12:00:09.250000001Z x\n")
    assert reader.moment == START + timedelta(seconds=9.25)
