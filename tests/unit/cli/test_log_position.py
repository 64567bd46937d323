"""Going on with a log where it was cut, and splitting it into lines."""

from collections.abc import AsyncIterator

from actor_operator.cli.logreader import LogPosition, split_log

FIRST = b"2026-03-01T12:00:00.000000001Z "
SECOND = b"2026-03-01T12:00:00.000000002Z "


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def test_a_line_is_split_into_its_time_and_its_text() -> None:
    assert LogPosition().take(FIRST + b"a b\n", 0) == (FIRST.strip(), b"a b\n")


def test_what_was_read_before_the_cut_is_left_out() -> None:
    position = LogPosition()
    position.take(FIRST + b"one\n", 0)
    position.take(SECOND + b"two\n", 0)

    assert position.take(FIRST + b"one\n", 5) is None
    assert position.take(SECOND + b"two\n", 5) is None
    assert position.take(b"2026-03-01T12:00:00.000000003Z three\n", 5) is not None


def test_a_line_without_a_time_is_passed_on_as_it_is() -> None:
    assert LogPosition().take(b"no time here\n", 0) == (b"", b"no time here\n")


def test_an_empty_line_has_a_time_too() -> None:
    assert LogPosition().take(FIRST + b"\n", 0) == (FIRST.strip(), b"\n")


def test_the_first_request_asks_for_all() -> None:
    assert LogPosition().since_seconds(1000.0) is None


def test_a_later_request_asks_for_a_little_more_than_is_missing() -> None:
    position = LogPosition()
    position.take(FIRST + b"one\n", 100.0)

    assert position.since_seconds(130.4) == 35


async def test_lines_keep_their_ends_whatever_the_chunks() -> None:
    found = [line async for line in split_log(chunks(b"on", b"e\ntwo\n", b"\nlast"))]

    assert found == [b"one\n", b"two\n", b"\n", b"last"]


async def test_a_line_without_end_is_passed_on_in_parts() -> None:
    found = [line async for line in split_log(chunks(b"x" * 6, b"y" * 6, b"z\n"), limit=10)]

    assert found == [b"x" * 6 + b"y" * 6, b"z\n"]
