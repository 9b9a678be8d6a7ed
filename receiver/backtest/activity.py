"""Finds when anything that a branch looks for was there at all; the rest of the time need not be replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from receiver.backtest.rule_set import ReplayedRule, RuleSet
from receiver.backtest.samples import History, slices

LONGEST = 2_400
"""Steps of a window beyond which a further one is not joined to it, so that windows can be replayed side by side."""
Active = dict[str, dict[int, set[int]]]
"""The steps at which the condition of a rule held, by deployment and the place of the rule."""


@dataclass(frozen=True, slots=True)
class Span:
    """A period in steps of `step` seconds from `since` (Unix seconds) to `until`, both of which belong to it."""

    since: float
    until: float
    step: int

    @property
    def count(self) -> int:
        """How many moments it has."""
        return int((self.until - self.since) // self.step) + 1

    def at(self, place: int) -> float:
        """The moment of a step."""
        return self.since + place * self.step


@dataclass(frozen=True, slots=True)
class Window:
    """Steps `first` to `last` of one deployment, outside of which no alert of `rules` is pending or fires nearby."""

    deployment: str
    first: int
    last: int
    rules: RuleSet
    busy: tuple[range, ...]
    """The steps at which something may be pending or fire."""

    def lead(self, step: int) -> int:
        """Steps before the first at which the evaluation begins, so that every range of the rules is filled."""
        return int(self.rules.reach // step) + 2


def active(
    history: History, rules: RuleSet, span: Span, is_wanted: Callable[[str], bool], tell: Callable[[], None]
) -> Active:
    """When the condition of each branch held, whichever alert silenced it; `tell` is called after each question."""
    found: Active = {}
    for rule in rules.branches:
        for first, last in slices(span.since, span.until, span.step):
            for one in history.query_range(rule.condition, first, last, span.step):
                deployment = one.metric.get("deployment", "")
                if is_wanted(deployment):
                    steps = found.setdefault(deployment, {}).setdefault(rule.place, set())
                    steps |= {round((at - span.since) / span.step) for at, _ in one.values}
            tell()
    return found


def questions(rules: RuleSet, span: Span) -> int:
    """How many questions `active` will ask."""
    return len(rules.branches) * len(list(slices(span.since, span.until, span.step)))


def windows(found: Active, rules: RuleSet, span: Span) -> Iterator[Window]:
    """What has to be replayed. Before and after each window every alert is inactive, so each can be replayed alone."""
    places = {rule.place: rule for rule in rules.branches}
    for deployment, by_rule in sorted(found.items()):
        pieces = list(_pieces({places[place]: steps for place, steps in by_rule.items()}, span))
        yield from _joined(deployment, pieces, rules, span)


Piece = tuple[int, int, frozenset[int]]
"""The first and the last step, and the rules whose conditions held in between."""


def _pieces(by_rule: dict[ReplayedRule, set[int]], span: Span) -> Iterator[Piece]:
    """Runs of steps in which some alert may be pending or fire, each with the rules that may."""
    busy: dict[int, set[int]] = {}
    for rule, steps in by_rule.items():
        # What fires may be kept; and a step more, since the moments of history lie between ours.
        kept = int(rule.kept_for // span.step) + 2
        for step in steps:
            for later in range(max(step - 1, 0), min(step + kept, span.count - 1) + 1):
                busy.setdefault(later, set()).add(rule.place)
    piece: list[int] = []
    for step in sorted(busy):
        if piece and step > piece[-1] + 1:
            yield _piece(piece, busy)
            piece = []
        piece.append(step)
    if piece:
        yield _piece(piece, busy)


def _piece(steps: Sequence[int], busy: dict[int, set[int]]) -> Piece:
    return steps[0], steps[-1], frozenset().union(*(busy[step] for step in steps))


def _joined(deployment: str, pieces: Sequence[Piece], rules: RuleSet, span: Span) -> Iterator[Window]:
    """Pieces with so little between them that one evaluation is less work than two."""
    window: Window | None = None
    for first, last, places in pieces:
        alone = Window(deployment, first, last, rules.only(places), (range(first, last + 1),))
        if window is None:
            window = alone
            continue
        both = Window(deployment, window.first, last, rules.only(_places(window) | places), (*window.busy, *alone.busy))
        if _work(both, span) <= _work(window, span) + _work(alone, span) and last - window.first <= LONGEST:
            window = both
        else:
            yield window
            window = alone
    if window is not None:
        yield window


def _places(window: Window) -> set[int]:
    return {rule.place for rule in window.rules.rules}


def _work(window: Window, span: Span) -> int:
    return (window.last - window.first + 1 + window.lead(span.step)) * len(window.rules.rules)
