"""Metrics of what people found of past incidents: how good the decisions were, and whether confidences are true."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

import sqlalchemy as sa
from prometheus_client.core import GaugeMetricFamily, Metric

from receiver.journal import reviews
from receiver.journal.reviews import Review
from receiver.learning.accuracy import ALL, QUESTIONS, Accuracy, accuracy, calibration, given
from receiver.learning.arithmetic import Share
from receiver.model import Found


def review_metrics(tx: sa.Connection, deployments: Iterable[str]) -> Iterator[Metric]:
    """Gauges, since a review can be corrected; of each share the estimate and both ends of its interval."""
    names = tuple(deployments)
    found = reviews.find(tx)
    waiting = reviews.unreviewed(tx)
    one = ("deployment",)
    left = GaugeMetricFamily("rollback_incidents_unreviewed", "Closed incidents without a review.", labels=one)
    for name in names:
        left.add_metric((name,), len(waiting.get(name, ())))
    yield left
    yield _answers(found, names)
    yield from _accuracy(accuracy(found))
    yield from _calibration(found)


def _answers(found: Iterable[Review], names: Iterable[str]) -> Metric:
    labels = ("deployment", "question", "answer")
    family = GaugeMetricFamily("rollback_review_answers", "Answers in reviews.", labels=labels)
    counted = given(found)
    for key in sorted({*product(names, QUESTIONS, map(str, Found)), *counted}):
        family.add_metric(key, counted[key])
    return family


def _accuracy(found: Iterable[Accuracy]) -> Iterator[Metric]:
    labels = ("deployment", "branch")
    worth = GaugeMetricFamily(
        "rollback_reviewed_incidents", "Reviewed incidents by what the decision was worth.", labels=(*labels, "outcome")
    )
    precision = GaugeMetricFamily(
        "rollback_decision_precision_ratio", "Decided rollbacks that were necessary.", labels=(*labels, "bound")
    )
    recall = GaugeMetricFamily(
        "rollback_decision_recall_ratio", "Necessary rollbacks that were decided.", labels=(*labels, "bound")
    )
    lead = GaugeMetricFamily(
        "rollback_decision_lead_seconds", "Median time from the decision to a person's noticing.", labels=labels
    )
    delay = GaugeMetricFamily(
        "rollback_decision_delay_seconds", "Median time from the beginning of the fault to the decision.", labels=labels
    )
    for one in found:
        of = (one.deployment, one.branch)
        if one.branch != ALL:  # so that a sum counts nothing twice
            for outcome, count in one.outcomes.items():
                worth.add_metric((*of, outcome), count)
        _add_share(precision, of, one.precision)
        _add_share(recall, of, one.recall)
        for family, seconds in ((lead, one.lead), (delay, one.delay)):
            if seconds is not None:
                family.add_metric(of, seconds)
    yield from (worth, precision, recall, lead, delay)


def _calibration(found: Iterable[Review]) -> Iterator[Metric]:
    score = GaugeMetricFamily(
        "rollback_confidence_brier_score", "Mean squared error of confidences: 0 is perfect.", labels=("deployment",)
    )
    told = GaugeMetricFamily(
        "rollback_confidence_reviewed", "Reviewed rollbacks by confidence.", labels=("deployment", "confidence")
    )
    came = GaugeMetricFamily(
        "rollback_confidence_necessary_ratio",
        "Of the reviewed rollbacks of a confidence, those that were necessary.",
        labels=("deployment", "confidence", "bound"),
    )
    for one in calibration(found):
        if one.brier is not None:
            score.add_metric((one.deployment,), one.brier)
        for row in one.table:
            of = (one.deployment, f"{row.confidence:g}")
            told.add_metric(of, row.came_true.of)
            _add_share(came, of, row.came_true)
    yield from (score, told, came)


def _add_share(family: GaugeMetricFamily, labels: tuple[str, ...], share: Share) -> None:
    """Nothing where there is nothing to divide by: an interval of all that is possible says nothing."""
    if share.ratio is None:
        return
    low, high = share.interval
    for bound, value in (("estimate", share.ratio), ("lower", low), ("upper", high)):
        family.add_metric((*labels, bound), value)
