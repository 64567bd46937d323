"""Log lines: one event a line, no secrets of tracebacks."""

import json
import logging
from io import StringIO
from typing import Any

import pytest

from actor_operator.log import configure, logger


@pytest.fixture
def stream() -> StringIO:
    return StringIO()


def lines(stream: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json_with_its_variables_as_keys(stream: StringIO) -> None:
    configure(stream=stream)
    logger("test").bind(run="hello").info("Something happened.", count=3)

    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "Something happened.", "level": "info", "run": "hello", "count": 3}


def test_lines_of_libraries_have_the_same_form(stream: StringIO) -> None:
    configure(stream=stream)
    logging.getLogger("aiohttp.client").warning("connection %s", "lost")

    (line,) = lines(stream)
    assert (line["event"], line["level"]) == ("connection lost", "warning")


def test_what_is_below_the_level_is_not_written(stream: StringIO) -> None:
    configure(level="WARNING", stream=stream)
    logger("test").info("quiet")
    logging.getLogger("library").info("quiet")
    logger("test").warning("loud")

    assert [line["event"] for line in lines(stream)] == ["loud"]


def test_chatty_libraries_only_warn(stream: StringIO) -> None:
    configure(level="DEBUG", stream=stream)
    logging.getLogger("kopf.something").info("chat")
    logging.getLogger("kopf.something").warning("warns")

    assert [line["event"] for line in lines(stream)] == ["warns"]


def fail(hidden: str) -> None:
    raise ValueError(f"broken after {len(hidden)} letters")


def test_an_exception_is_one_line_of_json(stream: StringIO) -> None:
    configure(stream=stream)
    try:
        fail("abc")
    except ValueError:
        logger("test").exception("It failed.")

    (line,) = lines(stream)
    assert "ValueError: broken after 3 letters" in line["exception"]


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_tracebacks_do_not_show_the_values_of_variables(*, stream: StringIO, as_json: bool) -> None:
    configure(json=as_json, stream=stream)
    try:
        fail("value of a " * 2)
    except ValueError:
        logger("test").exception("It failed.")

    assert "broken after 22 letters" in stream.getvalue()
    assert "value of a value" not in stream.getvalue()


def test_text_for_people_has_no_colours_in_a_file(stream: StringIO) -> None:
    configure(json=False, stream=stream)
    logger("test").info("Something happened.", count=3)

    assert "Something happened." in stream.getvalue()
    assert "\x1b[" not in stream.getvalue()
