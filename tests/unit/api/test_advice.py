"""For each reason there is one piece of advice, and its command can be typed."""

import shlex

import click
import pytest

from actor_operator.api.v1alpha1.advice import ADVICE, PLACEHOLDERS, Advice, advice_for
from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.cli.main import cli

ALL = [(reason, advice) for reasons in ADVICE.values() for reason, advice in reasons.items()]
"""Every reason with its advice."""

COMMANDS = sorted({advice.command for _, advice in ALL if advice.command})
"""Every command."""

EXAMPLES = {
    "NAME": "hello",
    "NAMESPACE": "team",
    "POD": "hello-abcd-1",
    "NODE": "node-1",
    "MORE_MB": "2048",
    "LESS_MB": "512",
    "MORE_SECONDS": "120",
}
"""What may stand for each placeholder."""


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_has_advice(reason: Reason) -> None:
    assert advice_for(reason) is not None, "say in api/v1alpha1/advice.py what a user does about it"


def test_no_reason_has_two_pieces_of_advice() -> None:
    assert len(ALL) == len({reason for reason, _ in ALL})


def test_a_word_of_a_newer_operator_has_none() -> None:
    assert advice_for("NobodyKnows") is None


@pytest.mark.parametrize(
    "advice", dict.fromkeys(advice for _, advice in ALL), ids=lambda advice: advice.text
)
def test_advice_is_made_of_sentences(advice: Advice) -> None:
    for text in filter(None, (advice.text, advice.failed)):
        assert text[0].isupper()
        assert text.endswith(".")


def test_there_is_an_example_of_each_placeholder() -> None:
    assert tuple(EXAMPLES) == PLACEHOLDERS


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_in_capitals_in_a_command_is_a_placeholder(command: str) -> None:
    words = {word.rpartition("=")[2] for word in shlex.split(command)}

    assert {word for word in words if word.isupper()} <= set(PLACEHOLDERS)


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("actorctl ")])
def test_each_command_of_ours_is_one_that_we_understand(command: str) -> None:
    _, name, *words = (EXAMPLES.get(word, word) for word in shlex.split(command))
    group = click.Context(cli, info_name="actorctl")
    found = cli.get_command(group, name)

    assert found is not None
    found.make_context(name, list(words), parent=group)


def test_all_other_commands_are_kubectls() -> None:
    assert {command.split()[0] for command in COMMANDS} == {"actorctl", "kubectl"}
