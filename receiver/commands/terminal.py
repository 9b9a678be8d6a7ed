"""Writes tables and text from outside to a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Collection

import click
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from receiver.redact import redact_text


def new_table(*columns: str, whole: Collection[str] = ()) -> Table:
    """An empty one; what stands in a column that is named in `whole` is never broken over two lines."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in whole)
    return table


def new_console() -> Console:
    """What writes to standard output: as wide as the terminal, and wide enough for whole lines where there is none."""
    console = Console(highlight=False)
    console.width = console.width if console.is_terminal else 1000
    return console


def print_drawn(drawn: RenderableType, console: Console) -> None:
    """Print it; without the blanks at the ends of lines where a program reads it."""
    if console.is_terminal:
        console.print(drawn)
        return
    with console.capture() as printed:
        console.print(drawn)
    click.echo("".join(f"{line.rstrip()}\n" for line in printed.get().splitlines()), nl=False)


def print_table(table: Table) -> None:
    print_drawn(table, new_console())


def safe(text: object) -> str:
    """What a terminal shows as it stands: no escape sequence, no line end, no markup, no secret."""
    return Text(plain(text)).markup


def plain(text: object) -> str:
    """The same where no markup is read: no escape sequence, no line end."""
    return "".join(char if char.isprintable() else "?" for char in redact_text(str(text)))
