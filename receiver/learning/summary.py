"""All that reviews say together, as a plain document for programs and the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from receiver.journal.reviews import Review
from receiver.learning.accuracy import QUESTIONS, Accuracy, accuracy, calibration, given
from receiver.learning.arithmetic import Share
from receiver.model import Found

Document = dict[str, Any]


def summary(reviews: Sequence[Review]) -> Document:
    """Accuracy by deployment and branch, calibration by deployment, and how often each answer was given."""
    answers = given(reviews)
    deployments = sorted({one.deployment for one in reviews})
    return {
        "reviewed": len(reviews),
        "accuracy": [_accuracy(one) for one in accuracy(reviews)],
        "calibration": [
            {
                "deployment": one.deployment,
                "brier": one.brier,
                "reliability": [
                    {"confidence": row.confidence, **_share(row.came_true, "necessary")} for row in one.table
                ],
            }
            for one in calibration(reviews)
        ],
        "answers": [
            {"deployment": name, "question": question, **{word: answers[name, question, word] for word in Found}}
            for name in deployments
            for question in QUESTIONS
        ],
    }


def _accuracy(one: Accuracy) -> Document:
    return {
        "deployment": one.deployment,
        "branch": one.branch,
        "outcomes": dict(one.outcomes),
        "precision": _share(one.precision, "hits"),
        "recall": _share(one.recall, "hits"),
        "lead_seconds": one.lead,
        "delay_seconds": one.delay,
    }


def _share(share: Share, hits: str) -> Document:
    low, high = share.interval
    return {hits: share.hits, "of": share.of, "ratio": share.ratio, "low": low, "high": high}
