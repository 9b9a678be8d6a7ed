"""What a rollback would be at this moment, and who would refuse it; nothing is changed and nothing kept."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from receiver.errors import RollbackAgentError
from receiver.guardrails.checklist import refusals
from receiver.model import Decision, Level, Plan, Refusal, Run, Stop, Trigger
from receiver.phases.evaluate import evaluate
from receiver.phases.gather import gather
from receiver.world import World


@dataclass(frozen=True, slots=True)
class DryRun:
    """The plan, and every guardrail that refuses it, in their order."""

    decision: Decision
    plan: Plan
    refusals: tuple[Refusal, ...]


def dry_run(world: World, level: Level, person: str) -> DryRun:
    """Plan a rollback as if `person` asked for it, and ask every guardrail; raises where none can be planned."""
    run = Run(
        id="dry-run", incident="dry-run", deployment=world.deployment, trigger=Trigger.OPERATOR, wanted_level=level,
        requested_by=person, created_at=time.time(), notified_at=None, token=0, lives=0, wakes=0,
    )  # fmt: skip
    outcome = evaluate(run, world)
    if isinstance(outcome, Stop):
        raise RollbackAgentError(outcome.reason)
    run = replace(run, findings=outcome.findings)
    decision, plan = run.findings.require_decision(), run.findings.require_plan()
    return DryRun(decision, plan, refusals(gather(run, world, plan, backup_due=False)))
