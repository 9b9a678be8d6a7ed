"""`rollback`: a rollback by hand, through the same workflow; with --dry-run only the plan is printed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from receiver import autonomy
from receiver.backup.sources import configured
from receiver.commands.groups import example
from receiver.commands.options import (
    at_command_line,
    config_hint,
    config_option,
    deployment_argument,
    is_serving,
    json_option,
    open_journal,
    operators_of,
    person_option,
)
from receiver.commands.terminal import plain
from receiver.config import Config
from receiver.decision import why_ask
from receiver.dry_run import dry_run
from receiver.durations import clock_time
from receiver.errors import NotFound, no_deployment
from receiver.guardrails.checklist import GUARDRAILS
from receiver.journal import incidents
from receiver.journal.database import Database
from receiver.model import NO_RELEASE, SHORT_HASH, Level, Plan, Refusal, Trigger
from receiver.redact import redact
from receiver.wiring import put_together
from receiver.world import World

_WIDTH = max(len(guardrail.__name__) for guardrail in GUARDRAILS) + 2


@click.command(epilog=example("rollback-agent rollback qrl --level fast --dry-run"))
@deployment_argument
@click.option(
    "--level",
    type=click.Choice([level.value for level in Level]),
    required=True,
    help="How much to roll back: the code (fast), code and database (full), or by hand, as you are told (manual).",
)
@click.option("--dry-run", is_flag=True, help="Print the plan and what the guardrails say; change nothing.")
@json_option
@person_option
@config_option
def rollback(deployment: str, level: str, dry_run: bool, as_json: bool, person: str, config_path: Path) -> None:
    """Roll DEPLOYMENT back to its newest good release."""
    config, database = open_journal(config_path)
    if deployment not in config.deployments:
        raise NotFound(no_deployment(deployment, config.deployments))
    if dry_run:
        _dry_run(config, database, deployment, Level(level), person, as_json)
        return
    run = operators_of(config, database).request_rollback(deployment, Level(level), at_command_line(person))
    with database.read() as tx:
        incident = incidents.open_incident(tx, deployment)
    click.echo(
        f"Requested as {person}: run {run} of incident {incident}. The agent plans it and "
        f"{'tells what you do' if level == Level.MANUAL else 'asks for confirmation'}:"
    )
    click.echo(f"  rollback-agent show {incident}{config_hint(config_path)}")
    if not is_serving(config.root):
        click.echo("rollback-agent serve is not running; the request waits until it does.")


def _dry_run(config: Config, database: Database, deployment: str, level: Level, person: str, as_json: bool) -> None:
    world = put_together(config, database).current().worlds[deployment]
    would_be = dry_run(world, level, person)
    if as_json:
        document = {
            "plan": would_be.plan.document(),
            "refusals": [asdict(refusal) for refusal in would_be.refusals],
        }
        click.echo(json.dumps(redact(document), indent=2))
        return
    _print_plan(world, would_be.plan, would_be.refusals)
    question = why_ask(would_be.decision, Trigger.OPERATOR, autonomy.of_world(world), config.decision)
    click.echo(f"approval    {question.reason if question else 'not needed'}")
    click.echo("\nDry run: nothing was changed.")


def _print_plan(world: World, plan: Plan, said_no: tuple[Refusal, ...]) -> None:
    kept = ", ".join(f"{source.kind} {source.name}" for source in configured(world.settings.backup))
    click.echo(f"plan        {plan.hash[:SHORT_HASH]} (hash {plan.hash})")
    click.echo(f"deployment  {plan.deployment}")
    click.echo(f"level       {plan.level}")
    click.echo(f"from        {plan.live_release} (commit {plain(plan.live_commit or 'unknown')})")
    commit = f" (commit {plain(plan.target_commit or 'unknown')})" if plan.target_release else ""
    click.echo(f"to          {plan.target_release or NO_RELEASE}{commit}")
    click.echo(f"back up     {kept or 'the plan and the configuration only'}")
    click.echo(f"            into {world.config.backups}")
    click.echo(f"command     {plain(' '.join(plan.command) or 'none')}")
    if plan.command:
        click.echo(f"            within {plan.timeout:g} s, output to {world.config.logs}/rollback-<run>.log")
    click.echo(f"verify      {world.settings.verify.samples_in_a_row} good checks in a row of every service, no branch")
    click.echo(f"            firing, within {world.settings.verify.timeout:g} s")
    click.echo("guardrails")
    by_name = {refusal.guardrail: refusal for refusal in said_no}
    for guardrail in GUARDRAILS:
        refusal = by_name.get(guardrail.__name__)
        retry = f" (ask again from {clock_time(refusal.retry_at)})" if refusal and refusal.retry_at else ""
        said = f"refuses: {plain(refusal.reason)}{retry}" if refusal else "passes"
        click.echo(f"  {guardrail.__name__:<{_WIDTH}}{said}")
