"""Asks the guardrails whether the plan may go on, before a person is asked."""

from __future__ import annotations

from dataclasses import replace

from receiver.guardrails import kill_switch
from receiver.guardrails.checklist import refused
from receiver.judgements import GUARDED
from receiver.kill_switch import look_now
from receiver.model import EscalationReason, Findings, Judged, Outcome, Proceed, Refusal, Result, Run, Stop
from receiver.phases.gather import gather
from receiver.world import World

LIMITS = frozenset({"daily_limit", "cooldown"})


def guard(run: Run, world: World) -> Outcome:
    """All guardrails are asked; any refusal stops the run, every refusal is reported."""
    found, judged = GUARDED.judge(gather(run, world, run.findings.require_plan(), backup_due=False))
    if said_no := refused(found):
        return refuse(run.findings, said_no, judged)
    return Proceed(run.findings, "no guardrail refuses", judged)


def switched_off(run: Run, world: World) -> Stop | None:
    """The stop of a run whose next step asks no other guardrail, while the kill switch is on, or that is not known."""
    said_no = kill_switch.switched_off(*look_now(world.config, world.database))
    return refuse(run.findings, (said_no,)) if said_no else None


def refuse(findings: Findings, said_no: tuple[Refusal, ...], judged: Judged | None = None) -> Stop:
    """The stop that carries these refusals."""
    only_limits = all(refusal.guardrail in LIMITS for refusal in said_no)
    return Stop(
        Result.REFUSED,
        "; ".join(f"{refusal.guardrail}: {refusal.reason}" for refusal in said_no),
        replace(findings, refusals=(*findings.refusals, *said_no)),
        EscalationReason.LIMIT_REACHED if only_limits else EscalationReason.SAFETY_CHECK_FAILED,
        judged=judged,
    )
