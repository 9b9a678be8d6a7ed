"""Puts together what was kept of a run's judgements, as a plain document for programs, the page and the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from receiver.explain.changes import nearest, pending
from receiver.guardrails.checklist import Answer
from receiver.journal.judgements import Kept
from receiver.judgements import ALONE, ASKED, EVALUATED, GUARDED, Evaluated, replay
from receiver.model import Judged, Signal
from receiver.tree.branches import BranchState
from receiver.tree.readings import Measured
from receiver.tree.snapshot import Snapshot
from receiver.tree.words import NO_DATA, limit_in_words, value_in_words

Document = dict[str, Any]


def explanation(kept: Mapping[str, Kept]) -> Document | None:
    """Why a run decided as it did, from what its phases judged; None where nothing of it was kept.

    Moments are Unix seconds. `replayed` tells whether the same facts give the same answers now, bit for bit.
    """
    found = kept.get("evaluate")
    if found is None or found.judged.kind != EVALUATED.name:
        return None
    return {
        "decided_at": found.at,
        **_decided(found.judged.facts, found.judged.answer),
        "question": _question(kept),
        "guardrails": [
            {"phase": one.phase, "at": one.at, "answers": _answers(one)}
            for one in kept.values()
            if one.judged.kind in (GUARDED.name, ALONE.name)
        ],
        "replayed": {one.phase: _is_same(one.judged) for one in kept.values()},
    }


@lru_cache(maxsize=256)
def _is_same(judged: Judged) -> bool:
    """Whether the facts give the same answer now; remembered, since neither they nor this program change."""
    return replay(judged) == judged.answer


@lru_cache(maxsize=64)
def _decided(facts: str, answer: str) -> Document:
    """What the first phase concluded; remembered, since a page asks for it every few seconds and it never changes."""
    evaluated, conclusion = EVALUATED.read(facts), EVALUATED.read_answer(answer)
    decision, tree = conclusion.decision, evaluated.tree
    changes = nearest(tree, decision.branch, evaluated.facts.bounds) if tree and decision else ()
    return {
        "branch": decision.branch if decision else None,
        "conclusion": conclusion.reason,
        "result": conclusion.result,
        "attribution": [
            {"name": one.name, "fits": one.fits, "sentence": one.sentence}
            for one in (decision.attribution.clues if decision and decision.attribution else ())
        ],
        "target_release": conclusion.target.id if conclusion.target else None,
        "facts": _facts(evaluated),
        "tree_at": tree.at if tree else None,
        "tree_unknown": evaluated.tree_unknown,
        "path": _path(tree, decision.branch if decision else None) if tree else [],
        "nearest": [
            {
                "query": one.query,
                "service": one.service,
                "value": one.value,
                "limit": one.limit,
                "distance": one.distance,
                "branch": one.branch,
                "sentence": one.sentence,
            }
            for one in changes
        ],
        "pending": list(pending(tree)) if tree else [],
    }


def _facts(evaluated: Evaluated) -> Document:
    telemetry = evaluated.facts.telemetry
    if telemetry is None:
        return {"read_at": None, "unknown": evaluated.facts.telemetry_unknown, "queries": [], "signals": []}
    return {
        "read_at": telemetry.read_at,
        "unknown": None,
        "queries": list(telemetry.queries),
        "signals": [_signal(one) for one in telemetry.signals],
    }


def _signal(signal: Signal) -> Document:
    return {"name": signal.name, "service": signal.service, "value": signal.value, "at": signal.at}


def _path(tree: Snapshot, decided: str | None) -> list[Document]:
    """The branches in the order in which they are asked; the one that decided is marked."""
    firing = [one for one in tree.state.firing if one.rule.branch == decided]
    return [_branch(one, one in firing[:1]) for one in tree.state.branches]


def _branch(state: BranchState, decides: bool) -> Document:
    rule, measured = state.rule, state.deciding
    reading = measured.of(state.service) if measured else None
    return {
        "rank": rule.rank,
        "branch": rule.branch,
        "alert": rule.rule.name,
        "action": rule.action,
        "level": rule.level,
        "confidence": rule.confidence,
        "state": state.state.value,
        "decides": decides,
        "held_back_by": state.held_back_by,
        "service": reading.service if reading else None,
        "value": value_in_words(measured.condition, reading) if measured and reading else NO_DATA if measured else None,
        "limit": _limit(measured, state.service) if measured else None,
        "conditions": [_condition(one) for one in state.measured],
    }


def _limit(measured: Measured, service: str | None) -> str:
    condition, reading = measured.condition, measured.of(service)
    threshold = reading.threshold if reading else condition.right.literal
    return f"{condition.operator} {NO_DATA}" if threshold is None else limit_in_words(condition, threshold)


def _condition(measured: Measured) -> Document:
    condition = measured.condition
    return {
        "joined": condition.joined or None,
        "depth": condition.depth,
        "left": condition.left.name,
        "operator": condition.operator,
        "right": condition.right.name,
        "readings": [
            {
                "service": one.service,
                "value": _finite(one.value),
                "threshold": _finite(one.threshold),
                "holds": one.holds,
            }
            for one in measured.readings
        ],
    }


def _question(kept: Mapping[str, Kept]) -> Document | None:
    """Whether a person was to be asked, and why; None where it did not come so far."""
    found = kept.get("approve")
    if found is None or found.judged.kind != ASKED.name:
        return None
    question = ASKED.read_answer(found.judged.answer)
    why = question.reason if question else ASKED.read(found.judged.facts).earned_by
    return {"at": found.at, "asked": question is not None, "why": why}


def _answers(kept: Kept) -> list[Document]:
    kind = GUARDED if kept.judged.kind == GUARDED.name else ALONE
    found: tuple[Answer, ...] = kind.read_answer(kept.judged.answer)
    return [
        {
            "guardrail": one.guardrail,
            "allows": one.refusal is None,
            "reason": one.refusal.reason if one.refusal else None,
            "retry_at": one.refusal.retry_at if one.refusal else None,
        }
        for one in found
    ]


def _finite(value: float | None) -> float | None:
    """JSON has no NaN and no infinity."""
    return value if value is not None and math.isfinite(value) else None
