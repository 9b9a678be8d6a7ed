"""Writes new numbers into the rule files, shows what changed, and what a person still has to look at."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from configfile import ConfigError
from receiver.backtest.settings import Setting
from receiver.backtest.write import edits, failing_tests


def write_settings(rules: Path, settings: Sequence[Setting], promtool: str) -> None:
    """Write them, and print the difference; ends with 1 where unit tests fail then."""
    found = edits(rules, settings)
    for edit in found:
        lines = difflib.unified_diff(
            edit.before.splitlines(keepends=True),
            edit.after.splitlines(keepends=True),
            f"a/{edit.path.name}",
            f"b/{edit.path.name}",
        )
        click.echo("".join(("\n", *lines)), nl=False)
    for edit in found:
        try:
            edit.path.write_text(edit.after)
        except OSError as error:
            raise ConfigError(f"{edit.path}: cannot be written: {error.strerror}") from error
    click.echo(f"\nWritten to {', '.join(str(edit.path) for edit in found)}. Nothing is committed or loaded.")
    click.echo("Numbers only: comments, descriptions, runbooks and docs still say the old ones.")
    if told := failing_tests(rules, promtool):
        click.echo(f"\nUnit tests of the rules fail, and a person has to say which is right:\n{told}")
        sys.exit(1)
