"""Tries several values of one number, and says which would have been better and what each would have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from configfile import ConfigError
from receiver.backtest.judged import Judged, Judgement, Matrix
from receiver.backtest.settings import Setting, read_setting

MOST = 50
"""Values of a sweep: each is a replay."""


@dataclass(frozen=True, slots=True)
class Point:
    """What one value would have led to."""

    setting: Setting
    judgement: Judgement

    @property
    def rank(self) -> tuple[float, float, float]:
        """Sorts by how often it is right, by F1, and of equals by how few requests failed until the decisions."""
        waited = sum(one.waited for one in self.judgement.incidents if one.incident.rollback)
        return self.judgement.matrix.f1 or 0.0, self.judgement.matrix.precision or 0.0, -waited


@dataclass(frozen=True, slots=True)
class Change:
    """An incident that another value would have decided otherwise."""

    before: Judged
    after: Judged


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value that is better than the present one in a way, and all that it would have changed."""

    why: str
    point: Point
    changes: tuple[Change, ...]
    not_reviewed: int
    """How many more rollbacks there would have been where nobody has reviewed anything; negative for fewer."""


def read_sweep(text: str) -> tuple[Setting, ...]:
    """`BRANCH.NAME=A,B,C` or `BRANCH.NAME=FROM..TO/STEPS`, as settings; raises ConfigError."""
    key, _, values = text.partition("=")
    found = tuple(read_setting(f"{key}={value}") for value in _values(text, values))
    if not 2 <= len(found) <= MOST:
        raise ConfigError(f"{text}: a sweep has 2 to {MOST} values, and this has {len(found)}")
    return found


def _values(text: str, values: str) -> list[str]:
    ends, slash, steps = values.partition("/")
    first, dots, last = ends.partition("..")
    if not (slash and dots):
        return [one.strip() for one in values.split(",") if one.strip()]
    try:
        begin, end, count = Decimal(first), Decimal(last), int(steps)
        if not (begin.is_finite() and end.is_finite() and 1 <= count < MOST):
            raise ConfigError(f"{text}: a range is cut into 1 to {MOST - 1} steps")
    except (InvalidOperation, ValueError):
        raise ConfigError(f"{text}: is no range such as 0.02..0.2/9, in nine steps from the one to the other") from None
    return [f"{(begin + (end - begin) * step / count).normalize():f}" for step in range(count + 1)]


def proposals(points: Sequence[Point], present: Judgement) -> Iterator[Proposal]:
    """The best value, and the best of those that give up nothing of precision or of recall; only where it is better."""
    now = present.matrix
    precise = [one for one in points if _at_least(one.judgement.matrix.recall, now.recall)]
    complete = [one for one in points if _at_least(one.judgement.matrix.precision, now.precision)]
    told: set[Setting] = set()
    aims: tuple[tuple[str, Sequence[Point], Callable[[Matrix], float | None]], ...] = (
        ("most often right (F1)", points, lambda one: one.f1),
        ("more precise, with no rollback missed more", precise, lambda one: one.precision),
        ("fewer missed, and no less precise", complete, lambda one: one.recall),
    )
    for why, candidates, aim in aims:
        if not candidates:
            continue
        best = max(candidates, key=lambda one: (aim(one.judgement.matrix) or 0.0, one.rank))
        if (aim(best.judgement.matrix) or 0.0) > (aim(now) or 0.0) and best.setting not in told:
            told.add(best.setting)
            more = len(best.judgement.not_reviewed) - len(present.not_reviewed)
            yield Proposal(why, best, tuple(_changes(present, best.judgement)), more)


def _changes(before: Judgement, after: Judgement) -> Iterable[Change]:
    """The same incidents in the same order, where one was rolled back and the other not."""
    for one, other in zip(before.incidents, after.incidents, strict=True):
        if (one.rollback is None) is not (other.rollback is None):
            yield Change(one, other)


def _at_least(value: float | None, bound: float | None) -> bool:
    return (value or 0.0) >= (bound or 0.0)
