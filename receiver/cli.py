"""The command line: mounts the commands, and turns expected errors into a sentence and an exit code."""

from __future__ import annotations

import sys
from importlib.metadata import entry_points

import click

from configfile import ConfigError
from receiver import __version__
from receiver.commands.answer import answer, clear
from receiver.commands.check_config import check_config
from receiver.commands.confirm import approve, deny
from receiver.commands.kill_switch import kill_switch
from receiver.commands.rollback import rollback
from receiver.commands.serve import serve
from receiver.commands.show import incidents, show, status
from receiver.errors import RollbackAgentError

EXIT_NO, EXIT_USAGE = 1, 2
PLUGINS = "rollback_agent.commands"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="rollback-agent")
def cli() -> None:
    """Roll a bad release back: guarded, rate-limited, verified, reported.

    Exit codes: 0 done, 1 not done (the reason is printed), 2 wrong usage or configuration.
    """


for _command in (
    serve,
    check_config,
    status,
    incidents,
    show,
    approve,
    deny,
    answer,
    clear,
    kill_switch,
    rollback,
):
    cli.add_command(_command)
for _plugin in entry_points(group=PLUGINS):
    cli.add_command(_plugin.load())


def main() -> None:
    """Run the command line."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_USAGE)
    except RollbackAgentError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(EXIT_NO)
    except click.Abort:
        sys.exit(130)
