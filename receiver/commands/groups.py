"""Groups of commands whose help can be read to the end of each sentence."""

from __future__ import annotations

import click

_ANY_LENGTH = 1_000


class Group(click.Group):
    """Lists its commands with the whole first sentence of each; click cuts what is longer than a line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write name and sentence of each, over as many lines as it takes."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        rows = [(name, command.get_short_help_str(_ANY_LENGTH)) for name, command in commands if command is not None]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def example(line: str) -> str:
    """The end of a command's help: one way to call it, on a line of its own."""
    return f"\b\nExample:\n  {line}"
