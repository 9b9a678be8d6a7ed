"""Looks beforehand for what would keep a rollback from happening, and says what to do about each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from receiver.audit import AuditTrail
from receiver.backup.make import size_needed
from receiver.backup.sources import configured
from receiver.decision import choose_target
from receiver.durations import in_words
from receiver.errors import RollbackAgentError
from receiver.guardrails.watchdog import missing_for
from receiver.journal import deployments, releases, schema, seen
from receiver.kill_switch import is_on_now
from receiver.target_check import faults
from receiver.world import World

_NOT_SERVING = "it is not running: nothing is watched; start `rollback-agent serve`"
CLOCKS_APART = 5.0
"""Seconds; more would be misread in an audit trail, whose times are its own machine's."""
_SWITCHED_OFF = "it is on: nothing is rolled back; `rollback-agent kill-switch off` ends that"


@dataclass(frozen=True, slots=True)
class Checked:
    """One thing that was looked at: what it is, and what is wrong with it (None: nothing)."""

    subject: str
    wrong: str | None


def examine(worlds: dict[str, World], serving_since: float | None) -> Iterator[Checked]:
    """Everything that is common, then each deployment; `serving_since` is None where no receiver runs.

    It reads, and changes nothing. What it cannot ask is wrong, with the reason.
    """
    first = next(iter(worlds.values()))
    yield Checked("serve", None if serving_since else _NOT_SERVING)
    yield _tried("kill switch", partial(_kill_switch, first))
    yield _tried("journal", partial(_journal, first, serving_since))
    yield _tried("database", partial(_database, first))
    yield _tried("audit trail", partial(_audit, first))
    yield _tried("disk", partial(_disk, first))
    yield _tried("Alertmanager", partial(_alertmanager, first))
    for name, world in worlds.items():
        yield _tried(f"{name}: Prometheus", partial(_prometheus, world))
        yield _tried(f"{name}: target", partial(_target, world))
        yield _tried(f"{name}: good release", partial(_good_release, world))
        yield _tried(f"{name}: latch", partial(_latch, world))
        yield _tried(f"{name}: budget", partial(_budget, world))
        yield _tried(f"{name}: backup", partial(_backup, world))
        yield _tried(f"{name}: transactions", partial(_transactions, world))


def _tried(subject: str, look: Callable[[], str | None]) -> Checked:
    try:
        return Checked(subject, look())
    except (RollbackAgentError, OSError) as error:
        return Checked(subject, str(error))


def _kill_switch(world: World) -> str | None:
    return _SWITCHED_OFF if is_on_now(world.config, world.database) else None


def _journal(world: World, serving_since: float | None) -> str | None:
    with world.database.read() as tx:
        last, now = seen.last(tx, seen.WATCHDOG), world.database.now(tx)
    if serving_since is None:
        return None
    missing = missing_for(now, last, serving_since, world.config.guardrails.watchdog.max_age)
    if missing is None:
        return None
    return (
        f"no Watchdog has come for {missing:.0f} s, so nothing is rolled back automatically; "
        "is its alert loaded, and does Alertmanager route it to /api/v1/alerts?"
    )


def _database(world: World) -> str | None:
    found, known = schema.version(world.database), schema.newest()
    if found != known:
        return f"the journal has schema {found}, and this program makes {known}; `rollback-agent serve` brings it there"
    if world.database.is_sqlite:
        return None
    with world.database.read() as tx:
        stores = tx.exec_driver_sql("show fsync").scalar_one() == "on"
        ahead = world.clock() - world.database.now(tx)
    wrong = [] if stores else ["PostgreSQL runs with fsync = off: what was accepted is lost with its machine's power"]
    if abs(ahead) > CLOCKS_APART:
        way = "ahead of" if ahead > 0 else "behind"
        wrong.append(f"this machine's clock is {in_words(abs(ahead))} {way} PostgreSQL's; set both by one time service")
    return "; ".join(wrong) or None


def _audit(world: World) -> None:
    AuditTrail(world.config.audit_files, world.clock).head()


def _disk(world: World) -> str | None:
    needed, free = world.config.guardrails.disk_space.minimum_bytes, shutil.disk_usage(world.config.root).free
    if free >= needed:
        return None
    return f"{free / 1e9:.2f} GB are free at {world.config.root}, {needed / 1e9:.2f} GB are needed"


def _alertmanager(world: World) -> None:
    world.alertmanager.active_silences({"alertname": "Doctor"})


def _prometheus(world: World) -> None:
    world.prometheus.telemetry(world.deployment)


def _target(world: World) -> str | None:
    return "; ".join(faults(world.target)) or None


def _good_release(world: World) -> str | None:
    live, known = world.target.live(), world.target.known()
    with world.database.read() as tx:
        if choose_target(live, known, releases.known(tx, world.deployment)):
            return None
    return f"none but {live.id}, which is live, has proved good yet, so there is nothing to roll back to"


def _latch(world: World) -> str | None:
    with world.database.read() as tx:
        latch = deployments.latch_of(tx, world.deployment)
    if latch is None:
        return None
    return f"it is latched: {latch.reason}; when that is mended: rollback-agent clear {world.deployment}"


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
