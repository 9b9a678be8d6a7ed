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
    """Print what SHELL has to read to complete commands, options and deployments; bash has to be 4.4 or newer.

    \b
    Now, in this bash:  source <(rollback-agent completion bash)
    In each new shell, by a file that it reads (bash needs its package bash-completion for that):
    bash: mkdir -p ~/.local/share/bash-completion/completions
          rollback-agent completion bash > ~/.local/share/bash-completion/completions/rollback-agent
    zsh:  rollback-agent completion zsh > /usr/local/share/zsh/site-functions/_rollback-agent
    fish: mkdir -p ~/.config/fish/completions
          rollback-agent completion fish > ~/.config/fish/completions/rollback-agent.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"{shell} is not known to click")
    click.echo(found(click.get_current_context().find_root().command, {}, PROGRAM, VARIABLE).source())
