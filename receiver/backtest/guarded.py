"""Which rollbacks of a replay the budget would have refused, by the guardrails' own functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from receiver.backtest.decisions import Course, DecisionSpan
from receiver.config.guardrails import Guardrails
from receiver.guardrails.cooldown import cooldown
from receiver.guardrails.daily_limit import daily_limit
from receiver.model import Refusal


@dataclass(frozen=True, slots=True)
class Stopped:
    """A rollback that would not have been done; without refusals, since its incident had had its one attempt."""

    decision: DecisionSpan
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class _Budget:
    """What the budget's guardrails are asked about."""

    now: float
    limits: Guardrails
    earlier_claims: tuple[float, ...]


def stopped(decisions: Iterable[DecisionSpan], limits: Guardrails, step: int) -> tuple[Stopped, ...]:
    """Of the rollbacks that nobody would be asked about, those that would not have been done, oldest first.

    `step` is the seconds between two evaluations: what follows without one in which nothing fires is one incident.
    """
    ordered = sorted(decisions, key=lambda one: (one.deployment, one.since))
    found = [
        one
        for _, of_deployment in groupby(ordered, lambda one: one.deployment)
        for one in _of_deployment(of_deployment, limits, step)
    ]
    return tuple(sorted(found, key=lambda one: one.decision.since))


def _of_deployment(decisions: Iterable[DecisionSpan], limits: Guardrails, step: int) -> Iterator[Stopped]:
    claims: tuple[float, ...] = ()
    fired_until, was_attempted = float("-inf"), False
    for one in decisions:
        if one.since - fired_until > step:
            was_attempted = False
        fired_until = max(fired_until, one.until)
        if one.course is not Course.ROLLED_BACK:
            continue
        if was_attempted:
            yield Stopped(one, ())
            continue
        was_attempted = True
        asked = _Budget(one.since, limits, claims)
        if refusals := tuple(filter(None, (daily_limit(asked), cooldown(asked)))):
            yield Stopped(one, refusals)
        else:
            claims = (*claims, one.since)
