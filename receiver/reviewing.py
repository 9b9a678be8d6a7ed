"""Takes what people found of an incident, journaled and audited as one, and says which past ones look like it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from receiver import earned
from receiver.config import Config
from receiver.config_values import valid_name
from receiver.errors import NotFound, NotPossible, no_deployment
from receiver.journal import deployments, judgements, reviews, views
from receiver.journal.approvals import ApprovalState
from receiver.journal.database import Database, new_id
from receiver.journal.reviews import Review
from receiver.journal.views import View, evaluated_at
from receiver.learning.likeness import Alike, alike, features
from receiver.model import Action, Found, Level, Result, Trigger
from receiver.operators import Person
from receiver.removed import gone
from receiver.world import Audit

LONGEST_CAUSE = 500
NO_BRANCH = "none"


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person found; moments are Unix seconds, or None where nobody knows."""

    necessary: Found
    level_right: Found
    hotfix_possible: Found
    cause: str
    pattern: str | None
    began_at: float | None = None
    noticed_at: float | None = None
    ended_at: float | None = None


class Reviewers:
    """Takes reviews; raises NotPossible, or AuditError where one could not be recorded and so is not taken."""

    def __init__(self, database: Database, audit: Audit, config: Config) -> None:
        self._database = database
        self._audit = audit
        self._config = config

    def review(self, incident: str, answers: Answers, person: Person) -> Review:
        """Take the review of an incident that is over, in the place of an earlier one."""
        with self._database.write() as tx:
            found = views.incident(tx, incident)
            if found is None:
                raise gone(tx, incident) or NotFound(
                    f"there is no incident {incident}; `rollback-agent incidents` lists them"
                )
            if found["closed_at"] is None:  # its next run may decide otherwise
                raise NotPossible(f"incident {incident} is still open; review it when it is over")
            deployments.lock(tx, found["deployment"])  # before any of its rows, as whoever works on it does
            now = self._database.now(tx)
            self._check(answers, now)
            review = _review(tx, found, answers, person.name, now)
            replaced = reviews.of_incident(tx, incident)
            self._take(tx, review, person)
            earned.review_taken(tx, self._audit, self._config, review, replaced, now)
            return review

    def enter_missed(
        self, deployment: str, answers: Answers, person: Person, branch: str | None, services: tuple[str, ...]
    ) -> Review:
        """Take an incident of which the agent knew nothing; `branch` is the one that should have fired."""
        if deployment not in self._config.deployments:
            raise NotFound(no_deployment(deployment, self._config.deployments))
        shown = {f"service {_named(one)}" for one in services} | ({f"branch {_named(branch)}"} if branch else set())
        with self._database.write() as tx:
            now = self._database.now(tx)
            self._check(answers, now)
            review = Review(
                id=new_id(), incident=None, deployment=deployment, branch=branch or NO_BRANCH, decided_rollback=False,
                confidence=None, decided_at=None, **_given(answers), features=frozenset(shown),
                reviewed_at=float(now), reviewed_by=person.name,
            )  # fmt: skip
            self._take(tx, review, person)
            return review

    def _check(self, answers: Answers, now: float) -> None:
        if len(answers.cause) > LONGEST_CAUSE:
            raise NotPossible(f"the cause is longer than {LONGEST_CAUSE} characters")
        if answers.pattern:
            _named(answers.pattern)
        for what, at in (
            ("began", answers.began_at),
            ("was noticed", answers.noticed_at),
            ("ended", answers.ended_at),
        ):
            if at is not None and not (math.isfinite(at) and 0 < at <= now):
                raise NotPossible(f"the moment at which it {what} must lie between 1970 and now")
        if answers.began_at and answers.noticed_at and answers.noticed_at < answers.began_at:
            raise NotPossible("it cannot have been noticed before it began")
        if answers.began_at and answers.ended_at and answers.ended_at < answers.began_at:
            raise NotPossible("it cannot have ended before it began")

    def _take(self, tx: sa.Connection, review: Review, person: Person) -> None:
        reviews.put(tx, review)
        facts: dict[str, object] = {
            "via": str(person.via), "incident": review.incident, "necessary": review.necessary,
            "level_right": review.level_right, "hotfix_possible": review.hotfix_possible, "pattern": review.pattern,
        }  # fmt: skip
        word = "review" if review.incident else "review:missed"
        self._audit.record(word, review.cause, actor=person.name, deployment=review.deployment, facts=facts)


def lookalikes(tx: sa.Connection, incident: View) -> tuple[Alike, ...]:
    """The reviewed incidents that look like this one."""
    run = _deciding_run(incident)
    if run is None:
        return ()
    shown = features(run, judgements.of_run(tx, run["id"]))
    return alike(shown, reviews.find(tx), but=incident["id"])


def _review(tx: sa.Connection, incident: View, answers: Answers, person: str, now: float) -> Review:
    run = _deciding_run(incident)
    decision: Mapping[str, Any] = (run or {}).get("decision") or {}
    kept = judgements.of_run(tx, run["id"]) if run else {}
    return Review(
        id=new_id(),
        incident=incident["id"],
        deployment=incident["deployment"],
        branch=decision.get("branch") or NO_BRANCH,
        decided_rollback=run is not None and _decided_rollback(run),
        confidence=decision.get("confidence"),
        decided_at=evaluated_at(run) if run else None,
        **_given(answers),
        features=features(run, kept) if run else frozenset(),
        reviewed_at=float(now),
        reviewed_by=person,
        approved_success=any(_is_approved_success(one, decision) for one in incident["runs"]),
    )


def _given(answers: Answers) -> dict[str, Any]:
    return {
        "began_at": answers.began_at,
        "noticed_at": answers.noticed_at,
        "ended_at": answers.ended_at,
        "necessary": answers.necessary,
        "level_right": answers.level_right,
        "hotfix_possible": answers.hotfix_possible,
        "cause": answers.cause,
        "pattern": answers.pattern or None,
    }


def _deciding_run(incident: View) -> View | None:
    """The run whose decision is reviewed: the agent's first for a rollback, else its last; a person's own is none."""
    own: list[View] = [one for one in incident["runs"] if one["trigger"] == Trigger.ALERT and one["decision"]]
    return next((one for one in own if _decided_rollback(one)), own[-1] if own else None)


def _decided_rollback(run: View) -> bool:
    """Whether the agent wanted a rollback, whatever became of it; one that was only recorded it did not want."""
    is_only_recorded = run["result"] == Result.RECORDED and run["plan"] is None
    return bool(run["decision"]["action"] == Action.ROLLBACK and not is_only_recorded)


def _is_approved_success(run: View, decision: Mapping[str, Any]) -> bool:
    """Whether it is what the reviewed decision came to: a person approved the fast rollback, and it was verified."""
    return bool(
        run["trigger"] == Trigger.ALERT
        and run["result"] == Result.RESTORED
        and (run["approval"] or {}).get("state") == ApprovalState.APPROVED
        and (run["plan"] or {}).get("level") == Level.FAST
        and (run["decision"] or {}).get("branch") == decision.get("branch")
    )


def _named(name: str) -> str:
    try:
        return valid_name(name)
    except ValueError as error:
        raise NotPossible(str(error)) from error
