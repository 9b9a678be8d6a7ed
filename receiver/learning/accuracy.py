"""How good the decisions were, of all reviewed incidents, by deployment and by branch."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from receiver.journal.reviews import Review
from receiver.learning.arithmetic import Forecast, Reliability, Share, brier, reliability
from receiver.model import Found, Worth

ALL = "all"
"""Stands for every branch."""
QUESTIONS = ("necessary", "level_right", "hotfix_possible")


@dataclass(frozen=True, slots=True)
class Accuracy:
    """The reviewed incidents of one deployment and one branch, or of all its branches; times are medians in seconds."""

    deployment: str
    branch: str
    outcomes: dict[Worth, int]
    lead: float | None
    """From the decision to when a person noticed the fault: how much earlier the agent was; negative, later."""
    delay: float | None
    """From the beginning of the fault to the decision."""

    @property
    def precision(self) -> Share:
        """How many of the rollbacks that it decided were necessary."""
        right = self.outcomes[Worth.RIGHT_ROLLBACK]
        return Share(right, right + self.outcomes[Worth.NEEDLESS_ROLLBACK])

    @property
    def recall(self) -> Share:
        """How many of the rollbacks that were necessary it decided."""
        right = self.outcomes[Worth.RIGHT_ROLLBACK]
        return Share(right, right + self.outcomes[Worth.MISSED])


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether confidences mean what they say, of one deployment."""

    deployment: str
    brier: float | None
    table: tuple[Reliability, ...]


def outcome(review: Review) -> Worth:
    """What the decision was worth."""
    if review.necessary is Found.UNSURE:
        return Worth.UNSURE
    if review.necessary is Found.YES:
        return Worth.RIGHT_ROLLBACK if review.decided_rollback else Worth.MISSED
    return Worth.NEEDLESS_ROLLBACK if review.decided_rollback else Worth.RIGHT_RESTRAINT


def accuracy(reviews: Iterable[Review]) -> tuple[Accuracy, ...]:
    """One for each deployment, over all branches, followed by one for each of its branches."""
    groups: defaultdict[tuple[str, str], list[Review]] = defaultdict(list)
    for review in reviews:
        groups[review.deployment, ALL].append(review)
        groups[review.deployment, review.branch].append(review)
    order = sorted(groups, key=lambda key: (key[0], key[1] != ALL, key[1]))
    return tuple(_accuracy(*key, groups[key]) for key in order)


def calibration(reviews: Iterable[Review]) -> tuple[Calibration, ...]:
    """One for each deployment that has a reviewed rollback with a confidence."""
    forecasts: defaultdict[str, list[Forecast]] = defaultdict(list)
    for one in reviews:
        if one.confidence is not None and one.decided_rollback and one.necessary is not Found.UNSURE:
            forecasts[one.deployment].append((one.confidence, one.necessary is Found.YES))
    return tuple(Calibration(name, brier(found), reliability(found)) for name, found in sorted(forecasts.items()))


def given(reviews: Iterable[Review]) -> Counter[tuple[str, str, str]]:
    """How often each answer was given, by deployment and question."""
    return Counter((one.deployment, name, str(getattr(one, name))) for one in reviews for name in QUESTIONS)


def _accuracy(deployment: str, branch: str, reviews: Sequence[Review]) -> Accuracy:
    outcomes = Counter(map(outcome, reviews))
    right = [one for one in reviews if outcome(one) is Worth.RIGHT_ROLLBACK and one.decided_at is not None]
    return Accuracy(
        deployment,
        branch,
        {one: outcomes[one] for one in Worth},
        _median(one.noticed_at - one.decided_at for one in right if one.noticed_at and one.decided_at),
        _median(one.decided_at - one.began_at for one in right if one.began_at and one.decided_at),
    )


def _median(values: Iterable[float]) -> float | None:
    found = list(values)
    return median(found) if found else None
