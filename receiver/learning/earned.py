"""What a branch has earned: whether its reviews allow it to roll back without asking, and what takes that away."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from receiver.config.earned import EarnedAutonomy
from receiver.journal.earned import Earned
from receiver.journal.reviews import Review
from receiver.learning.accuracy import outcome
from receiver.learning.arithmetic import Share
from receiver.model import Autonomy, Found, Result, Worth

GONE_WRONG = frozenset({Result.NO_EFFECT, Result.WORSE, Result.INCONCLUSIVE, Result.FAILED, Result.UNKNOWN})
"""The ends of a run after which a branch asks again: whatever was begun and is not known to have helped."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for one branch: its approved rollbacks that were right, and the precision of all it decided."""

    approved: int
    precision: Share

    @property
    def low(self) -> float:
        """The lower end of the precision's interval."""
        return self.precision.interval[0]

    def suffices(self, needed: EarnedAutonomy) -> bool:
        """Whether it is enough for L4."""
        return self.approved >= needed.approved and self.low >= needed.precision

    def against(self, needed: EarnedAutonomy) -> str:
        """How far it is, in words."""
        low = math.floor(self.low * 1000) / 1000  # what is not enough must not look as if it were
        return (
            f"{self.approved} of {needed.approved} approved, lower bound of precision {low:g} of {needed.precision:g}"
        )


def counts(review: Review, since: float) -> bool:
    """Whether a review is of what was decided after `since` (Unix seconds).

    Where nobody knows when that was, it counts only against the branch.
    """
    return not is_right(review) if review.decided_at is None else review.decided_at > since


def is_right(review: Review) -> bool:
    """Whether the rollback was necessary, and nobody says that it was of the wrong level."""
    return outcome(review) is Worth.RIGHT_ROLLBACK and review.level_right is not Found.NO


def is_wrong(review: Review) -> bool:
    """Whether the rollback was needless, or of the wrong level; what nobody is sure of is neither."""
    worth = outcome(review)
    return worth is Worth.NEEDLESS_ROLLBACK or (worth is Worth.RIGHT_ROLLBACK and review.level_right is Found.NO)


def evidence(reviews: Iterable[Review], since: float, execute_above: float) -> Evidence:
    """What the reviews of one branch say of what was decided after `since` (Unix seconds).

    A confidence up to `execute_above` asks at L4 too, so what was approved of one earns nothing.
    """
    counted = [one for one in reviews if counts(one, since)]
    right, wrong = sum(map(is_right, counted)), sum(map(is_wrong, counted))
    approved = [one for one in counted if is_right(one) and one.approved_success]
    return Evidence(
        sum(one.confidence is not None and one.confidence > execute_above for one in approved),
        Share(right, right + wrong),
    )


def settled(earned: Earned, found: Evidence, needed: EarnedAutonomy | None, now: float, may_rise: bool) -> Earned:
    """How the branch stands by what was found; `needed` is None where the configuration lets it earn nothing.

    What it has counts on where it loses L4 so: nothing was wrong, it is only not enough any more.
    """
    enough = needed is not None and found.suffices(needed)
    if earned.level is Autonomy.L4 and not enough:
        why = found.against(needed) if needed else "the configuration does not let it earn L4"
        return _changed(earned, Autonomy.L3, why, now)
    if needed is not None and earned.level is not Autonomy.L4 and enough and may_rise:
        return _changed(earned, Autonomy.L4, found.against(needed), now)
    return earned


def begun_anew(earned: Earned, why: str, now: float, counts_from: float) -> Earned:
    """How the branch stands once something went wrong: at L3, and only what is decided after `counts_from` counts."""
    fallen = _changed(earned, Autonomy.L3, why, now) if earned.level is Autonomy.L4 else replace(earned, reason=why)
    return replace(fallen, counts_from=counts_from)


def _changed(earned: Earned, level: Autonomy, why: str, now: float) -> Earned:
    return replace(earned, level=level, changes=earned.changes + 1, changed_at=float(now), reason=why)
