"""The list of commands, and what costs nothing because it is not imported."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from actor_operator import __version__
from actor_operator.cli.main import COMMANDS, cli

HEAVY = ("kubernetes", "kopf", "aiohttp", "rich", "pydantic", "structlog")
"""Packages that take long to import."""


OF_THE_OPERATOR = ("kubernetes", "kopf", "pydantic_settings")
"""Packages that only the operator needs, or whoever connects."""

FOR_ITSELF = {"operator", "server", "crds", "settings", "completion", "version"}
"""Commands that are not about the user's runs."""


def modules_after(*arguments: str) -> set[str]:
    """The packages that a command line has imported when it ends."""
    return packages_after(
        f"sys.argv = ['actorctl', *{arguments!r}]\n"
        "from actor_operator.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
    )


def packages_after(code: str) -> set[str]:
    """The packages that some code has imported when it ends."""
    names = "print('\\n', *{name.partition('.')[0] for name in sys.modules}, sep='\\n')\n"
    code = f"import sys\n{code}{names}"
    folder = Path(__file__).parents[3] / "operator"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(folder)},
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("name", list(COMMANDS))
def test_each_command_is_where_the_list_says_and_has_that_help(name: str) -> None:
    context = click.Context(cli, info_name="actorctl")
    command = cli.get_command(context, name)

    assert command is not None
    assert command.name == name
    assert COMMANDS[name].help == command.get_short_help_str(limit=200)


@pytest.mark.parametrize("arguments", [("--help",), ("version", "--client"), ("--version",)])
def test_help_and_version_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert modules_after(*arguments).isdisjoint(HEAVY)


def test_commands_for_users_load_nothing_that_only_the_operator_needs() -> None:
    modules = {entry.module for name, entry in COMMANDS.items() if name not in FOR_ITSELF}

    assert len(modules) > 8
    assert packages_after(f"import {', '.join(modules)}\n").isdisjoint(OF_THE_OPERATOR)


def test_help_lists_the_commands() -> None:
    result = CliRunner().invoke(cli, ["--help"])

    assert result.exit_code == 0
    assert all(f"\n  {name} " in result.stdout for name in COMMANDS)


def test_a_mistyped_command_is_answered_with_the_right_one() -> None:
    result = CliRunner().invoke(cli, ["gte"])

    assert result.exit_code == 2
    assert result.stderr.endswith("Error: There is no command 'gte'. Is it 'get'?\n")


def test_an_unknown_option_of_the_group_is_wrong_usage() -> None:
    assert CliRunner().invoke(cli, ["--nope"]).exit_code == 2


def test_the_version_is_the_packages() -> None:
    result = CliRunner().invoke(cli, ["version", "--client", "-o", "json"])

    assert f'"actorctl": "{__version__}"' in result.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_asks_us(shell: str) -> None:
    result = CliRunner().invoke(cli, ["completion", shell])

    assert result.exit_code == 0
    assert f"_ACTORCTL_COMPLETE={shell}_complete" in result.stdout


def test_a_defect_is_a_line_and_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actor_operator.cli.version.platform.python_version", lambda: 1 / 0)

    result = CliRunner().invoke(cli, ["version", "--client"])

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "Error: This should not happen: ZeroDivisionError: division by zero",
        "Hint: Report it with what -vv shows.",
    ]


def test_with_vv_a_defect_is_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actor_operator.cli.version.platform.python_version", lambda: 1 / 0)

    result = CliRunner().invoke(cli, ["-vv", "version", "--client"])

    assert isinstance(result.exception, ZeroDivisionError)


def test_settings_that_cannot_be_read_end_the_operator_with_one_line(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("lease: {durationSecs: 3}\n")

    result = CliRunner().invoke(cli, ["operator", "--settings", str(file)])

    assert result.exit_code == 2
    assert result.stderr.startswith("Error: The settings are not valid: ")
    assert len(result.stderr.splitlines()) == 1


def test_the_operator_takes_no_context_from_the_command_line() -> None:
    result = CliRunner().invoke(cli, ["--context", "x", "operator"])

    assert result.exit_code == 2
    assert "KUBECONFIG" in result.stderr


def test_the_operator_takes_a_kubeconfig_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KUBECONFIG", "/of/the/environment")

    result = CliRunner().invoke(cli, ["--kubeconfig", "/not/there", "operator"])

    assert result.exit_code == 2
    assert result.stderr == "Error: There is no kubeconfig at /not/there.\n"
