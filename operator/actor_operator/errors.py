"""Errors, told apart by what happens next.

::

    ActorOperatorError
    ├── RetryableError       try again soon, with growing delays
    │   ├── ExpiredError     a list or watch is too old to go on: list anew
    │   ├── StaleError       we acted on an older state: the watch tells of the newer one
    │   └── NotLeaderError   this replica must not write: drop the work
    ├── WaitingError         not now: come back after ``requeue_after`` seconds
    ├── TerminalError        a person must change something; trying again is useless
    └── ConfigurationError   the process cannot start: settings, credentials
"""


class ActorOperatorError(Exception):
    """Base of every error that the operator raises on purpose."""


class RetryableError(ActorOperatorError):
    """Something that passes by itself: the same step is tried again with growing delays."""


class ExpiredError(RetryableError):
    """The server no longer has the history that a list or watch wants to go on from (410)."""


class StaleError(RetryableError):
    """What was acted on has changed meanwhile: daily life, and no trouble."""


class NotLeaderError(RetryableError):
    """Another replica holds the lease, or none does: raised before a write is sent."""


class WaitingError(ActorOperatorError):
    """Something outside must happen first.

    Parameters
    ----------
    message
        What is waited for, in a sentence for people.
    requeue_after
        Seconds until it is worth looking again.
    """

    def __init__(self, message: str, *, requeue_after: float) -> None:
        super().__init__(message)
        self.requeue_after = requeue_after


class TerminalError(ActorOperatorError):
    """Trying again cannot help.

    Parameters
    ----------
    reason
        A CamelCase word for machines.
    message
        A sentence that says what to change.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ConfigurationError(ActorOperatorError):
    """Settings or credentials with which the process cannot start."""
