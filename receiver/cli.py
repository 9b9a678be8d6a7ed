"""The command line: mounts the commands, and turns expected errors into a sentence and an exit code."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points

import click

from configfile import ConfigError
from receiver import __version__
from receiver.commands.groups import Group, example
from receiver.errors import RollbackAgentError
from receiver.redact import redact_text

EXIT_NO, EXIT_USAGE = 1, 2
TRACEBACK = "ROLLBACK_AGENT_TRACEBACK"
OURS = "this is a fault of rollback-agent itself"
PLUGINS = "rollback_agent.commands"
"""Entry points of this group are commands too; so the exporters add theirs, and neither package imports the other."""

COMMANDS = {
    "init": "receiver.commands.init:init",
    "serve": "receiver.commands.serve:serve",
    "check-config": "receiver.commands.check_config:check_config",
    "tree": "receiver.commands.tree:tree",
    "backtest": "receiver.commands.backtest:backtest",
    "shadow": "receiver.commands.shadow:shadow",
    "status": "receiver.commands.status:status",
    "incidents": "receiver.commands.show:incidents",
    "show": "receiver.commands.show:show",
    "explain": "receiver.commands.explain:explain",
    "review": "receiver.commands.review:review",
    "approve": "receiver.commands.confirm:approve",
    "deny": "receiver.commands.confirm:deny",
    "answer": "receiver.commands.answer:answer",
    "clear": "receiver.commands.answer:clear",
    "hold": "receiver.commands.hold:hold",
    "release-hold": "receiver.commands.hold:release_hold",
    "autonomy": "receiver.commands.autonomy:autonomy",
    "kill-switch": "receiver.commands.kill_switch:kill_switch",
    "rollback": "receiver.commands.rollback:rollback",
    "hotfix": "receiver.commands.hotfix:hotfix",
    "release": "receiver.commands.release:release",
    "doctor": "receiver.commands.doctor:doctor",
    "verify": "receiver.commands.verify:verify",
    "scripts": "receiver.commands.scripts:scripts",
    "gate": "receiver.commands.gate:gate",
    "drill": "receiver.commands.drill:drill",
    "backup": "receiver.commands.backup:backup",
    "restore": "receiver.commands.restore:restore",
    "audit": "receiver.commands.audit:audit",
    "prune": "receiver.commands.prune:prune",
    "completion": "receiver.commands.completion:completion",
}


class LazyGroup(Group):
    """Imports a command only when it is used: at three in the morning `status` should not wait for a web server."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, ours in the order of their use."""
        return [*COMMANDS, *sorted(entry_points(group=PLUGINS).names)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, imported now."""
        if cmd_name in COMMANDS:
            module, _, name = COMMANDS[cmd_name].partition(":")
            command: click.Command = getattr(import_module(module), name)
            return command
        for plugin in entry_points(group=PLUGINS, name=cmd_name):
            loaded: click.Command = plugin.load()
            return loaded
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named, with what is left; click would suggest only what it has imported: nothing."""
        close = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
        if close and self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {close[0]!r}?")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=example("rollback-agent status --config /etc/rollback-agent/agent.yml"),
)
@click.version_option(__version__, prog_name="rollback-agent")
def cli() -> None:
    """Roll a bad release back: guarded, rate-limited, verified, reported.

    Exit codes: 0 done, 1 not done (the reason is printed), 2 wrong usage or configuration.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, by default with the process's own arguments."""
    try:
        cli(arguments, prog_name="rollback-agent", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except ConfigError as error:
        click.echo(_printable(str(error)), err=True)
        sys.exit(EXIT_USAGE)
    except RollbackAgentError as error:
        click.echo(f"Error: {_printable(redact_text(str(error)))}", err=True)
        sys.exit(EXIT_NO)
    except click.Abort:
        sys.exit(130)
    except BrokenPipeError:
        # Who reads has had enough, as `head`; what Python still holds for it must go nowhere at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_NO)
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        click.echo(f"Error: {_printable(redact_text(what))}", err=True)
        sys.exit(EXIT_NO)
    except Exception as error:
        # A service writes into its log, where the place of the fault is wanted; a person is told a sentence.
        if os.environ.get(TRACEBACK) or (sys.argv[1:] if arguments is None else arguments)[:1] == ["serve"]:
            raise
        what = _printable(redact_text(f"{type(error).__name__}: {error}"))
        click.echo(f"Error: {OURS}: {what}; run it with {TRACEBACK}=1 to see where, and report that", err=True)
        sys.exit(EXIT_NO)


def _printable(text: str) -> str:
    """What may quote somebody else, with its lines and without escape sequences."""
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
