"""What went wrong, in a sentence, and what to do next: pure."""

import re
from dataclasses import dataclass
from typing import Any

import click
from typing_extensions import override

from actor_operator.errors import ActorOperatorError, ConfigurationError

INSTALL = (
    "helm install actor-operator helm/actor-operator"
    " --namespace actor-operator-system --create-namespace"
)
"""How the operator is installed, for those who have forgotten it."""

NO_SUCH_KIND = "the server could not find the requested resource"
"""What an API server says of a kind that it does not know, unless it knows nothing of its group."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What the user reads."""

    message: str
    """What went wrong; further lines only where there is more than one mistake."""

    hint: str = ""
    """What to do next."""


class CommandError(click.ClickException):
    """Ends a command with a problem and the exit code 1.

    Parameters
    ----------
    message
        What went wrong.
    hint
        What to do next.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    @override
    def show(self, file: Any = None) -> None:
        super().show(file)
        if self.hint:
            click.echo(f"Hint: {self.hint}", file=file, err=file is None)


class SetupError(CommandError):
    """Ends a command that cannot even begin, with the exit code of wrong usage."""

    exit_code = 2


def explain(error: ActorOperatorError, server: str) -> Problem:
    """Say what an error means.

    Parameters
    ----------
    error
        Of a call to the API server, or of the way there.
    server
        URL of the API server; empty if it is not known yet.
    """
    from actor_operator.kube.errors import ApiError

    if isinstance(error, ConfigurationError):
        return Problem(str(error), "Say where your cluster is: --kubeconfig FILE, --context NAME.")
    if not isinstance(error, ApiError):
        return Problem(str(error))
    problem = _explain_answer(error, server)
    if error.may_have_applied:
        hint = "The request may have been carried out all the same: look before you repeat it."
        return Problem(problem.message, hint)
    return problem


def _explain_answer(error: Any, server: str) -> Problem:
    """Say what a refusal, or silence, of the API server means."""
    from actor_operator.kube import errors

    message, hint = error.message, ""
    match error:
        case errors.UnreachableError():
            message = f"The cluster {server} cannot be reached: {cause_of(error.message)}"
            hint = "Is it up, and is it the right one? Others: --context NAME, --kubeconfig FILE."
        case errors.UnauthorizedError():
            message = f"The cluster {server} refuses your credentials: {error.message}"
            hint = "Log in again, or use others: --context NAME, --kubeconfig FILE."
        case errors.NotFoundError() if not error.reason or error.message == NO_SUCH_KIND:
            message = f"Actor Operator is not installed in the cluster {server}."
            hint = f"Install it: {INSTALL}"
        case errors.ForbiddenError():
            hint = _role_needed(error.message)
        case errors.InvalidError():
            message = _mistakes(error)
        case errors.TooManyRequestsError() | errors.ServerError():
            message = f"The cluster {server} is in trouble: {error.message}"
            hint = "Try again."
        case _:
            pass
    return Problem(message, hint)


def cause_of(message: str) -> str:
    """The message of an error without the words that every outage begins with."""
    return message.removeprefix("no answer from the API server: ")


def _role_needed(message: str) -> str:
    """Which of the cluster's roles allows what was refused."""
    found = re.search(r"cannot (\w+) resource .* in the namespace \"([^\"]+)\"", message)
    if found is None:
        return ""
    verb, namespace = found.groups()
    role = "view" if verb in {"get", "list", "watch"} else "edit"
    return f"Ask an administrator for the role {role} in the namespace {namespace}."


def _mistakes(error: Any) -> str:
    """The server's own sentences: one alone, or one a line."""
    causes = [f"{c.field}: {c.message}" if c.field else c.message for c in error.causes]
    match causes:
        case []:
            return str(error.message)
        case [only]:
            return only
        case _:
            return "\n  ".join(("The API server refuses this:", *causes))
