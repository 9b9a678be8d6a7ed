"""Asks the guardrails whether the plan may go on, before a person is asked and again before each effect."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from receiver import backup
from receiver.errors import BackupError, PrometheusError, TargetError
from receiver.guardrails.checklist import refusals
from receiver.guardrails.facts import Facts
from receiver.journal import deployments, releases, seen
from receiver.model import (
    Action,
    Backup,
    EscalationReason,
    Findings,
    Outcome,
    Plan,
    Proceed,
    Refusal,
    Release,
    Result,
    Run,
    Stop,
)
from receiver.world import World

LIMITS = frozenset({"daily_limit", "cooldown"})


def guard(run: Run, world: World) -> Outcome:
    """All guardrails are asked; any refusal stops the run, every refusal is reported."""
    facts = gather(run, world, run.findings.require_plan())
    said_no = refusals(facts)
    return refuse(run.findings, said_no) if said_no else Proceed(run.findings, "no guardrail refuses")


def refuse(findings: Findings, said_no: tuple[Refusal, ...]) -> Stop:
    """The stop that carries these refusals."""
    only_limits = all(refusal.guardrail in LIMITS for refusal in said_no)
    return Stop(
        Result.REFUSED,
        "; ".join(f"{refusal.guardrail}: {refusal.reason}" for refusal in said_no),
        replace(findings, refusals=(*findings.refusals, *said_no)),
        EscalationReason.LIMIT_REACHED if only_limits else EscalationReason.SAFETY_CHECK_FAILED,
    )


def gather(run: Run, world: World, plan: Plan, backup_due: bool = False) -> Facts:
    """Read every fact that a guardrail looks at, at this moment."""
    limits = world.config.guardrails
    now = world.clock()
    with world.database.read() as tx:
        period = max(limits.daily_limit.period, limits.cooldown.period)
        claims = deployments.claims_since(tx, world.deployment, now - period, but_run=run.id)
        latch = deployments.latch_of(tx, world.deployment)
        remembered = releases.known(tx, world.deployment)
        watchdog_seen = seen.last(tx, seen.WATCHDOG)
    live, live_unknown, target = _releases(world, plan, remembered)
    firing, firing_unknown = _firing(world)
    backup_bytes, backup_unknown = _backup(world, run.findings.backup)
    return Facts(
        now=now,
        limits=limits,
        trigger=run.trigger,
        plan=plan,
        decided_branch=run.findings.decision.branch if run.findings.decision else "no branch",
        live_release=live,
        live_release_unknown=live_unknown,
        target=target,
        firing=firing,
        firing_unknown=firing_unknown,
        earlier_claims=claims,
        latch=latch.reason if latch else None,
        kill_switch=world.config.kill_switch.exists(),
        watchdog_seen=watchdog_seen,
        serving_since=world.serving_since,
        free_bytes=_free_bytes(world.config.root),
        backup_bytes=backup_bytes,
        backup_unknown=backup_unknown,
        backup=run.findings.backup,
        backup_due=backup_due,
    )


def _releases(
    world: World, plan: Plan, remembered: dict[str, Release]
) -> tuple[str | None, str | None, Release | None]:
    try:
        live = world.target.live().id
        commits = {release.id: release.commit for release in world.target.known()}
    except TargetError as error:
        return None, str(error), None
    target = remembered.get(plan.target_release or "")
    if target is None or target.id not in commits:
        return live, None, None
    if commits[target.id] != plan.target_commit:
        target = replace(target, good_at=None)  # built anew: what was known of it is not known of what is there now
    return live, None, target


def _firing(world: World) -> tuple[frozenset[str] | None, str | None]:
    try:
        telemetry = world.prometheus.telemetry(world.deployment)
    except PrometheusError as error:
        return None, str(error)
    return frozenset(branch.branch for branch in telemetry.firing if branch.action is Action.ROLLBACK), None


def _backup(world: World, made: Backup | None) -> tuple[int | None, str | None]:
    try:
        if made is not None:
            backup.read_back(Path(made.directory))
        return backup.size_needed(world.settings.backup), None
    except BackupError as error:
        return None, str(error)


def _free_bytes(root: Path) -> int | None:
    try:
        return shutil.disk_usage(root).free
    except OSError:
        return None
