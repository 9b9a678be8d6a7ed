"""The functions of the operations guide, for programs that would rather call Python than a command.

Each goes the same way as the command line: nothing is rolled back past a guardrail, and everything is on the record.
"""

from __future__ import annotations

import time
from pathlib import Path

from receiver.commands.drill import require_serving
from receiver.commands.options import (
    DEFAULT_CONFIG,
    at_command_line,
    is_serving,
    journal_of,
    load_knowing_secrets,
    operators_of,
)
from receiver.commands.verify import await_well, in_words, world_of
from receiver.config import Config
from receiver.drills.fault import drill_fault
from receiver.errors import NotPossible, RollbackAgentError
from receiver.health import check_health
from receiver.journal import incidents, views
from receiver.journal.database import Database
from receiver.journal.views import View
from receiver.model import Level, Result
from receiver.operators import Operators, Person

_EVERY = 0.5
"""Seconds between two looks at a run."""


def check_service_health(deployment: str | None = None, config: str | Path = DEFAULT_CONFIG) -> dict[str, bool]:
    """Whether each service passes all of its health checks now, by its name.

    Runs the deployment's `diagnosis.health` command; raises HealthError where that cannot be, and RollbackAgentError.
    Without `deployment` the only one that is configured is meant.
    """
    loaded = load_knowing_secrets(Path(config))
    name = _deployment(loaded, deployment)
    settings = loaded.deployments[name].diagnosis
    if settings.health is None:
        raise RollbackAgentError(f"deployments.{name}.diagnosis.health is not configured, so nothing can be checked")
    found: dict[str, bool] = {}
    for check in check_health(settings.health, settings.timeout, name):
        found[check.service] = found.get(check.service, True) and check.success
    return found


def execute_rollback(
    level: str = "fast",
    auto_confirm: bool = True,
    *,
    deployment: str | None = None,
    config: str | Path = DEFAULT_CONFIG,
    person: str | None = None,
    timeout: float = 3600.0,
) -> tuple[bool, str | None, str | None]:
    """Roll back by hand: whether it was verified, the path of the command's log, and that of the backup.

    A path is None where it did not come so far. With `auto_confirm` the plan is confirmed as soon as it is there, in
    the name of `person` (otherwise of the login); without it, this waits until somebody confirms it on the page or at
    the command line. `rollback-agent serve` must run: it does the work, and goes on after `timeout` seconds, when this
    raises TimeoutError. Raises NotPossible where a run is under way already, ValueError for an unknown level.
    """
    wanted, loaded = Level(level), load_knowing_secrets(Path(config))
    name = _deployment(loaded, deployment)
    if not is_serving(loaded.root):
        raise RollbackAgentError("rollback-agent serve is not running, so nothing would be done")
    database = journal_of(loaded)
    operators = operators_of(loaded, database)
    who = at_command_line(person)
    run = operators.request_rollback(name, wanted, who)
    ended = _await(database, operators, name, run, who if auto_confirm else None, time.monotonic() + timeout)
    log, backup = ended["execution"], ended["backup"]
    return ended["result"] == Result.RESTORED, (log and log["output"]) or None, backup and backup["directory"]


def verify_rollback_success(
    deployment: str | None = None, config: str | Path = DEFAULT_CONFIG, *, wait: bool = True
) -> tuple[bool, str]:
    """Whether the deployment is well, and a sentence; with `wait` it has up to `verify.timeout` to become so."""
    loaded = load_knowing_secrets(Path(config))
    name = _deployment(loaded, deployment)
    world = world_of(loaded, name)
    found = await_well(world, world.settings.verify.timeout if wait else 0.0)
    return found.missing is None, in_words(name, found)


def simulate_service_failure(
    service: str = "fastapi",
    config: str | Path = DEFAULT_CONFIG,
    *,
    auto_confirm: bool = True,
    person: str | None = None,
) -> tuple[bool, str]:
    """Do the drill `kill_SERVICE` of the configuration: whether it ended as it has to, and a sentence.

    Its deployment must say that it is a sandbox. Raises NotPossible, with nothing broken, where there is no such drill,
    the deployment is not calm, or `rollback-agent serve` does not run.
    """
    loaded, name = load_knowing_secrets(Path(config)), f"kill_{service}"
    if name not in loaded.drills:
        known = ", ".join(sorted(loaded.drills)) or "none"
        raise NotPossible(f"there is no drill {name}; the configuration has {known}")
    require_serving(loaded)
    database = journal_of(loaded)
    found = drill_fault(
        loaded, database, operators_of(loaded, database), name, at_command_line(person),
        confirms=auto_confirm, tell=lambda *_: None,
    )  # fmt: skip
    return found.is_good, found.reason


def _await(
    database: Database, operators: Operators, deployment: str, run: str, confirmed_by: Person | None, deadline: float
) -> View:
    while True:
        with database.read() as tx:
            incident = incidents.of_run(tx, run)
            view: View = next(one for one in (views.incident(tx, incident) or {})["runs"] if one["id"] == run)
        if view["state"] == "finished":
            return view
        approval = view["approval"]
        if confirmed_by and approval and approval["state"] == "pending" and not approval["votes"]:
            operators.approve(incident, approval["plan_hash"], confirmed_by, "confirmed by the program that asked")
        if time.monotonic() > deadline:
            raise TimeoutError(f"run {run} of {deployment} goes on: `rollback-agent show {incident} --follow`")
        time.sleep(_EVERY)


def _deployment(config: Config, name: str | None) -> str:
    if name is None and len(config.deployments) == 1:
        return next(iter(config.deployments))
    if name in config.deployments:
        return str(name)
    known = ", ".join(sorted(config.deployments))
    raise NotPossible(f"{name} is no deployment: name one of {known}" if name else f"name one of {known}")
