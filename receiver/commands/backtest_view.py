"""Shows what a replay has found: the decisions, the reviewed incidents beside them, and the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

import click
from rich.table import Table

from receiver.backtest.decisions import ROLLS_BACK, Course, DecisionSpan
from receiver.backtest.guarded import Stopped
from receiver.backtest.judged import Judged, Judgement, Matrix
from receiver.backtest.reviewed import NO_REVIEW, Reviews
from receiver.backtest.run import Replayed, Replayer
from receiver.commands.terminal import new_table, print_table, safe
from receiver.durations import clock_time, in_words, signed_in_words
from receiver.plural import several

ONE_ATTEMPT = "its incident had had its one attempt, and nothing is rolled back twice"
Judgements = tuple[Judgement, Judgement]
"""By all rollbacks, and by those that no person would have been asked about."""


def print_stopped(replayed: Replayed, found: Sequence[Stopped]) -> None:
    """Which rollbacks would not have been done, and who would have refused them."""
    count = sum(one.course is Course.ROLLED_BACK for one in replayed.decisions)
    click.echo(f"\nOf {several(count, 'rollback')} without asking, {len(found)} would not have been done:")
    for one in found:
        why = "; ".join(f"{refusal.guardrail}: {refusal.reason}" for refusal in one.refusals) or ONE_ATTEMPT
        click.echo(
            safe(
                f"  {clock_time(one.decision.since)}  {one.decision.deployment}  {one.decision.decision.branch}  {why}"
            )
        )


def print_replayed(
    replayer: Replayer, replayed: Replayed, reviews: Reviews | str, judgements: Judgements | None
) -> None:
    """Everything, for people; in place of reviews, why there are none."""
    span = replayed.span
    click.echo(
        f"{clock_time(span.since)} to {clock_time(span.until)}: {span.count} evaluations, {span.step} s apart; "
        f"promtool evaluated {replayed.steps}, in all others no branch's condition held"
    )
    click.echo(f"\n{several(len(replayed.decisions), 'decision')}")
    if replayed.decisions:
        print_table(_decisions(replayer, replayed.decisions))
    if isinstance(reviews, str) or judgements is None:
        click.echo(f"\nNobody has said which of them are right: {reviews}. Give --reviewed, or review incidents.")
        return
    every, alone = judgements
    click.echo(f"\n{several(len(every.incidents), 'reviewed incident')}, by {safe(reviews.source)}")
    if every.incidents:
        print_table(_incidents(every))
    _print_coverage(replayed, reviews, every)
    if not every.incidents:
        return
    if every.not_reviewed:
        click.echo("\nRolled back where nobody has reviewed anything; counted as wrong")
        print_table(_decisions(replayer, every.not_reviewed))
    click.echo("")
    print_table(matrix_table({"rolled back or proposed": every.matrix, "rolled back without asking": alone.matrix}))
    click.echo("")
    print_table(_times(every, alone))


def _print_coverage(replayed: Replayed, reviews: Reviews, every: Judgement) -> None:
    """What of all that would have been rolled back has a review, and why other incidents say nothing."""
    count = sum(one.course in ROLLS_BACK for one in replayed.decisions)
    outside, unknown = len(every.not_reviewed), len(every.unanswered)
    click.echo(
        f"\nOf {several(count, 'rollback')}, {count - outside - unknown} are in reviewed incidents or right after, "
        f"{unknown} in incidents without an answer (in no figure), {outside} where there was no incident (wrong ones)"
    )
    reasons = Counter(one.why for one in reviews.unanswered)
    for why, count in sorted(reasons.items()):
        click.echo(f"  {several(count, 'incident')} without an answer: {why}")
    if reasons[NO_REVIEW]:
        click.echo("  `rollback-agent review open` lists what nobody has reviewed")


def _decisions(replayer: Replayer, decisions: tuple[DecisionSpan, ...]) -> Table:
    table = new_table("when", "deployment", "decision", "branch", "for", "release", "live for", whole=("when",))
    for one in decisions:
        release, age = None, None
        if one.course in ROLLS_BACK:
            release, age = replayer.release_at(one.deployment, one.since)
        table.add_row(
            clock_time(one.since),
            safe(one.deployment),
            one.course.value,
            safe(one.decision.branch),
            in_words(one.until - one.since),
            safe(release or "-"),
            "-" if age is None else in_words(age),
        )
    return table


def _incidents(judgement: Judgement) -> Table:
    table = new_table(
        "since", "deployment", "cause", "remedy", "decided", "after", "before a person", "failed until", "failed after"
    )
    for one in judgement.incidents:
        branch = f"{one.rollback.course.value} by {one.rollback.decision.branch}" if one.rollback else "no rollback"
        table.add_row(
            clock_time(one.incident.since),
            safe(one.incident.deployment),
            safe(one.incident.cause or "-"),
            "rollback" if one.incident.rollback else "another",
            safe(branch if one.is_right else f"WRONG: {branch}"),
            signed_in_words(one.delay),
            signed_in_words(one.lead),
            f"{one.waited:.0f}",
            "-" if one.at is None else f"{one.spared:.0f}",
        )
    return table


def matrix_table(named: Mapping[str, Matrix]) -> Table:
    """A column for each matrix, under its name."""
    table = new_table("", *named)
    both = tuple(named.values())
    table.add_row("rollback was the remedy: done", *(str(one.true_positives) for one in both))
    table.add_row("rollback was the remedy: missed", *(str(one.false_negatives) for one in both))
    table.add_row(
        "it was not: done all the same", *(f"{one.false_positives} ({one.not_reviewed} not reviewed)" for one in both)
    )
    table.add_row("it was not: left alone", *(str(one.true_negatives) for one in both))
    table.add_row("precision", *(_share(one.precision) for one in both))
    table.add_row("recall", *(_share(one.recall) for one in both))
    table.add_row("F1", *(_share(one.f1) for one in both))
    return table


def _times(every: Judgement, alone: Judgement) -> Table:
    table = new_table("of right rollbacks", "rolled back or proposed", "rolled back without asking")
    found = [one.right_rollbacks for one in (every, alone)]
    delays = [[one.delay for one in rollbacks if one.delay is not None] for rollbacks in found]
    leads = [[one.lead for one in rollbacks if one.lead is not None] for rollbacks in found]
    table.add_row("to the decision: median (longest)", *(_spread(one, max) for one in delays))
    table.add_row("before a person acted: median (least)", *(_spread(one, min) for one in leads))
    table.add_row("failed requests until it, in all", *(f"{sum(one.waited for one in each):.0f}" for each in found))
    table.add_row("failed requests after it, in all", *(f"{sum(one.spared for one in each):.0f}" for each in found))
    return table


def _spread(values: list[float], extreme: Callable[[list[float]], float]) -> str:
    return f"{signed_in_words(median(values))} ({signed_in_words(extreme(values))})" if values else "-"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def replayed_as_json(
    replayer: Replayer, replayed: Replayed, reviews: Reviews | str, judgements: Judgements | None
) -> dict[str, Any]:
    """Everything, for programs; moments are Unix seconds."""
    span = replayed.span
    return {
        "since": span.since,
        "until": span.until,
        "every": span.step,
        "evaluations": span.count,
        "evaluated": replayed.steps,
        "decisions": [decision_as_json(one) | _release(replayer, one) for one in replayed.decisions],
        "reviewed_by": reviews.source if isinstance(reviews, Reviews) else None,
        "reviewed": None if judgements is None else [_judged(one) for one in judgements[0].incidents],
        "unanswered": [asdict(one) for one in reviews.unanswered] if isinstance(reviews, Reviews) else None,
        "rollbacks_unanswered": None if judgements is None else len(judgements[0].unanswered),
        "matrix": None
        if judgements is None
        else {
            name: matrix_as_json(one.matrix) for name, one in zip(("all", "without_asking"), judgements, strict=True)
        },
    }


def stopped_as_json(one: Stopped) -> dict[str, Any]:
    """The same for programs; nobody refused a second attempt of an incident."""
    return {
        "deployment": one.decision.deployment,
        "since": one.decision.since,
        "branch": one.decision.decision.branch,
        "refusals": [{"guardrail": refusal.guardrail, "reason": refusal.reason} for refusal in one.refusals],
        "reason": None if one.refusals else ONE_ATTEMPT,
    }


def _release(replayer: Replayer, one: DecisionSpan) -> dict[str, Any]:
    release, age = replayer.release_at(one.deployment, one.since) if one.course in ROLLS_BACK else (None, None)
    return {"release": release, "release_age": age}


def decision_as_json(one: DecisionSpan) -> dict[str, Any]:
    """A decision for programs; moments are Unix seconds."""
    return {
        "deployment": one.deployment,
        "since": one.since,
        "until": one.until,
        "course": one.course.value,
        "branch": one.decision.branch,
        "action": one.decision.action.value,
        "level": one.decision.level,
        "confidence": one.decision.confidence,
    }


def _judged(one: Judged) -> dict[str, Any]:
    incident = one.incident
    return {
        "deployment": incident.deployment,
        "since": incident.since,
        "until": incident.until,
        "cause": incident.cause,
        "rollback_was_the_remedy": incident.rollback,
        "rolled_back_by": one.rollback.decision.branch if one.rollback else None,
        "course": one.rollback.course.value if one.rollback else None,
        "right": one.is_right,
        "delay": one.delay,
        "lead": one.lead,
        "failed_until_decision": one.waited,
        "failed_after_decision": one.spared,
    }


def matrix_as_json(matrix: Matrix) -> dict[str, Any]:
    """The counts, and what follows from them."""
    return {
        "true_positives": matrix.true_positives,
        "false_positives": matrix.false_positives,
        "false_negatives": matrix.false_negatives,
        "true_negatives": matrix.true_negatives,
        "not_reviewed": matrix.not_reviewed,
        "precision": matrix.precision,
        "recall": matrix.recall,
        "f1": matrix.f1,
    }
