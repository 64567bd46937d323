"""Times as Kubernetes writes and reads them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from actor_operator.clock import SystemClock, micro_timestamp, parse_timestamp, timestamp

MOMENT = datetime(2026, 3, 1, 14, 0, 5, 123_456, tzinfo=timezone(timedelta(hours=2)))


def test_the_machines_clock_tells_utc() -> None:
    before = datetime.now(tz=UTC)
    now = SystemClock().now()

    assert now.utcoffset() == timedelta(0)
    assert before <= now <= datetime.now(tz=UTC)


def test_a_time_is_written_in_utc_with_whole_seconds() -> None:
    assert timestamp(MOMENT) == "2026-03-01T12:00:05Z"


def test_a_micro_time_is_written_in_utc_with_microseconds() -> None:
    assert micro_timestamp(MOMENT) == "2026-03-01T12:00:05.123456Z"


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-03-01T12:00:05Z", 0),
        ("2026-03-01T12:00:05.123456Z", 123_456),
        ("2026-03-01T12:00:05.123456789Z", 123_456),
        ("2026-03-01T14:00:05+02:00", 0),
    ],
    ids=["Time", "MicroTime", "nanoseconds of a log", "another zone"],
)
def test_times_are_read_in_utc(text: str, microsecond: int) -> None:
    expected = MOMENT.astimezone(UTC).replace(microsecond=microsecond)

    assert parse_timestamp(text) == expected
    assert parse_timestamp(text).utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-03-01", "2026-03-01T12:00:05"])
def test_what_is_no_time_with_a_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"zone|isoformat"):
        parse_timestamp(text)


def test_what_is_written_can_be_read() -> None:
    assert parse_timestamp(micro_timestamp(MOMENT)) == MOMENT
