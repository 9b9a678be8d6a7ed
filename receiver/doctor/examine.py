"""Everything that is looked at, in its order: this machine, the journal, the monitoring, each deployment."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from receiver.audit import AuditTrail
from receiver.doctor.checked import Check, Checked, NotYet, made
from receiver.doctor.deployment import of_deployment
from receiver.doctor.monitoring import Monitoring, ahead_of, of_monitoring
from receiver.doctor.permissions import permissions
from receiver.guardrails.watchdog import missing_for
from receiver.journal import schema, seen
from receiver.kill_switch import look_now
from receiver.world import World


def examine(
    worlds: dict[str, World], serving_since: float | None, monitoring: Monitoring, config_path: Path | None = None
) -> Iterator[Checked]:
    """Everything that is common, then each deployment; `serving_since` is None where no receiver runs.

    It reads, and changes nothing. What it cannot ask is wrong, with the reason.
    """
    return made(_checks(worlds, serving_since, monitoring, config_path))


def _checks(
    worlds: dict[str, World], serving_since: float | None, monitoring: Monitoring, config_path: Path | None
) -> Iterator[Check]:
    first = next(iter(worlds.values()))
    config = first.config
    yield Check(
        "serve", lambda: None if serving_since else "it is not running: nothing is watched",
        "start it: `systemctl start rollback-agent`, or `rollback-agent serve` with this configuration",
    )  # fmt: skip
    yield Check(
        "permissions", lambda: permissions(config, config_path, serving_since is not None),
        "the agent's user, and nobody else, writes below root; see docs/deploy/",
    )  # fmt: skip
    yield Check(
        "disk", partial(_disk, first),
        "make room there, or let `root` name a larger disk; `backup.keep` says how many backups stay",
    )  # fmt: skip
    yield Check("journal", partial(_journal, first), _mend_journal(first))
    yield Check(
        "kill switch", partial(_kill_switch, first),
        "when the reason for it is over: rollback-agent kill-switch off",
        needs=("journal",),
    )  # fmt: skip
    yield Check(
        "audit trail", partial(_audit, first),
        "`rollback-agent audit verify` names the first record that does not hold; docs/audit.md says what then",
    )  # fmt: skip
    yield Check(
        "Alertmanager", partial(_alertmanager, first),
        f"see that it runs, and that alertmanager.url ({config.alertmanager.url}) is its address as seen from here",
    )  # fmt: skip
    yield from of_monitoring(monitoring, worlds, first.clock)
    yield Check(
        "Watchdog", partial(_watchdog, first, serving_since),
        "is its rule loaded in Prometheus, and does Alertmanager route it to /api/v1/alerts with the webhook's token? "
        "Alertmanager's log says what it was answered",
        needs=("serve", "journal"),
    )  # fmt: skip
    for world in worlds.values():
        yield from of_deployment(world)


def _disk(world: World) -> str | NotYet | None:
    root, needed = world.config.root, world.config.guardrails.disk_space.minimum_bytes
    there = next(one for one in (root, *root.parents) if one.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        return f"{free / 1e9:.2f} GB are free at {there}, {needed / 1e9:.2f} GB are needed"
    return None if there == root else NotYet(f"{root} is not there yet; {there} has room for it")


def _journal(world: World) -> str | None:
    file = world.database.file
    if file is not None and not file.path.exists():
        return f"there is no journal at {file.path}"
    found, known = schema.version(world.database), schema.newest()
    if found is None:
        return "the database holds no journal"
    if found != known:
        return f"the journal has schema {found}, and this program makes {known}"
    if world.database.is_sqlite:
        return None
    with world.database.read() as tx:
        stores = tx.exec_driver_sql("show fsync").scalar_one() == "on"
        ahead = world.clock() - world.database.now(tx)
    wrong = [] if stores else ["PostgreSQL runs with fsync = off: what was accepted is lost with its machine's power"]
    wrong += filter(None, [ahead_of(ahead, "PostgreSQL's")])
    return "; ".join(wrong) or None


def _mend_journal(world: World) -> str:
    if world.database.is_sqlite:
        return "`rollback-agent serve` makes it, and brings its schema up to date; it says what is wrong with the file"
    postgresql = world.config.journal.postgresql
    file = postgresql.url_file if postgresql else "journal.postgresql.url_file"
    return (
        f'see that PostgreSQL runs and takes this: psql "$(cat {file})" --command "show fsync"; set fsync = on there, '
        "and both clocks by one time service; `rollback-agent serve` makes the schema"
    )


def _kill_switch(world: World) -> str | None:
    on, unknown = look_now(world.config, world.database)
    if on is None:
        return f"{unknown}, so nothing is rolled back"
    return "it is on: nothing is rolled back" if on else None


def _audit(world: World) -> None:
    AuditTrail(world.config.audit_files, world.clock).head()


def _alertmanager(world: World) -> None:
    world.alertmanager.active_silences({"alertname": "Doctor"})


def _watchdog(world: World, serving_since: float | None) -> str | None:
    with world.database.read() as tx:
        last, now = seen.last(tx, seen.WATCHDOG), world.database.now(tx)
    missing = missing_for(now, last, serving_since or now, world.config.guardrails.watchdog.max_age)
    return None if missing is None else f"none has come for {missing:.0f} s, so nothing is rolled back automatically"
