"""The mark of statements that concern several accounts.

Every other statement about what belongs to somebody names the account; tests fail on one that
does neither.
"""

from typing import TypeVar

from sqlalchemy.sql.base import Executable

ACROSS_ACCOUNTS = "across_accounts"
"""Name of the execution option."""

E = TypeVar("E", bound=Executable)


def across_accounts(statement: E) -> E:
    """Mark a statement: sweeps, and checks of access by an id alone."""
    return statement.execution_options(**{ACROSS_ACCOUNTS: True})
