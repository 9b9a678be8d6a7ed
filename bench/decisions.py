"""How often the shipped rules decide rightly on a labelled corpus of drawn incidents, and which they get wrong."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from receiver.backtest.activity import Span
from receiver.backtest.decisions import ROLLS_BACK, Course
from receiver.backtest.judged import Judged, Judgement, judge
from receiver.backtest.reviewed import read_reviewed
from receiver.backtest.rule_set import read_rule_set
from receiver.backtest.run import Replayer
from receiver.config import DecisionBounds
from receiver.durations import in_words
from receiver.prometheus_api import PrometheusApi
from receiver.rules.files import SHIPPED, TREE
from tests.corpus.history import BEGAN, LAST, STEP, draw, remembered, write_reviewed
from tests.corpus.shapes import SHAPES

EACH = 8
"""Incidents of each shape."""


def run() -> None:
    """Print precision and recall, what became of each shape, and every incident that was decided wrongly."""
    drawn = draw(EACH)
    with tempfile.TemporaryDirectory() as directory, remembered(drawn, Path(directory)) as server:
        incidents = read_reviewed(write_reviewed(drawn, Path(directory) / "reviewed.json")).incidents
        replayer = Replayer(PrometheusApi(server.url, 120.0), "promtool", DecisionBounds(), lambda _: True)
        began = time.monotonic()
        replayed = replayer.run(read_rule_set(SHIPPED / TREE), Span(BEGAN, LAST, STEP))
        took = time.monotonic() - began
        cost = replayer.failed_requests(replayed.span, ((one.deployment, one.since, one.until) for one in incidents))
    every, alone = (judge(incidents, replayed.decisions, cost, one) for one in (ROLLS_BACK, (Course.ROLLED_BACK,)))
    print(
        f"{len(incidents)} incidents of {len(SHAPES)} shapes, {replayed.span.count} evaluations of each; {took:.0f} s"
    )
    _figures(every, alone)
    _shapes(every)
    _wrong(every)


def _figures(every: Judgement, alone: Judgement) -> None:
    print("\n| | rolled back or proposed | rolled back without asking |\n|---|---|---|")
    both = (every.matrix, alone.matrix)
    for name, values in (
        ("bad releases rolled back", [f"{one.true_positives}" for one in both]),
        ("bad releases missed", [f"{one.false_negatives}" for one in both]),
        ("rolled back, and it was not the remedy", [f"{one.false_positives}" for one in both]),
        ("rightly left alone", [f"{one.true_negatives}" for one in both]),
        ("precision", [f"{one.precision:.1%}" for one in both]),
        ("recall", [f"{one.recall:.1%}" for one in both]),
    ):
        print(f"| {name} | {' | '.join(values)} |")


def _shapes(every: Judgement) -> None:
    print("\n| shape | remedy | rolled back | proposed | neither | to the decision, median (longest) | branches |")
    print("|---|---|---:|---:|---:|---|---|")
    for shape in SHAPES:
        found = [one for one in every.incidents if one.incident.cause == shape.name]
        courses = [one.rollback.course if one.rollback else None for one in found]
        branches = sorted({one.rollback.decision.branch for one in found if one.rollback})
        print(
            f"| `{shape.name}` | {'rollback' if shape.rollback else 'another'} "
            f"| {courses.count(Course.ROLLED_BACK)} | {courses.count(Course.PROPOSED)} | {courses.count(None)} "
            f"| {_delay(found) if shape.rollback else ''} | {', '.join(f'`{one}`' for one in branches)} |"
        )


def _delay(found: Sequence[Judged]) -> str:
    delays = sorted(one.delay for one in found if one.delay is not None)
    return f"{in_words(delays[len(delays) // 2])} ({in_words(delays[-1])})" if delays else "-"


def _wrong(every: Judgement) -> None:
    print("\nwrong:")
    for one in every.incidents:
        if not one.is_right:
            what = f"{one.rollback.course} by {one.rollback.decision.branch}" if one.rollback else "not rolled back"
            print(f"- {one.incident.deployment}: {what}")
    for span in every.not_reviewed:
        print(f"- {span.deployment}: {span.course} by {span.decision.branch} outside of its incident")
