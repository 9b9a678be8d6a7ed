"""Whether one deployment could be rolled back now."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from receiver.backup.make import size_needed
from receiver.backup.sources import configured
from receiver.decision import choose_target
from receiver.doctor.checked import Check
from receiver.durations import in_words
from receiver.journal import deployments, releases
from receiver.target_check import faults
from receiver.world import World


def of_deployment(world: World) -> Iterator[Check]:
    """Its signals, target, releases, latch, budget, backup and transactions."""
    name = world.deployment
    target = f"{name}: target"
    yield Check(
        f"{name}: signals", partial(_signals, world),
        "see that the exporter runs, that Prometheus scrapes it and that alert-rules/signals.rules.yml is loaded; "
        f"`rollback-agent tree {name}` shows each signal",
        needs=("Prometheus",),
    )  # fmt: skip
    yield Check(
        target, partial(_target, world),
        f"put it right in deployments.{name}.target of the configuration or on the machine: docs/targets/",
    )  # fmt: skip
    yield Check(
        f"{name}: good release", partial(_good_release, world),
        f"wait until the live release has proved good, by {in_words(world.settings.good_after)} (good_after) without a "
        "firing branch while `serve` runs; the next one that is shipped can be rolled back to it, and until then a "
        "rollback is for a person",
        needs=("journal", target),
    )  # fmt: skip
    yield Check(
        f"{name}: latch", partial(_latch, world),
        f"when that is mended: rollback-agent clear {name}",
        needs=("journal",),
    )  # fmt: skip
    yield Check(
        f"{name}: budget", partial(_budget, world),
        "find out why so many were needed; until then a person has to act (guardrails.daily_limit)",
        needs=("journal",),
    )  # fmt: skip
    yield Check(
        f"{name}: backup", partial(_backup, world),
        f"let the agent's user read what deployments.{name}.backup names; `rollback-agent backup make {name}` tries it",
    )  # fmt: skip
    yield Check(
        f"{name}: transactions", partial(_transactions, world),
        f"let the agent's user ask what deployments.{name}.pending_transactions names",
    )  # fmt: skip


def _signals(world: World) -> None:
    world.prometheus.telemetry(world.deployment)


def _target(world: World) -> str | None:
    return "; ".join(faults(world.target)) or None


def _good_release(world: World) -> str | None:
    live, known = world.target.live(), world.target.known()
    with world.database.read() as tx:
        remembered = releases.known(tx, world.deployment)
    if choose_target(live, known, remembered):
        return None
    is_good = live.id in remembered and remembered[live.id].good_at is not None
    itself = "has proved good" if is_good else "has not proved good itself yet"
    return f"there is no good release to go back to from {live.id}, which is live and {itself}"


def _latch(world: World) -> str | None:
    with world.database.read() as tx:
        latch = deployments.latch_of(tx, world.deployment)
    return f"it is latched: {latch.reason}" if latch else None


def _budget(world: World) -> str | None:
    limit = world.config.guardrails.daily_limit
    with world.database.read() as tx:
        now = world.database.now(tx)
        claims = deployments.claims_within(tx, world.deployment, limit.period, now)
    if len(claims) < limit.limit:
        return None
    done, again = f"{len(claims)} rollbacks in the last {limit.period / 3600:g} h", claims[-limit.limit] + limit.period
    return f"{done}, {limit.limit} are allowed; the next one in {in_words(again - now)}"


def _backup(world: World) -> None:
    size_needed(configured(world.settings.backup))


def _transactions(world: World) -> None:
    # Being able to ask is enough: one that is open now will have ended by the time that matters.
    for source in world.transactions:
        source.pending()
