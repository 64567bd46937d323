"""``actorctl completion``: what a shell needs to complete command lines."""

import click
from click.shell_completion import get_completion_class

from actor_operator.cli.names import COMPLETE_VARIABLE, PROGRAM

SHELLS = ("bash", "zsh", "fish")
"""Shells that are known."""


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a script that completes actorctl's command lines.

    \b
    bash:  echo 'eval "$(actorctl completion bash)"' >> ~/.bashrc
    zsh:   echo 'eval "$(actorctl completion zsh)"' >> ~/.zshrc
    fish:  actorctl completion fish > ~/.config/fish/completions/actorctl.fish
    """  # noqa: D301 -- click needs the backspace: it keeps these lines apart
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    root = context.find_root().command
    click.echo(kind(root, {}, PROGRAM, COMPLETE_VARIABLE).source())
