"""Writes tables and text from outside to a terminal or a pipe."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from receiver.redact import redact_text


def new_table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def print_table(table: Table) -> None:
    console = Console(highlight=False)
    # Programs that read a pipe get whole lines, whatever width a terminal would have.
    console.width = console.width if console.is_terminal else 1000
    console.print(table)


def safe(text: object) -> str:
    """What a terminal shows as it stands: no escape sequence, no line end, no markup, no secret."""
    return Text(plain(text)).markup


def plain(text: object) -> str:
    """The same where no markup is read: no escape sequence, no line end."""
    return "".join(char if char.isprintable() else "?" for char in redact_text(str(text)))
