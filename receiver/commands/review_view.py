"""Draws for people what reviews say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from receiver.commands.terminal import new_table, plain, print_table, safe
from receiver.durations import clock_time, signed_in_words
from receiver.journal.reviews import Pattern
from receiver.learning.summary import Document


def show_summary(told: Document) -> None:
    """Accuracy, calibration, answers, and what waits for a review."""
    if not told["reviewed"]:
        click.echo("Nothing has been reviewed yet: `rollback-agent review ID`.")
    else:
        click.echo(f"{told['reviewed']} reviewed incidents; in brackets: 95 % intervals\n")
        _show_accuracy(told["accuracy"])
        _show_calibration(told["calibration"])
        _show_answers(told["answers"])
    waiting = sum(map(len, told["unreviewed"].values()))
    click.echo(f"\n{waiting} closed incidents wait for a review: `rollback-agent review open` lists them.")


def show_unreviewed(waiting: Mapping[str, Sequence[str]]) -> None:
    """The incidents that wait for a review."""
    if not waiting:
        click.echo("Every closed incident has been reviewed.")
    for deployment, incidents in waiting.items():
        for incident in incidents:
            click.echo(f"{plain(deployment)}  {incident}")


def show_patterns(found: Iterable[Pattern]) -> None:
    """The catalogue."""
    listed = list(found)
    if not listed:
        click.echo("No review has named a failure pattern yet.")
        return
    table = new_table("pattern", "seen", "rollback necessary", "last", "shows", "causes", whole=("pattern", "last"))
    for one in listed:
        necessary = f"{one.rollbacks_necessary} of {one.seen}"
        texts = (one.name, one.seen, necessary, clock_time(one.last_at), ", ".join(one.features), "; ".join(one.causes))
        table.add_row(*map(safe, texts))
    print_table(table)


def _show_accuracy(rows: Sequence[Document]) -> None:
    counts_of = ("right", "needless", "missed", "restraint")
    columns = ("deployment", "branch", *counts_of, "precision", "recall", "lead", "delay")
    table = new_table(*columns, whole=columns)
    for one in rows:
        outcomes = one["outcomes"]
        counts = (outcomes[name] for name in ("right_rollback", "needless_rollback", "missed", "right_restraint"))
        shares = (_share(one["precision"]), _share(one["recall"]))
        times = (signed_in_words(one["lead_seconds"]), signed_in_words(one["delay_seconds"]))
        table.add_row(*map(safe, (one["deployment"], one["branch"], *counts, *shares, *times)))
    print_table(table)


def _show_calibration(found: Sequence[Document]) -> None:
    for one in found:
        score = f"Brier score {one['brier']:.3f} (0 is perfect, 0.25 a coin)"
        click.echo(f"\nConfidences of {plain(one['deployment'])}: {score}")
        table = new_table("confidence", "rollbacks", "necessary")
        for row in one["reliability"]:
            table.add_row(f"{row['confidence']:.2f}", str(row["of"]), _share(row))
        print_table(table)


def _show_answers(rows: Sequence[Document]) -> None:
    click.echo()
    table = new_table("deployment", "question", "yes", "no", "unsure")
    for one in rows:
        texts = (one["deployment"], one["question"].replace("_", " "), one["yes"], one["no"], one["unsure"])
        table.add_row(*map(safe, texts))
    print_table(table)


def _share(share: Mapping[str, Any]) -> str:
    if share["ratio"] is None:
        return "-"
    return f"{share['ratio']:.0%} ({share['low']:.0%} to {share['high']:.0%})"
