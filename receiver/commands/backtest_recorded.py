"""Shows what was decided at the time, live and in shadow, beside what a replay has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from receiver.backtest.decisions import DecisionSpan
from receiver.backtest.judged import Matrix, judge
from receiver.backtest.recorded import Recorded, is_the_same
from receiver.backtest.reviewed import Reviews
from receiver.commands.backtest_view import decision_as_json, matrix_as_json, matrix_table
from receiver.commands.terminal import new_table, print_table, safe
from receiver.durations import clock_time


def print_recorded(found: Sequence[Recorded], replayed: Sequence[DecisionSpan], reviews: Reviews | str) -> None:
    """A line for each decision, and when each of the others made it; then what was right, where that is known."""
    if not found:
        click.echo("\nPrometheus has recorded no decision of this time, neither live nor in shadow.")
        return
    click.echo("\nBeside what was recorded at the time: when each decided so")
    everyone = {"replayed": tuple(replayed), **{one.name: one.decisions for one in found}}
    table = new_table("date", "deployment", "decision", "branch", *everyone, whole=("date", *everyone))
    for one, began in _together(everyone):
        times = (clock_time(began[name])[11:] if name in began else "-" for name in everyone)
        branch = safe(one.decision.branch)
        table.add_row(clock_time(one.since)[:10], safe(one.deployment), one.course.value, branch, *times)
    print_table(table)
    if isinstance(reviews, Reviews) and reviews.incidents:
        click.echo("")
        print_table(matrix_table({one.name: _matrix(one, reviews) for one in found}))


def recorded_as_json(found: Sequence[Recorded], reviews: Reviews | str) -> list[dict[str, Any]]:
    """The same for programs; `shadow` is null for what was live."""
    return [
        {
            "shadow": one.shadow,
            "decisions": [decision_as_json(decision) for decision in one.decisions],
            "matrix": matrix_as_json(_matrix(one, reviews)) if isinstance(reviews, Reviews) else None,
        }
        for one in found
    ]


def _together(everyone: Mapping[str, Sequence[DecisionSpan]]) -> list[tuple[DecisionSpan, dict[str, float]]]:
    """Each decision once, the oldest first, with when each of those who made it did so (Unix seconds)."""
    rows: list[tuple[DecisionSpan, dict[str, float]]] = []
    for name, decisions in everyone.items():
        for one in decisions:
            began = next((began for other, began in rows if is_the_same(one, other)), None)
            if began is None:
                rows.append((one, {name: one.since}))
            else:
                began.setdefault(name, one.since)
    return sorted(rows, key=lambda row: min(row[1].values()))


def _matrix(one: Recorded, reviews: Reviews) -> Matrix:
    return judge(reviews.incidents, one.decisions, lambda *_: 0.0, unanswered=reviews.unanswered).matrix
