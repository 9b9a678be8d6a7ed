"""Shows what a sweep has found: a line for each value, and the values that would have been better."""

from __future__ import annotations

import json
from collections.abc import Sequence
from statistics import median
from typing import Any

import click

from receiver.backtest.judged import Judgement
from receiver.backtest.sweep import Change, Point, Proposal, proposals
from receiver.commands.backtest_view import matrix_as_json
from receiver.commands.terminal import new_table, print_table, safe
from receiver.durations import in_words


def print_sweep(points: Sequence[Point], present: Judgement, as_json: bool) -> None:
    """The table and the proposals, for people or for programs."""
    proposed = list(proposals(points, present))
    if as_json:
        click.echo(json.dumps(_as_json(points, present, proposed), indent=2))
        return
    table = new_table(
        points[0].setting.name,
        "right",
        "false",
        "missed",
        "left alone",
        "precision",
        "recall",
        "F1",
        "median delay",
        "failed until",
    )
    _row(table.add_row, "as it is", present)
    for point in points:
        _row(table.add_row, point.setting.value, point.judgement)
    print_table(table)
    if not proposed:
        click.echo("\nNone of these values is better than the present one.")
    for proposal in proposed:
        click.echo(f"\n{proposal.point.setting}: {proposal.why}. It would have changed:")
        for change in proposal.changes:
            click.echo(f"  {_told(change)}")
        if proposal.not_reviewed:
            more = "more" if proposal.not_reviewed > 0 else "fewer"
            click.echo(f"  {abs(proposal.not_reviewed)} {more} rollbacks where nobody has reviewed anything")


def _row(add: Any, value: str, judgement: Judgement) -> None:
    matrix = judgement.matrix
    delays = [one.delay for one in judgement.right_rollbacks if one.delay is not None]
    waited = sum(one.waited for one in judgement.incidents if one.incident.rollback)
    add(
        value,
        str(matrix.true_positives),
        f"{matrix.false_positives} ({matrix.not_reviewed} not reviewed)",
        str(matrix.false_negatives),
        str(matrix.true_negatives),
        *("-" if one is None else f"{one:.1%}" for one in (matrix.precision, matrix.recall, matrix.f1)),
        in_words(median(delays)) if delays else "-",
        f"{waited:.0f}",
    )


def _told(change: Change) -> str:
    incident = change.before.incident
    what = "rolled back" if change.after.rollback else "not rolled back"
    verdict = "right" if change.after.is_right else "WRONG"
    cause = f" ({safe(incident.cause)})" if incident.cause else ""
    return f"{safe(incident.deployment)}{cause}: {what}, which is {verdict}"


def _as_json(points: Sequence[Point], present: Judgement, proposed: Sequence[Proposal]) -> dict[str, Any]:
    return {
        "present": matrix_as_json(present.matrix),
        "points": [{"setting": str(one.setting), **matrix_as_json(one.judgement.matrix)} for one in points],
        "proposals": [
            {
                "setting": str(one.point.setting),
                "why": one.why,
                "not_reviewed": one.not_reviewed,
                "changes": [
                    {
                        "deployment": change.before.incident.deployment,
                        "since": change.before.incident.since,
                        "cause": change.before.incident.cause,
                        "rolled_back": change.after.rollback is not None,
                        "right": change.after.is_right,
                    }
                    for change in one.changes
                ],
            }
            for one in proposed
        ],
    }
