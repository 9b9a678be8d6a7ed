"""`answer` and `clear`: a person deals with what the agent could not."""

from __future__ import annotations

from pathlib import Path

import click

from receiver.audit import AuditTrail
from receiver.commands.options import config_option, open_journal, person_option
from receiver.errors import RollbackAgentError
from receiver.journal import deployments, escalations, incidents


@click.command()
@click.argument("escalation")
@click.option("--done", "word", flag_value=escalations.DONE, help="It was dealt with by hand, or needs nothing.")
@click.option("--retry", "word", flag_value=escalations.RETRY, help="Let the agent evaluate again if it still fires.")
@click.option("--comment", default="", help="A word for the audit trail.")
@person_option
@config_option
def answer(escalation: str, word: str | None, comment: str, person: str, config_path: Path) -> None:
    """Answer an escalation, so that it is no longer open."""
    if word is None:
        raise click.UsageError("say --done or --retry")
    config, database = open_journal(config_path)
    with database.write() as tx:
        now = database.now(tx)
        found = next(iter(escalations.find(tx, escalation=escalation)), None)
        if found is None:
            raise RollbackAgentError(
                f"there is no escalation {escalation}; `rollback-agent status` lists the open ones"
            )
        if not escalations.answer(tx, escalation, now, person, word, comment):
            raise RollbackAgentError(f"escalation {escalation} was already answered by {found.answered_by}")
        is_open = found.incident is not None and found.incident == incidents.open_incident(tx, found.deployment)
        if word == escalations.RETRY and is_open:
            incidents.wake(tx, found.deployment, now, deciding=None)
        AuditTrail(config.logs / "audit-trail.jsonl", lambda: now).record(
            f"answer:{word}",
            comment or found.summary,
            actor=person,
            deployment=found.deployment,
            run=found.run,
        )
    click.echo(f"Answered as {person}: {found.reason} of {found.deployment}: {word}.")
    if word == escalations.RETRY and not is_open:
        click.echo("Its incident is closed, since nothing fires any more; there is nothing to evaluate again.")


@click.command()
@click.argument("deployment")
@click.option("--comment", default="", help="A word for the audit trail.")
@person_option
@config_option
def clear(deployment: str, comment: str, person: str, config_path: Path) -> None:
    """Lift a latch; what still fires is evaluated again, at once."""
    config, database = open_journal(config_path)
    if deployment not in config.deployments:
        raise RollbackAgentError(f"there is no deployment {deployment} in {config_path}")
    with database.write() as tx:
        now = database.now(tx)
        latch = deployments.clear_latch(tx, deployment)
        if latch is None:
            raise RollbackAgentError(f"{deployment} is not latched")
        looks_again = incidents.retry(tx, deployment, now)
        AuditTrail(config.logs / "audit-trail.jsonl", lambda: now).record(
            "clear", comment or latch.reason, actor=person, deployment=deployment
        )
    click.echo(f"Cleared as {person}: {deployment} was latched because {latch.reason}.")
    if looks_again:
        click.echo("Its incident is still open, so the agent evaluates it again now; `rollback-agent show` tells more.")
