"""Errors are told apart by what happens next."""

from itertools import combinations

from actor_operator.errors import (
    ActorOperatorError,
    ConfigurationError,
    ExpiredError,
    NotLeaderError,
    RetryableError,
    TerminalError,
    WaitingError,
)

KINDS = (RetryableError, WaitingError, TerminalError, ConfigurationError)


def test_every_error_is_of_one_kind_only() -> None:
    assert all(issubclass(kind, ActorOperatorError) for kind in KINDS)
    assert not any(issubclass(one, other) for one, other in combinations(KINDS, 2))


def test_what_is_too_old_and_who_does_not_lead_may_try_again() -> None:
    assert issubclass(ExpiredError, RetryableError)
    assert issubclass(NotLeaderError, RetryableError)


def test_who_waits_knows_how_long() -> None:
    error = WaitingError("the quota is full", requeue_after=5)

    assert (str(error), error.requeue_after) == ("the quota is full", 5)


def test_what_is_final_has_a_word_and_a_sentence() -> None:
    error = TerminalError("InputTooLarge", "Shorten the input.")

    assert (error.reason, str(error)) == ("InputTooLarge", "Shorten the input.")
