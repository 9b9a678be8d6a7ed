"""The arithmetic of reviews: shares with their intervals, the Brier score, the reliability of confidences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

LEVEL = 0.95
"""How sure an interval is to hold the true share."""
_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)

Forecast = tuple[float, bool]
"""A probability that was told beforehand, and whether it came to be."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many; `ratio` is None where there are none, and then the interval is all that is possible."""

    hits: int
    of: int

    @property
    def ratio(self) -> float | None:
        """The share, 0 to 1."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's score interval at LEVEL (JASA 22, 1927), which is right for few cases and for shares at 0 and 1."""
        if not self.of:
            return 0.0, 1.0
        n, share = self.of, self.hits / self.of
        centre = share + _Z * _Z / (2 * n)
        spread = _Z * math.sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
        whole = 1 + _Z * _Z / n
        low, high = (centre - spread) / whole, (centre + spread) / whole
        return (0.0 if self.hits == 0 else low), (1.0 if self.hits == n else high)


@dataclass(frozen=True, slots=True)
class Reliability:
    """What became of the forecasts of one confidence."""

    confidence: float
    came_true: Share


def brier(forecasts: Sequence[Forecast]) -> float | None:
    """The mean squared distance of forecasts from what came (G. W. Brier, 1950): 0 is perfect, 0.25 a coin."""
    if not forecasts:
        return None
    return math.fsum((told - came) ** 2 for told, came in forecasts) / len(forecasts)


def reliability(forecasts: Sequence[Forecast]) -> tuple[Reliability, ...]:
    """How often each confidence came true, lowest first.

    One row a confidence, since the tree tells only as many as it has branches; nothing need be put into bins.
    """
    told = Counter(confidence for confidence, _ in forecasts)
    came = Counter(confidence for confidence, is_true in forecasts if is_true)
    return tuple(Reliability(one, Share(came[one], told[one])) for one in sorted(told))
