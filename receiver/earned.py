"""Lets branches earn L4 and lose it: in the transaction of what decides it, on the audit trail, and told to a human."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from receiver import autonomy
from receiver.config import Config
from receiver.config.earned import EarnedAutonomy
from receiver.journal import autonomy as set_levels
from receiver.journal import deployments, escalations, reviews
from receiver.journal import earned as rows
from receiver.journal.database import Database
from receiver.journal.earned import Earned
from receiver.journal.reviews import Review
from receiver.learning.earned import GONE_WRONG, Evidence, begun_anew, counts, evidence, is_wrong, settled
from receiver.log import get_log
from receiver.model import Autonomy, EscalationReason, Run, Stop, Trigger
from receiver.world import Audit, World


@dataclass(frozen=True, slots=True)
class InForce:
    """The level of a branch at this moment, and by what it was earned; None where it is the deployment's."""

    level: Autonomy
    earned_by: str | None = None

    def __str__(self) -> str:
        return f"{self.level} (earned)" if self.earned_by else str(self.level)


@dataclass(frozen=True, slots=True)
class _Stands:
    """How a branch stands, and what speaks for it."""

    earned: Earned
    evidence: Evidence


def in_force(tx: sa.Connection, config: Config, deployment: str, branch: str) -> InForce:
    """The deployment's level, or L4 where that is L3, nobody has set it, and the branch has earned it and keeps it."""
    level, needed = autonomy.in_force(tx, config, deployment), _needed(config, deployment)
    if needed is None or set_levels.set_for(tx, deployment) is not None:
        return InForce(level)
    found = next((one for one in _stand(tx, config, deployment) if one.earned.branch == branch), None)
    # Asked once more, since the configuration may be another one than when it rose.
    if found is None or found.earned.level is not Autonomy.L4 or not found.evidence.suffices(needed):
        return InForce(level)
    return InForce(Autonomy.L4, f"earned by {branch}: {found.evidence.against(needed)}")


def of_run(world: World, run: Run) -> InForce:
    """The same for the branch that decided, read anew; raises JournalError."""
    with world.database.read() as tx:
        return in_force(tx, world.config, world.deployment, run.findings.require_decision().branch)


def review_taken(
    tx: sa.Connection, audit: Audit, config: Config, review: Review, replaced: Review | None, now: float
) -> None:
    """What follows from a review that was kept in this transaction; raises AuditError. The deployment is locked.

    One that says what the one that it replaces has said already is no news.
    """
    earned = rows.of_branch(tx, review.deployment, review.branch)
    is_news = is_wrong(review) and not (replaced and is_wrong(replaced))
    if is_news and earned.level is Autonomy.L4 and counts(review, earned.counts_from):
        why = f"the review of incident {review.incident} says that its rollback was wrong"
        fallen = begun_anew(earned, why, now, rows.after_all(tx, review.deployment, now))
        _keep(tx, audit, earned, fallen, now)
    settle(tx, audit, config, review.deployment, now)


def run_ended(tx: sa.Connection, audit: Audit, run: Run, stop: Stop, now: float) -> None:
    """What follows from the end of a run, in its transaction; the deployment is locked where it went wrong.

    Raises AuditError once all else is done: a fall that cannot be recorded still is one.
    """
    decision = stop.findings.decision
    if stop.result not in GONE_WRONG or run.trigger is not Trigger.ALERT or decision is None:
        return
    earned = rows.of_branch(tx, run.deployment, decision.branch)
    why = f"run {run.id} ended {stop.result}: {stop.reason}"
    anew = begun_anew(earned, why, now, rows.after_all(tx, run.deployment, now))
    _keep(tx, audit, earned, anew, now, run.id)


def settle(tx: sa.Connection, audit: Audit, config: Config, deployment: str, now: float) -> None:
    """Let each branch rise that has earned it, and take L4 from those that have not enough any more.

    The deployment is locked, so of several replicas one does it. Raises AuditError: then nothing of it stands.
    """
    for before, after in _due(tx, config, deployment, now):
        _keep(tx, audit, before, after, now)


