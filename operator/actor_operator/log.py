"""Structured logs: one event a line, a fixed sentence and its variables as keys."""

import logging
import sys
from typing import Any, TextIO

import structlog

LOGGERS_OF_OTHERS = {"kopf": logging.WARNING, "asyncio": logging.WARNING}
"""What libraries may say."""


def configure(*, level: str = "INFO", json: bool = True, stream: TextIO = sys.stderr) -> None:
    """Set up logging of this process: ours through structlog, libraries' through the same writer.

    Parameters
    ----------
    level
        The lowest level that is written: DEBUG, INFO, WARNING or ERROR.
    json
        One JSON object a line, else text for people.
    stream
        Where to.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    plain = structlog.dev.plain_traceback  # the pretty one prints the values of all variables
    text = structlog.dev.ConsoleRenderer(exception_formatter=plain, colors=stream.isatty())
    renderer: Any = structlog.processors.JSONRenderer() if json else text
    last: list[Any] = [structlog.processors.format_exc_info, renderer] if json else [renderer]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, threshold in LOGGERS_OF_OTHERS.items():
        logging.getLogger(name).setLevel(threshold)


def logger(name: str) -> Any:
    """A logger of a module; bind what an operation is about with ``.bind(...)``."""
    return structlog.stdlib.get_logger(name)
