"""Sets what would have been decided beside what people have found: hits, mistakes, how early, and what waiting cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from receiver.backtest.decisions import ROLLS_BACK, Course, DecisionSpan
from receiver.backtest.reviewed import Incident, Unanswered

AFTERMATH = 360.0
"""Seconds for which the longest window remembers an incident: what is decided then is neither right nor wrong."""
Cost = Callable[[str, float, float], float]
"""Requests of a deployment that failed between two moments (Unix seconds)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One reviewed incident with the first rollback in it, if there was one; moments are Unix seconds."""

    incident: Incident
    rollback: DecisionSpan | None
    at: float | None
    """When it was decided; a rollback that was decided before the incident began counts from its beginning."""
    waited: float
    """Requests that failed until then, or until the end where nothing was decided."""
    spared: float
    """Requests that failed between the decision and the end."""

    @property
    def is_right(self) -> bool:
        """Whether it was rolled back where that was the remedy, and only there."""
        return (self.rollback is not None) is self.incident.rollback

    @property
    def delay(self) -> float | None:
        """Seconds from the beginning to the decision, where both are known."""
        return self.at - self.incident.since if self.at is not None and self.incident.began_is_known else None

    @property
    def lead(self) -> float | None:
        """Seconds by which the decision came before a person acted; less than 0 where it came later."""
        by_hand = self.incident.mitigated_at
        return None if self.at is None or by_hand is None else by_hand - self.at


@dataclass(frozen=True, slots=True)
class Matrix:
    """How many reviewed incidents were rolled back, and how many not, where it was the remedy and where not.

    A rollback in a time that nobody has reviewed counts as a false one: nobody has asked for it.
    """

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    not_reviewed: int = 0
    """How many of the false ones are in no reviewed incident."""

    @property
    def precision(self) -> float | None:
        """The share of rollbacks that were right; None where there was none."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """The share of incidents whose remedy was a rollback that were rolled back; None where there is none."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both: 2 TP / (2 TP + FP + FN)."""
        wrong = self.false_positives + self.false_negatives
        return _share(2 * self.true_positives, 2 * self.true_positives + wrong)


@dataclass(frozen=True, slots=True)
class Judgement:
    """All reviewed incidents in their order, and the rollbacks that are in none of them."""

    incidents: tuple[Judged, ...]
    not_reviewed: tuple[DecisionSpan, ...]
    unanswered: tuple[DecisionSpan, ...] = ()
    """Rollbacks in incidents of which nobody has said whether they were right: they are in no figure."""

    @property
    def matrix(self) -> Matrix:
        """How often it was right, and how often not."""
        wanted = [one.rollback is not None for one in self.incidents if one.incident.rollback]
        unwanted = [one.rollback is not None for one in self.incidents if not one.incident.rollback]
        return Matrix(
            true_positives=sum(wanted),
            false_positives=sum(unwanted) + len(self.not_reviewed),
            false_negatives=len(wanted) - sum(wanted),
            true_negatives=len(unwanted) - sum(unwanted),
            not_reviewed=len(self.not_reviewed),
        )

    @property
    def right_rollbacks(self) -> tuple[Judged, ...]:
        """Those that were rolled back and had to be."""
        return tuple(one for one in self.incidents if one.incident.rollback and one.rollback)


def judge(
    incidents: Iterable[Incident],
    spans: Sequence[DecisionSpan],
    cost: Cost,
    courses: Sequence[Course] = ROLLS_BACK,
    unanswered: Iterable[Unanswered] = (),
) -> Judgement:
    """Each incident with the first rollback in its time; a rollback is a decision of one of these courses."""
    rollbacks = sorted((one for one in spans if one.course in courses), key=lambda one: one.since)
    told = tuple(incidents)
    judged = tuple(_judged(incident, rollbacks, cost) for incident in sorted(told, key=lambda one: one.since))
    beside = [one for one in rollbacks if not any(_meets(one, incident, AFTERMATH) for incident in told)]
    open_ = tuple(unanswered)
    unknown = tuple(one for one in beside if any(_meets(one, question, AFTERMATH) for question in open_))
    return Judgement(judged, tuple(one for one in beside if one not in unknown), unknown)


def _judged(incident: Incident, rollbacks: Sequence[DecisionSpan], cost: Cost) -> Judged:
    first = next((one for one in rollbacks if _meets(one, incident)), None)
    at = None if first is None else max(first.since, incident.since)
    waited = cost(incident.deployment, incident.since, incident.until if at is None else at)
    spared = 0.0 if at is None else cost(incident.deployment, at, incident.until)
    return Judged(incident, first, at, waited, spared)


def _meets(span: DecisionSpan, incident: Incident | Unanswered, aftermath: float = 0.0) -> bool:
    same = span.deployment == incident.deployment
    return same and span.since <= incident.until + aftermath and span.until >= incident.since


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
