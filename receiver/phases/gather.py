"""Reads what the guardrails are asked about, at one moment; what cannot be read is told as unknown, with the reason."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from receiver.backup.make import size_needed
from receiver.backup.manifest import read_back
from receiver.backup.sources import configured
from receiver.errors import AlertmanagerError, BackupError, PrometheusError, TargetError, TransactionsError
from receiver.guardrails.facts import Facts
from receiver.journal import deployments, releases, seen
from receiver.journal.releases import Deploy
from receiver.kill_switch import look
from receiver.model import Action, Backup, Plan, Release, Run, Silence, Storm, Telemetry
from receiver.target_check import why_unusable
from receiver.world import World


@dataclass(frozen=True, slots=True)
class _Remembered:
    """What the journal tells, in one consistent view."""

    claims: tuple[float, ...]
    latch: str | None
    target: Release | None
    irreversible: tuple[str, ...]
    deploys: tuple[Deploy, ...]
    watchdog_seen: float | None
    kill_switch: bool | None
    kill_switch_unknown: str | None


def gather(run: Run, world: World, plan: Plan, *, backup_due: bool) -> Facts:
    """Read every fact that a guardrail looks at, at this moment; `backup_due`: there must be a backup by now."""
    now = world.clock()
    remembered = _remembered(run, world, plan, now)
    live, live_unknown, target = _releases(world, plan, remembered.target)
    telemetry, telemetry_unknown = _telemetry(world)
    storm, storm_unknown = _storm(world)
    decision = run.findings.require_decision()
    silences, silences_unknown = _silences(world, telemetry, decision.branch)
    transactions, transactions_unknown = _transactions(world)
    backup_bytes, backup_unknown = _backup(world, run.findings.backup)
    return Facts(
        now=now,
        limits=world.config.guardrails,
        trigger=run.trigger,
        plan=plan,
        decided_branch=decision.branch,
        live_release=live.id if live else None,
        live_release_unknown=live_unknown,
        live_since=live.live_since if live else None,
        live_by_run=_live_by_run(world, live),
        target=target,
        irreversible=remembered.irreversible,
        deploys=remembered.deploys,
        transactions=transactions,
        transactions_unknown=transactions_unknown,
        unusable_programs=_unusable_programs(world, plan),
        firing=_rollback_branches(telemetry) if telemetry else None,
        firing_unknown=telemetry_unknown,
        signals=telemetry.signals if telemetry else None,
        signals_unknown=telemetry_unknown,
        max_age=world.config.prometheus.max_age,
        storm=storm,
        storm_unknown=storm_unknown,
        silences=silences,
        silences_unknown=silences_unknown,
        earlier_claims=remembered.claims,
        latch=remembered.latch,
        kill_switch=remembered.kill_switch,
        kill_switch_unknown=remembered.kill_switch_unknown,
        watchdog_seen=remembered.watchdog_seen,
        serving_since=world.serving_since,
        free_bytes=_free_bytes(world.config.root),
        backup_bytes=backup_bytes,
        backup_unknown=backup_unknown,
        backup=run.findings.backup,
        backup_due=backup_due,
        attribution=decision.attribution,
    )


def _remembered(run: Run, world: World, plan: Plan, now: float) -> _Remembered:
    limits = world.config.guardrails
    period = max(limits.daily_limit.period, limits.cooldown.period)
    with world.database.read() as tx:
        on, on_unknown = look(world.config, tx)
        latch = deployments.latch_of(tx, world.deployment)
        target = releases.known(tx, world.deployment).get(plan.target_release or "")
        return _Remembered(
            claims=deployments.claims_within(tx, world.deployment, period, world.database.now(tx), but_run=run.id),
            latch=latch.reason if latch else None,
            target=target,
            irreversible=releases.irreversible_since(tx, world.deployment, target) if plan.target_release else (),
            deploys=releases.deploys_under_way(tx, world.deployment, now),
            watchdog_seen=seen.last(tx, seen.WATCHDOG),
            kill_switch=on,
            kill_switch_unknown=on_unknown,
        )


def _releases(
    world: World, plan: Plan, remembered: Release | None
) -> tuple[Release | None, str | None, Release | None]:
    """The live release or why it is not known, and what is known of the target."""
    try:
        live = world.target.live()
        commits = {release.id: release.commit for release in world.target.known()}
    except TargetError as error:
        return None, str(error), None
    if remembered is None or remembered.id not in commits:
        return live, None, None
    if commits[remembered.id] != plan.target_commit:
        # Built anew: what was known of it is not known of what is there now.
        return live, None, replace(remembered, good_at=None)
    return live, None, remembered


def _live_by_run(world: World, live: Release | None) -> str | None:
    if live is None:
        return None
    with world.database.read() as tx:
        return releases.live_by_run(tx, world.deployment, live)


def _transactions(world: World) -> tuple[tuple[str, ...] | None, str | None]:
    try:
        return tuple(one for source in world.transactions for one in source.pending()), None
    except TransactionsError as error:
        return None, str(error)


def _unusable_programs(world: World, plan: Plan) -> tuple[str, ...]:
    if not plan.command:
        return ()
    programs = map(Path, dict.fromkeys((plan.command[0], *world.target.programs(plan.level))))
    return tuple(filter(None, map(why_unusable, programs)))


def _telemetry(world: World) -> tuple[Telemetry | None, str | None]:
    try:
        return world.prometheus.telemetry(world.deployment), None
    except PrometheusError as error:
        return None, str(error)


def _rollback_branches(telemetry: Telemetry) -> frozenset[str]:
    return frozenset(branch.branch for branch in telemetry.firing if branch.action is Action.ROLLBACK)


def _storm(world: World) -> tuple[Storm | None, str | None]:
    try:
        return world.prometheus.storm(world.config.guardrails.storm.dependencies), None
    except PrometheusError as error:
        return None, str(error)


def _silences(
    world: World, telemetry: Telemetry | None, decided_branch: str
) -> tuple[tuple[Silence, ...] | None, str | None]:
    """What covers the branch that decided or, where it no longer fires, the others that ask for a rollback."""
    if telemetry is None:
        return None, "what fires is not known"
    asking = [branch for branch in telemetry.firing if branch.action is Action.ROLLBACK]
    found: dict[Silence, None] = {}
    try:
        for branch in [one for one in asking if one.branch == decided_branch] or asking:
            silences = world.alertmanager.active_silences(dict(branch.labels))
            if not silences:
                return (), None  # one alert that nobody has silenced is reason enough
            found |= dict.fromkeys(silences)
    except AlertmanagerError as error:
        return None, str(error)
    return tuple(found), None


def _backup(world: World, made: Backup | None) -> tuple[int | None, str | None]:
    try:
        if made is not None:  # then its sources matter no more
            return read_back(Path(made.directory)).bytes, None
        return size_needed(configured(world.settings.backup)), None
    except BackupError as error:
        return None, str(error)


def _free_bytes(root: Path) -> int | None:
    try:
        return shutil.disk_usage(root).free
    except OSError:
        return None
