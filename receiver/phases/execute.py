"""Runs the rollback command, once, whatever becomes of the agent."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from receiver.command_output import last_output
from receiver.errors import TargetError
from receiver.guardrails.checklist import refused
from receiver.journal import deployments, escalations, judgements, runs
from receiver.judgements import GUARDED
from receiver.model import EscalationReason, Execution, Findings, Level, Outcome, Plan, Proceed, Result, Run, Stop
from receiver.phases.back_up import back_up
from receiver.phases.by_hand import by_hand
from receiver.phases.gather import gather
from receiver.phases.guard import refuse
from receiver.phases.handed_over import variables, write_plan
from receiver.phases.lowered import lowered
from receiver.phases.switched import remember_switch
from receiver.run_once import Command, Ended, run_once, was_started
from receiver.world import World

_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
"""All that the command gets beside what the plan says."""


def execute(run: Run, world: World) -> Outcome:
    """Ask once more, leave the intent on disk, run the command or find the one that an earlier life started."""
    plan = run.findings.require_plan()
    if plan.level is Level.MANUAL:
        return by_hand(run, world)
    marks = world.config.commands / run.id
    output = world.config.logs / f"rollback-{run.id}.log"
    with world.database.read() as tx:
        began = runs.effect_of(tx, run)
    if was_started(marks):
        world.audit.record(
            "reattach", "the agent was stopped while the command ran", deployment=run.deployment, run=run.id
        )
    elif began is not None and began.replica != world.replica:
        reason = f"{began.replica}, which was to run the command, says nothing any more"
        world.audit.record("taken_over", reason, deployment=run.deployment, run=run.id)
        # Nothing of it can be found here; the target is asked, and nothing started.
        return _judge(run, world, Execution(began.at, world.clock(), None, str(output)), reason)
    else:
        if _is_backed_up_elsewhere(run, world):
            backed_up = back_up(run, world)
            if not isinstance(backed_up, Proceed):
                return backed_up
            run = replace(run, findings=backed_up.findings)
        if stop := _begin(run, world, plan):
            return stop
    environment = _ENVIRONMENT | variables(run, plan, write_plan(marks, plan))
    command = Command(plan.command, environment, output, plan.timeout, world.settings.end_leftovers)
    ended = run_once(marks, command)
    code, until = (ended.exit_code, ended.finished_at) if isinstance(ended, Ended) else (None, world.clock())
    return _judge(run, world, Execution(ended.started_at, until, code, str(output)), "the command was interrupted")


def _is_backed_up_elsewhere(run: Run, world: World) -> bool:
    """The backup of a replica that is gone may be gone with it, and is nothing that this one could put back."""
    backup = run.findings.backup
    return backup is not None and backup.replica not in ("", world.replica)


def _begin(run: Run, world: World, plan: Plan) -> Stop | None:
    """The last questions, and the intent in the journal and on the audit trail."""
    found, judged = GUARDED.judge(gather(run, world, plan, backup_due=True))
    if said_no := refused(found):
        return refuse(run.findings, said_no, judged)
    if stop := lowered(run, world):
        return stop
    with world.database.write() as tx:
        now = world.database.now(tx)
        runs.begin_effect(tx, run, world.replica, now)
        judgements.keep(tx, run, execute.__name__, now, judged)
    permission = run.findings.permission
    facts: dict[str, object] = {
        "plan": asdict(plan),
        "plan_hash": plan.hash,
        "allowed_by": permission.by if permission else None,
    }
    reason = f"roll back to {plan.target_release}"
    world.audit.record("execute", reason, deployment=run.deployment, run=run.id, facts=facts)
    return None


def _judge(run: Run, world: World, done: Execution, interrupted: str) -> Outcome:
    plan, code = run.findings.require_plan(), done.exit_code
    findings = replace(run.findings, execution=done)
    try:
        live = world.target.live()
    except TargetError as error:
        return _failed(findings, f"the command ended ({code}), but the live release cannot be read: {error}")
    if live.id == plan.target_release:
        remember_switch(run, world, plan, live.live_since or done.finished_at)
    if code is None:
        # Nobody knows how far it came; the target says whether it switched, and verification whether it helped.
        if live.id == plan.target_release:
            reason = f"{interrupted}; {live.id} is live, but what else was to be done is not known"
            _latch(run, world, reason)
            return Proceed(findings, reason)
        reason = f"{interrupted} and {live.id} is live; nothing is started again"
        return Stop(Result.UNKNOWN, reason, findings, EscalationReason.UNKNOWN_RESULT, latch=True)
    if code != 0:
        printed = last_output(Path(done.output))
        return _failed(findings, f"the command ended with exit code {code}, {live.id} is live: {printed}")
    if live.id != plan.target_release:
        return _failed(findings, f"the command ended well, but {live.id} is live and not {plan.target_release}")
    return Proceed(findings, f"{live.id} is live, exit code 0")


def _latch(run: Run, world: World, reason: str) -> None:
    """Let the run go on to be verified, and nothing else happen until a person has looked."""
    with world.database.write() as tx:
        now, why = world.database.now(tx), EscalationReason.UNKNOWN_RESULT
        deployments.latch(tx, run.deployment, now, reason)
        runs.still_held(tx, run)
        escalations.open_one(tx, run.deployment, why, reason, now, incident=run.incident, run=run.id)


def _failed(findings: Findings, reason: str) -> Stop:
    return Stop(Result.FAILED, reason, findings, EscalationReason.ROLLBACK_FAILED, latch=True)
