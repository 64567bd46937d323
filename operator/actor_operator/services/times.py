"""Times as Apify writes them: UTC, with milliseconds and Z."""

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """Write a moment."""
    moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def iso_of_millis(millis: int) -> str:
    """Write a moment that is kept in milliseconds since 1970."""
    seconds, rest = divmod(millis, 1000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{rest:03d}Z"


def millis_of(moment: datetime) -> int:
    """A moment in milliseconds since 1970, as the database keeps it."""
    return round(moment.timestamp() * 1000)
