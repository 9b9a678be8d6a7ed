"""Reads the truth from Prometheus and the target, decides, and writes the plan."""

from __future__ import annotations

from dataclasses import replace

from receiver.conclusion import DecisionFacts, Releases, conclude
from receiver.decision import choose_target
from receiver.errors import PrometheusError, TargetError
from receiver.journal import deployments, releases, runs
from receiver.judgements import EVALUATED, Evaluated
from receiver.model import Level, Plan, Proceed, Release, Run, Stop, Trigger
from receiver.phases.surroundings import around
from receiver.tree.snapshot import Snapshot
from receiver.world import World


def evaluate(run: Run, world: World) -> Proceed | Stop:
    """Find the branch that decides; where it asks for a rollback, plan it."""
    facts = _facts(run, world)
    found = conclude(facts)
    tree, tree_unknown = _tree(world, is_decided=found.decision is not None)
    plan: Plan | None = None
    if found.result is None and found.decision is not None and found.decision.level is not None:
        facts, plan = _plan(facts, found.decision.level, world)
        if facts.releases is not None:
            facts = replace(facts, around=around(world, facts.releases.live, facts.telemetry, tree))
    found, judged = EVALUATED.judge(Evaluated(facts, tree, tree_unknown))
    findings = replace(run.findings, decision=found.decision, plan=plan)
    if found.result is not None:
        return Stop(found.result, found.reason, findings, found.escalation, judged=judged)
    if run.trigger is Trigger.ALERT and plan is not None and facts.releases is not None:
        with world.database.write() as tx:
            deployments.lock(tx, world.deployment)
            runs.still_held(tx, run)
            # Nobody may have looked since it was deployed, and the report names the release that failed.
            target, now = facts.releases, world.database.now(tx)
            releases.remember(tx, world.deployment, target.live, target.known, now)
            releases.doubt(tx, world.deployment, plan.live_release)
    return Proceed(findings, found.reason, judged)


def _facts(run: Run, world: World) -> DecisionFacts:
    asked = DecisionFacts(run.trigger, run.wanted_level, run.requested_by, world.config.decision, None)
    try:
        return replace(asked, telemetry=world.prometheus.telemetry(world.deployment))
    except PrometheusError as error:
        return replace(asked, telemetry_unknown=str(error))


def _plan(facts: DecisionFacts, level: Level, world: World) -> tuple[DecisionFacts, Plan | None]:
    """The facts with the releases, and the plan that goes from the live one to the newest good one."""
    try:
        live, known = world.target.live(), world.target.known()
        with world.database.read() as tx:
            remembered = releases.known(tx, world.deployment)
        plan = _plan_to(choose_target(live, known, remembered), live, level, world)
    except TargetError as error:
        return replace(facts, releases_unknown=str(error)), None
    return replace(facts, releases=Releases(live, known, remembered)), plan


def _plan_to(target: Release | None, live: Release, level: Level, world: World) -> Plan:
    """The plan; raises TargetError."""
    # By hand the code is rolled back; what the database needs is more than a command.
    as_if = Level.FAST if level is Level.MANUAL else level
    return Plan(
        deployment=world.deployment,
        level=level,
        live_release=live.id,
        live_commit=live.commit,
        target_release=target.id if target else None,
        target_commit=target.commit if target else None,
        command=world.target.command(as_if, live, target) if target else (),
        timeout=world.target.time_limit(as_if),
    )


def _tree(world: World, *, is_decided: bool) -> tuple[Snapshot | None, str | None]:
    """The tree as it stands, so that the decision can be explained; nothing is decided on it, so it may be missing."""
    if not is_decided:
        return None, "nothing was decided"
    try:
        return world.tree.read(world.deployment), None
    except PrometheusError as error:
        return None, str(error)