def look(database: Database, audit: Audit, config: Config) -> None:
    """See for each deployment whether another configuration has changed what its branches have earned."""
    for deployment in config.deployments:
        with database.read() as tx:
            is_due = bool(_due(tx, config, deployment, database.now(tx)))
        if is_due:
            with database.write() as tx:
                deployments.lock(tx, deployment)
                settle(tx, audit, config, deployment, database.now(tx))


def standing(tx: sa.Connection, config: Config, deployment: str) -> dict[str, Any] | None:
    """What the branches of a deployment have earned, and how far they are; None where they can earn nothing."""
    needed = _needed(config, deployment)
    if needed is None:
        return None
    found = _stand(tx, config, deployment)
    shown = [_branch(one, needed, in_force(tx, config, deployment, one.earned.branch)) for one in found]
    return {"needed": {"precision": needed.precision, "approved": needed.approved}, "branches": shown}


def _branch(one: _Stands, needed: EarnedAutonomy, level: InForce) -> dict[str, Any]:
    earned, found = one.earned, one.evidence
    return {
        "branch": earned.branch,
        "level": level.level.value,
        "has_earned": earned.level is Autonomy.L4,
        "approved": found.approved,
        "right": found.precision.hits,
        "reviewed": found.precision.of,
        "precision_low": found.low,
        "progress": found.against(needed),
        "counts_from": earned.counts_from or None,
        "changed_at": earned.changed_at,
        "reason": earned.reason or None,
    }


def _due(tx: sa.Connection, config: Config, deployment: str, now: float) -> list[tuple[Earned, Earned]]:
    """The branches that stand otherwise than what is known says: how they stand, and how they should."""
    needed, may_rise = _needed(config, deployment), set_levels.set_for(tx, deployment) is None
    found = [
        (one.earned, settled(one.earned, one.evidence, needed, now, may_rise)) for one in _stand(tx, config, deployment)
    ]
    return [(before, after) for before, after in found if before != after]


def _stand(tx: sa.Connection, config: Config, deployment: str) -> list[_Stands]:
    """How each branch stands that was ever reviewed, or of which anything is kept."""
    kept = rows.of_deployment(tx, deployment)
    reviewed: dict[str, list[Review]] = {name: [] for name in kept}
    for review in reviews.find(tx, deployment):
        if review.decided_rollback:
            reviewed.setdefault(review.branch, []).append(review)
    found = []
    for name in sorted(reviewed):
        earned = kept.get(name, Earned(deployment, name))
        what = evidence(reviewed[name], earned.counts_from, config.decision.execute_above)
        found.append(_Stands(earned, what))
    return found


def _needed(config: Config, deployment: str) -> EarnedAutonomy | None:
    return config.earned_autonomy_of(deployment) if deployment in config.deployments else None


def _keep(tx: sa.Connection, audit: Audit, before: Earned, after: Earned, now: float, run: str | None = None) -> None:
    """Keep how a branch stands; where its level is another one, call a human and record it: raises AuditError."""
    rows.put(tx, after)
    if after.changes == before.changes:
        return
    has_risen = after.level is Autonomy.L4
    does = "rolls back without asking from now on, at L4" if has_risen else "asks before each rollback again, at L3"
    told = f"{after.branch} of {after.deployment} {does} (change {after.changes}): {after.reason}"
    escalations.open_one(tx, after.deployment, EscalationReason.AUTONOMY_CHANGED, told, now)
    get_log().warning("what a branch has earned has changed", deployment=after.deployment, told=told)
    facts: dict[str, object] = {
        "branch": after.branch, "change": after.changes, "before": before.level, "after": after.level,
    }  # fmt: skip
    word = "autonomy:earned" if has_risen else "autonomy:lost"
    audit.record(word, after.reason, deployment=after.deployment, run=run, facts=facts)
