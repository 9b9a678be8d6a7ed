"""Keeps what was decided together with the facts that were decided on, so that it can be explained and done again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter

from receiver.conclusion import Conclusion, DecisionFacts, conclude
from receiver.config import DecisionBounds
from receiver.config.guardrails import Guardrails
from receiver.decision import Question, why_ask
from receiver.guardrails.checklist import Answer, answers
from receiver.guardrails.cooldown import cooldown
from receiver.guardrails.daily_limit import daily_limit
from receiver.guardrails.facts import Facts
from receiver.guardrails.latched import latched
from receiver.model import Autonomy, Decision, Judged, Trigger
from receiver.redact import redact
from receiver.tree.snapshot import Snapshot

F = TypeVar("F")
A = TypeVar("A")

CLAIMED_ALONE = (latched, daily_limit, cooldown)
"""The guardrails that are asked once more while nobody else can claim."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a decision was made on, and the tree as it stood then, or why that is not known."""

    facts: DecisionFacts
    tree: Snapshot | None
    tree_unknown: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What says whether a person must confirm the plan."""

    decision: Decision
    trigger: Trigger
    autonomy: Autonomy
    bounds: DecisionBounds
    earned_by: str | None = None
    """By what the branch has earned that level, where it is above the deployment's."""


class Kind(Generic[F, A]):
    """One kind of judgement: a pure function, and how its facts and its answer are written and read."""

    def __init__(self, name: str, decide: Callable[[F], A], facts: type[F], answer: Any) -> None:
        self.name = name
        self._decide = decide
        self._facts: TypeAdapter[F] = TypeAdapter(facts)
        self._answer: TypeAdapter[A] = TypeAdapter(answer)

    def judge(self, facts: F) -> tuple[A, Judged]:
        """The answer, and what is kept of it."""
        answer = self._decide(facts)
        return answer, Judged(self.name, _written(self._facts, facts), _written(self._answer, answer))

    def replay(self, facts: str) -> str:
        """The answer to facts that were kept, as it would be kept now."""
        return _written(self._answer, self._decide(self.read(facts)))

    def read(self, facts: str) -> F:
        """Facts that were kept."""
        return self._facts.validate_python(_configured(json.loads(facts)))

    def read_answer(self, answer: str) -> A:
        """An answer that was kept."""
        return self._answer.validate_json(answer)


EVALUATED: Kind[Evaluated, Conclusion] = Kind("evaluated", lambda one: conclude(one.facts), Evaluated, Conclusion)
GUARDED: Kind[Facts, tuple[Answer, ...]] = Kind("guarded", answers, Facts, tuple[Answer, ...])
ALONE: Kind[Facts, tuple[Answer, ...]] = Kind(
    "alone", lambda facts: answers(facts, CLAIMED_ALONE), Facts, tuple[Answer, ...]
)
ASKED: Kind[Asked, Question | None] = Kind(
    "asked",
    lambda one: why_ask(one.decision, one.trigger, one.autonomy, one.bounds),
    Asked,
    Question | None,
)
KINDS: dict[str, Kind[Any, Any]] = {kind.name: kind for kind in (EVALUATED, GUARDED, ALONE, ASKED)}

_SECTIONS: dict[str, type[BaseModel]] = {"limits": Guardrails, "bounds": DecisionBounds}
"""Parts of the configuration among the facts, by the names of their fields."""


def replay(kept: Judged) -> str | None:
    """The answer that the facts give now, to be compared with the one that was kept; None for a kind of old."""
    return KINDS[kept.kind].replay(kept.facts) if kept.kind in KINDS else None


def _written(adapter: TypeAdapter[Any], value: object) -> str:
    """As JSON, always the same for the same value, and without secrets."""
    plain = adapter.dump_python(value, mode="json", by_alias=True)
    return json.dumps(_without_secrets(plain), sort_keys=True, separators=(",", ":"))


def _without_secrets(plain: object) -> object:
    """What others said may hold secrets; of the tree only names, rules and numbers are kept."""
    if not isinstance(plain, dict) or "tree" not in plain:
        return redact(plain)
    return {name: value if name == "tree" else redact(value, name) for name, value in plain.items()}


def _configured(value: Any) -> Any:
    """The same with the sections of the configuration as such: a file has texts where they have seconds."""
    if isinstance(value, list):
        return [_configured(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        # The labels of a rule in the tree may be called as a section is.
        name: inner if name == "tree" else _section(_SECTIONS[name], inner) if name in _SECTIONS else _configured(inner)
        for name, inner in value.items()
    }


def _section(model: type[BaseModel], content: dict[str, Any]) -> BaseModel:
    """A section as it was checked when it was read; what it lacks has come since, and has its default."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if name in content:
            value, kind = content[name], field.annotation
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                value = _section(kind, value)
            found[name] = tuple(value) if isinstance(value, list) else value
    return model.model_construct(_fields_set=None, **found)
