"""`completion`: prints what a shell has to read so that it completes commands, options and their values."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from receiver.commands.groups import example

PROGRAM = "rollback-agent"
VARIABLE = "_ROLLBACK_AGENT_COMPLETE"
"""Set by the shell when it asks the program itself, so a new command is completed without a new script."""


@click.command(epilog=example("rollback-agent completion bash > /etc/bash_completion.d/rollback-agent"))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL; bash has to be 4.4 or newer.

    \b
    bash: rollback-agent completion bash > /etc/bash_completion.d/rollback-agent
    zsh:  rollback-agent completion zsh > /usr/local/share/zsh/site-functions/_rollback-agent
    fish: rollback-agent completion fish > ~/.config/fish/completions/rollback-agent.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"{shell} is not known to click")
    click.echo(found(click.get_current_context().find_root().command, {}, PROGRAM, VARIABLE).source())
