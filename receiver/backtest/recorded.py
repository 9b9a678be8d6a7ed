"""What was decided at the time, live and by each shadow, as Prometheus has recorded what fired."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from receiver.backtest.activity import Span
from receiver.backtest.decisions import DecisionSpan, spans
from receiver.backtest.replay import FIRING, Fired
from receiver.backtest.samples import History, slices
from receiver.backtest.shadow import BRANCH, SHADOW, SHADOW_BRANCH
from receiver.config import DecisionBounds

IN_SHADOW = f'ALERTS{{alertstate="firing",{SHADOW}!="",{SHADOW_BRANCH}!=""}}'


@dataclass(frozen=True, slots=True)
class Recorded:
    """The decisions of the live rules, or those of a shadow."""

    shadow: str | None
    decisions: tuple[DecisionSpan, ...]

    @property
    def name(self) -> str:
        """What people call it."""
        return "live" if self.shadow is None else f"shadow {self.shadow}"


def recorded(
    history: History, span: Span, bounds: DecisionBounds, is_wanted: Callable[[str], bool]
) -> tuple[Recorded, ...]:
    """What was decided in a period, live and then by each shadow; only those of which anything fired."""
    fired: dict[tuple[str, str], dict[float, list[dict[str, str]]]] = {}
    for first, last in slices(span.since, span.until, span.step):
        for query in (FIRING, IN_SHADOW):
            for one in history.query_range(query, first, last, span.step):
                deployment, shadow = one.metric.get("deployment", ""), one.metric.get(SHADOW, "")
                if not is_wanted(deployment):
                    continue
                labels = {BRANCH: one.metric[SHADOW_BRANCH]} if SHADOW_BRANCH in one.metric else {}
                moments = fired.setdefault((shadow, deployment), defaultdict(list))
                for at, _ in one.values:
                    moments[at].append({**one.metric, **labels})
    found: dict[str, list[DecisionSpan]] = defaultdict(list)
    for (shadow, deployment), moments in sorted(fired.items()):
        told = [Fired(at, tuple(alerts)) for at, alerts in moments.items()]
        found[shadow] += spans(deployment, told, span.step, bounds)
    return tuple(Recorded(shadow or None, tuple(decisions)) for shadow, decisions in found.items())


def is_the_same(one: DecisionSpan, other: DecisionSpan) -> bool:
    """Whether the same branch decided the same on the same deployment at some moment of both."""
    what, which = ((each.deployment, each.decision.branch, each.decision.action) for each in (one, other))
    return what == which and one.since <= other.until and other.since <= one.until
