"""Shows a run's diagnosis on a terminal."""

from __future__ import annotations

import click

from receiver.commands.terminal import new_table, plain, print_table, safe
from receiver.durations import clock_time, in_words
from receiver.journal.views import View
from receiver.model import Signal


def show_diagnosis(diagnosis: View) -> None:
    """Print it, indented as the other parts of a run are."""
    at = diagnosis["at"]
    click.echo(f"\n  diagnosis of {clock_time(at)}:")
    for gap in diagnosis["gaps"]:
        click.echo(f"    missing: {plain(gap)}")
    if diagnosis["checks"]:
        click.echo()
        table = new_table("service", "check", "kind", "result", "took")
        for check in diagnosis["checks"]:
            result = "good" if check["success"] else f"failed: {check['detail']}"
            cells = (check["service"], check["check"], check["kind"], result, f"{check['seconds']:.2f} s")
            table.add_row(*map(safe, cells))
        print_table(table)
    if diagnosis["signals"]:
        click.echo()
        table = new_table("signal", "value")
        for signal in (Signal(**one) for one in diagnosis["signals"]):
            table.add_row(safe(signal.series), signal.reading)
        print_table(table)
    if diagnosis["releases"]:
        click.echo()
        table = new_table("release", "went live", "commit", "author", "migration")
        for one in diagnosis["releases"]:
            told = (one[name] or "" for name in ("commit", "author", "migration"))
            since = f"{in_words(max(at - one['live_since'], 0.0))} before"
            table.add_row(*map(safe, (one["id"], since, *told)))
        print_table(table)
    for log in diagnosis["error_lines"]:
        click.echo(f"\n  last failed requests in {plain(log['path'])}:")
        for line in log["lines"] or ["(none)"]:
            click.echo(f"    {plain(line)}")
