"""Tables read well in a narrow terminal, and hold nothing needless for a program."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from receiver.commands.terminal import new_table, print_drawn, print_table
from tests.receiver.commands.journaled import Journaled

BACKUP = "state-20270115-080000-1f2e3d4c"


def test_a_program_gets_no_blanks_at_the_ends_of_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Cells are padded between columns only, and a long one stays on its line."""
    table = new_table("release", "reason")
    table.add_row("r1", "good")
    table.add_row("a-release", "x" * 300)
    print_table(table)
    assert capsys.readouterr().out == f"release    reason\nr1         good\na-release  {'x' * 300}\n"


def test_what_is_copied_is_not_broken_in_a_narrow_terminal() -> None:
    """A column that is whole keeps its words; those beside it take more lines."""
    table = new_table("backup", "by", "live", whole=("backup",))
    table.add_row(BACKUP, "rollback-agent", "a release with a long name")
    written = io.StringIO()
    print_drawn(table, Console(file=written, force_terminal=True, width=50, color_system=None))
    lines = written.getvalue().splitlines()
    assert BACKUP in lines[1]
    assert max(map(len, lines)) <= 50


def test_where_there_is_nothing_to_list_that_is_said(here: Journaled) -> None:
    """Neither an incident nor a backup: a sentence instead of the heads of an empty table."""
    assert here.says("incidents") == "There has been no incident.\n"
    assert here.says("backup", "list") == "There is no backup.\n"
