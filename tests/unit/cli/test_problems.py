"""What went wrong, in sentences."""

import pytest

from actor_operator.cli.problems import cause_of, explain
from actor_operator.errors import ActorOperatorError, ConfigurationError
from actor_operator.kube.errors import (
    Cause,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    QuotaExceededError,
    ServerError,
    TooManyRequestsError,
    UnauthorizedError,
    UnreachableError,
)

SERVER = "https://cluster.example"

REFUSED = (
    'actorruns.actor-operator.dev is forbidden: User "ann" cannot {verb} resource "actorruns"'
    ' in API group "actor-operator.dev" in the namespace "team"'
)


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (
            ConfigurationError("There is no kubeconfig."),
            "There is no kubeconfig.",
            "--kubeconfig",
        ),
        (
            UnreachableError("no answer from the API server: timed out"),
            f"The cluster {SERVER} cannot be reached: timed out",
            "Is it up",
        ),
        (UnauthorizedError("Unauthorized"), f"The cluster {SERVER} refuses your", "Log in again"),
        (
            NotFoundError("404 page not found", status=404),
            f"Actor Operator is not installed in the cluster {SERVER}.",
            "Install it: helm install",
        ),
        (NotFoundError("pods x not found", reason="NotFound"), "pods x not found", ""),
        (ServerError("etcd is gone"), f"The cluster {SERVER} is in trouble: etcd", "Try again."),
        (TooManyRequestsError("slow"), f"The cluster {SERVER} is in trouble: slow", "Try again."),
        (ConflictError("it changed"), "it changed", ""),
        (QuotaExceededError("exceeded quota: q"), "exceeded quota: q", ""),
        (ForbiddenError(REFUSED.format(verb="list")), "actorruns", "role view in the namespace"),
        (ForbiddenError(REFUSED.format(verb="create")), "actorruns", "role edit in the namespace"),
        (ActorOperatorError("something else"), "something else", ""),
    ],
)
def test_each_error_has_its_sentence_and_its_hint(
    error: ActorOperatorError, message: str, hint: str
) -> None:
    problem = explain(error, SERVER)

    assert problem.message.startswith(message)
    assert hint in problem.hint
    assert bool(hint) == bool(problem.hint)


def test_a_single_mistake_is_one_line() -> None:
    error = InvalidError("x is invalid", causes=(Cause("FieldValueInvalid", "too big", "spec.a"),))

    assert explain(error, SERVER).message == "spec.a: too big"


def test_several_mistakes_are_one_a_line() -> None:
    causes = (Cause("", "too big", "spec.a"), Cause("", "no field named", ""))

    assert explain(InvalidError("x", causes=causes), SERVER).message.splitlines() == [
        "The API server refuses this:",
        "  spec.a: too big",
        "  no field named",
    ]


def test_a_mistake_without_causes_is_the_servers_sentence() -> None:
    assert explain(InvalidError("cannot be read"), SERVER).message == "cannot be read"


def test_a_write_that_may_have_happened_is_not_to_be_repeated_blindly() -> None:
    error = UnreachableError("no answer", may_have_applied=True)

    assert "look before you repeat it" in explain(error, SERVER).hint


def test_why_there_was_no_answer_is_told_once() -> None:
    assert cause_of("no answer from the API server: timed out") == "timed out"
    assert cause_of("slow down") == "slow down"
