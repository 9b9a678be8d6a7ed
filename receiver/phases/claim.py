"""Takes the deployment's budget for this run, alone, right after the guardrails were asked again."""

from __future__ import annotations

from dataclasses import replace

from receiver.guardrails.checklist import refused
from receiver.guardrails.facts import Facts
from receiver.journal import deployments, runs
from receiver.judgements import ALONE, GUARDED
from receiver.model import Judged, Outcome, Proceed, Refusal, Run
from receiver.phases.gather import gather
from receiver.phases.guard import refuse
from receiver.phases.lowered import lowered
from receiver.world import World


def claim(run: Run, world: World) -> Outcome:
    """Count this run against the budget; two runs can never both take the last place."""
    facts = gather(run, world, run.findings.require_plan(), backup_due=False)
    found, judged = GUARDED.judge(facts)
    if said_no := refused(found):
        return refuse(run.findings, said_no, judged)
    if stop := lowered(run, world):
        return stop
    claimed_at, said_no, alone = _take(run, world, facts)
    if said_no:
        return refuse(run.findings, said_no, alone)
    return Proceed(replace(run.findings, claimed_at=claimed_at), "claimed within the budget", judged)


def _take(run: Run, world: World, facts: Facts) -> tuple[float, tuple[Refusal, ...], Judged]:
    """When it was claimed, unless one that is asked alone refuses now."""
    with world.database.write() as tx:
        deployments.lock(tx, world.deployment)
        now = world.database.now(tx)  # not the facts': others may have claimed since those were read
        period = max(facts.limits.daily_limit.period, facts.limits.cooldown.period)
        latch = deployments.latch_of(tx, world.deployment)
        locked = replace(
            facts,
            now=now,
            earlier_claims=deployments.claims_within(tx, world.deployment, period, now, but_run=run.id),
            latch=latch.reason if latch else None,
        )
        found, judged = ALONE.judge(locked)
        said_no = refused(found)
        if not said_no:
            runs.set_claimed(tx, run, now)
        return now, said_no, judged
