"""Lets a person carry the plan out: tells the exact steps, waits until it is done, and goes on to verify."""

from __future__ import annotations

import shlex
from dataclasses import replace

from receiver.durations import in_words
from receiver.errors import TargetError
from receiver.journal import escalations
from receiver.journal.escalations import Escalation
from receiver.model import EscalationReason, Execution, Outcome, Plan, Proceed, Result, Run, Stop, Wait
from receiver.phases.guard import switched_off
from receiver.phases.handed_over import variables, write_plan
from receiver.phases.switched import remember_switch
from receiver.world import World

LOOK_AGAIN = 2.0
"""Seconds between two looks at the live release and at what the person says."""
LONGEST = 3600.0
"""Seconds that a person has; after that nobody knows what they are about."""


def by_hand(run: Run, world: World) -> Outcome:
    """Nothing is executed here: done is what the target shows, whoever says so."""
    plan = run.findings.require_plan()
    if stop := switched_off(run, world):
        return stop
    asked = _ask(run, world, plan)
    now = world.clock()
    try:
        live = world.target.live().id
    except TargetError as error:
        seen = f"the live release cannot be read: {error}"
    else:
        if live == plan.target_release:
            return _done(run, world, asked, now, live)
        seen = f"{live} is live and not {plan.target_release}"
    return _over(run, asked, now, seen) or Wait(now + LOOK_AGAIN, f"waiting for a person; {seen}")


def _over(run: Run, asked: Escalation, now: float, seen: str) -> Stop | None:
    """The end of a rollback by hand that is not to be waited for any longer."""
    if asked.answer == escalations.GIVE_UP:
        return Stop(Result.WITHDRAWN, f"{asked.answered_by} gave up; {seen}", run.findings)
    if asked.answer == escalations.DONE:
        reason = f"{asked.answered_by} said that it is done, but {seen}"
        return Stop(Result.FAILED, reason, run.findings, EscalationReason.ROLLBACK_FAILED, latch=True)
    if now > asked.opened_at + LONGEST:
        reason = f"nobody rolled back by hand within {in_words(LONGEST)}; {seen}"
        return Stop(Result.EXPIRED, reason, run.findings, EscalationReason.APPROVAL_EXPIRED)
    return None


def steps(plan: Plan, given: dict[str, str]) -> tuple[str, ...]:
    """What the person does, in this order, as it can be typed; `given` are the command's variables."""
    assignments = " ".join(f"{name}={shlex.quote(value)}" for name, value in given.items())
    return (
        f"The backup is at {given['ROLLBACK_BACKUP']}",
        f"Run: {assignments} {shlex.join(plan.command)}",
        f"See whether all is well: rollback-agent verify {plan.deployment}",
    )


def _ask(run: Run, world: World, plan: Plan) -> Escalation:
    """The escalation that asks the person, opened once, with its record on the audit trail before it."""
    given = variables(run, plan, write_plan(world.config.commands / run.id, plan))
    with world.database.write() as tx:
        found = _asked(escalations.find(tx, incident=run.incident), run)
        if found is None:
            told = "; ".join(steps(plan, given))
            facts: dict[str, object] = {"plan_hash": plan.hash, "command": plan.command}
            world.audit.record("by_hand", told, deployment=run.deployment, run=run.id, facts=facts)
            escalations.open_one(
                tx, run.deployment, EscalationReason.BY_HAND, told, world.database.now(tx),
                incident=run.incident, run=run.id,
            )  # fmt: skip
            found = _asked(escalations.find(tx, incident=run.incident), run)
    if found is None:
        raise LookupError(f"the escalation of run {run.id} vanished")
    return found


def _asked(found: tuple[Escalation, ...], run: Run) -> Escalation | None:
    return next((one for one in found if one.run == run.id and one.reason is EscalationReason.BY_HAND), None)


def _done(run: Run, world: World, asked: Escalation, now: float, live: str) -> Proceed:
    remember_switch(run, world, run.findings.require_plan(), now)
    by = asked.answered_by or "a person"
    with world.database.write() as tx:
        escalations.settle(tx, run.id, now, "rollback-agent", "done")
    execution = Execution(asked.opened_at, now, None, "")
    return Proceed(replace(run.findings, execution=execution), f"{live} is live, made so by {by}")
