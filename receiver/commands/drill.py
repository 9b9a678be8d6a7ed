"""`drill`: a fault on purpose in a sandbox, or a rehearsal that breaks nothing, and a verdict on what the agent did."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from receiver.commands.groups import example
from receiver.commands.options import (
    at_command_line,
    complete_deployment,
    config_hint,
    config_option,
    is_serving,
    json_option,
    open_journal,
    operators_of,
    person_option,
)
from receiver.commands.terminal import plain
from receiver.config import Config
from receiver.config.drills import REHEARSAL
from receiver.drills.fault import drill_fault
from receiver.drills.judge import DrillResult
from receiver.drills.rehearsal import Rehearsed, rehearse
from receiver.durations import clock_time, in_words
from receiver.errors import NotFound, NotPossible, RollbackAgentError, no_deployment
from receiver.journal import drills
from receiver.journal.database import Database
from receiver.model import NO_RELEASE
from receiver.redact import redact
from receiver.wiring import alertmanager, put_together


@click.command(epilog=example("rollback-agent drill --dry-run qrl"))
@click.argument("scenario", required=False)
@click.option(
    "--dry-run",
    "deployment",
    metavar="DEPLOYMENT",
    shell_complete=complete_deployment,
    help="Break nothing: send an alert of its own, and plan.",
)
@click.option("--confirm", "confirms", is_flag=True, help="Confirm the plan that the agent asks about, as yourself.")
@json_option
@person_option
@config_option
def drill(
    scenario: str | None, deployment: str | None, confirms: bool, as_json: bool, person: str, config_path: Path
) -> None:
    """Bring about the fault SCENARIO in a sandbox, and judge the whole chain; without SCENARIO list what there is.

    Ends with 0 where it ended as it has to, and with 1 where not.
    """
    if scenario and deployment:
        raise click.UsageError("--dry-run DEPLOYMENT breaks nothing, so it takes no SCENARIO")
    config, database = open_journal(config_path)
    if scenario is None and deployment is None:
        _list(config, database, as_json)
        return
    if scenario is not None and scenario not in config.drills:
        raise NotFound(f"there is no drill {scenario}; {_known(config)}")
    if deployment is not None and deployment not in config.deployments:
        raise NotFound(no_deployment(deployment, config.deployments))
    require_serving(config)
    if deployment is not None:
        found = _rehearse(config, database, deployment, person, as_json)
    else:
        found = _break(config, database, str(scenario), person, confirms, as_json)
    if not found.is_good:
        hint = f" `rollback-agent show {found.incident}{config_hint(config_path)}`" if found.incident else ""
        raise RollbackAgentError(f"the drill failed: {found.reason}.{hint}")


def require_serving(config: Config) -> None:
    """Raises NotPossible where no receiver would see the drill; replicas may run on other machines."""
    if config.journal.postgresql is None and not is_serving(config.root):
        raise NotPossible("rollback-agent serve is not running, so nothing would be seen; nothing was broken")


def _known(config: Config) -> str:
    return f"the configuration has {', '.join(sorted(config.drills))}" if config.drills else "none is configured"


def _list(config: Config, database: Database, as_json: bool) -> None:
    with database.read() as tx:
        kinds = [(one.deployment, name, one.ends.value) for name, one in sorted(config.drills.items())]
        kinds += [(name, REHEARSAL, "planned") for name in config.deployments]
        latest = {(where, name): drills.latest(tx, where, name) for where, name, _ in kinds}
    if as_json:
        document = [
            {"deployment": where, "drill": name, "ends": ends, "last": last and asdict(last)}
            for where, name, ends in kinds
            for last in (latest[where, name],)
        ]
        click.echo(json.dumps(redact(document), indent=2))
        return
    width = max(len(name) for _, name, _ in kinds) + 2
    for where, name, ends in kinds:
        click.echo(f"{name:<{width}}{where}  has to be {ends:<10}  {plain(_last(latest[where, name]))}")


def _last(last: drills.Latest | None) -> str:
    if last is None:
        return "never done"
    return f"{last.state.replace('_', ' ')}, begun {clock_time(last.started_at)}: {last.reason or '-'}"


def _break(config: Config, database: Database, name: str, person: str, confirms: bool, as_json: bool) -> DrillResult:
    one = config.drills[name]
    operators, when = operators_of(config, database), dict[str, float]()

    def tell(moment: str, after: float) -> None:
        when[moment] = round(after, 1)
        if not as_json:
            click.echo(f"{in_words(after):>10}  {moment}")

    if not as_json:
        fault = plain(" ".join(one.fault))
        click.echo(f"{name}: {fault}; {one.deployment} has to be {one.ends.value} within {in_words(one.within)}")
    found = drill_fault(
        config, database, operators, name, at_command_line(person), confirms=confirms, tell=tell
    )  # fmt: skip
    if as_json:
        document = {"drill": name, "good": found.is_good, "reason": found.reason, "incident": found.incident}
        click.echo(json.dumps(redact({**document, "seconds": when}), indent=2))
    elif found.is_good:
        click.echo(f"Good: {plain(found.reason)}.")
    return found


def _rehearse(config: Config, database: Database, deployment: str, person: str, as_json: bool) -> DrillResult:
    world = put_together(config, database).current().worlds[deployment]
    if not as_json:
        click.echo(f"Rehearsing with {deployment}: an alert RollbackDrill goes to Alertmanager; nothing is touched.")
    rehearsed = rehearse(world, alertmanager(config), operators_of(config, database), at_command_line(person))
    if as_json:
        click.echo(json.dumps(redact(_document(rehearsed)), indent=2))
    else:
        _print(rehearsed)
    return rehearsed.found


def _document(rehearsed: Rehearsed) -> dict[str, object]:
    would_be = rehearsed.would_be
    return {
        "drill": REHEARSAL,
        "good": rehearsed.found.is_good,
        "reason": rehearsed.found.reason,
        "arrived_after_seconds": rehearsed.arrived_after,
        "plan_hash": would_be.plan.hash if would_be else None,
        "from": would_be.plan.live_release if would_be else None,
        "to": would_be.plan.target_release if would_be else None,
        "refused_by": [refusal.guardrail for refusal in would_be.refusals] if would_be else [],
    }


def _print(rehearsed: Rehearsed) -> None:
    if rehearsed.arrived_after is not None:
        click.echo(f"  the alert came to the agent after {rehearsed.arrived_after:.1f} s")
    if rehearsed.would_be is not None:
        plan = rehearsed.would_be.plan
        click.echo(f"  a fast rollback would go from {plan.live_release} to {plan.target_release or NO_RELEASE}")
        for refusal in rehearsed.would_be.refusals:
            click.echo(f"  refused by {refusal.guardrail}: {plain(refusal.reason)}")
    if rehearsed.found.is_good:
        click.echo(f"Good: {plain(rehearsed.found.reason)}.")
