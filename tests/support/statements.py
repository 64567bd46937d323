"""Watches that every statement about what belongs to somebody names the account."""

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from actor_operator.storage.across import ACROSS_ACCOUNTS
from actor_operator.storage.tables import METADATA

TENANT_TABLES = tuple(table.name for table in METADATA.tables.values() if "account" in table.c)
"""Tables whose rows belong to an account."""

TOUCHES = re.compile(rf"\b(?:FROM|JOIN|INTO|UPDATE)\s+({'|'.join(TENANT_TABLES)})\b")
"""A statement that reads or writes one of them."""

NAMES_ACCOUNT = re.compile(r"\baccount = |INTO \w+ \(account,|INTO \w+ \([^)]*\baccount\b")
"""A statement that says whose rows it means."""


@contextmanager
def every_statement_names_its_account() -> Iterator[None]:
    """Fail at the end when one did not, and was not marked by `across_accounts`."""
    unnamed: set[str] = set()

    def look(*arguments: Any) -> None:
        _, _, statement, _, context, _ = arguments
        if TOUCHES.search(statement) is None or NAMES_ACCOUNT.search(statement) is not None:
            return
        if not _is_of_program():
            return
        if context is None or not context.execution_options.get(ACROSS_ACCOUNTS):
            unnamed.add(statement)

    event.listen(Engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", look)
    if unnamed:
        raise AssertionError("statements without an account:\n" + "\n".join(sorted(unnamed)))


def _is_of_program() -> bool:
    """Whether the program runs a statement, and not the test itself."""
    frame = inspect.currentframe()
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith("actor_operator."):
            return True
        frame = None if "test_" in name else frame.f_back
    return False
