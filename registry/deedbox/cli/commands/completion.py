"""`deedbox completion`."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: eval "$(deedbox completion bash)"                              in ~/.bashrc
    zsh:  eval "$(deedbox completion zsh)"                               in ~/.zshrc
    fish: deedbox completion fish > ~/.config/fish/completions/deedbox.fish
    """
    from click.shell_completion import get_completion_class
    from deedbox.cli.main import COMPLETE, NAME

    root = click.get_current_context().find_root().command
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(root, {}, NAME, COMPLETE).source())
