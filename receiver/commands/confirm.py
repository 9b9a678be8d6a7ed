"""`approve` and `deny`: a person's answer to a plan."""

from __future__ import annotations

from pathlib import Path

import click

from receiver.commands.groups import example
from receiver.commands.options import at_command_line, config_option, open_operators, person_option
from receiver.durations import clock_time
from receiver.journal.approvals import Approval, ApprovalState
from receiver.model import SHORT_HASH


@click.command(epilog=example("rollback-agent approve 5c2e73c0 --plan 26b6e61d --comment 'the errors began with it'"))
@click.argument("incident")
@click.option("--plan", "plan_hash", help="The plan's hash, at least its first 8 characters; `show` tells it.")
@click.option("--comment", default="", help="A word for the audit trail.")
@person_option
@config_option
def approve(incident: str, plan_hash: str | None, comment: str, person: str, config_path: Path) -> None:
    """Confirm the plan that the agent asks about; the rollback then goes on."""
    if plan_hash is None:
        raise click.UsageError(
            f"say which plan, with --plan and its hash; `rollback-agent show {incident}` says what it does"
        )
    approval = open_operators(config_path).approve(incident, plan_hash, at_command_line(person), comment)
    _tell("Approved", person, incident, approval)
    if approval.state is ApprovalState.PENDING:
        missing = approval.need - len(approval.voters)
        click.echo(f"{approval.need} people must approve; {missing} more before {clock_time(approval.expires_at)}.")


@click.command(epilog=example("rollback-agent deny 5c2e73c0 --comment 'the provider is down, not we'"))
@click.argument("incident")
@click.option("--comment", default="", help="A word for the audit trail.")
@person_option
@config_option
def deny(incident: str, comment: str, person: str, config_path: Path) -> None:
    """Refuse the plan; the run ends, and the deployment is latched until `clear`."""
    approval = open_operators(config_path).deny(incident, at_command_line(person), comment)
    _tell("Denied", person, incident, approval)


def _tell(word: str, person: str, incident: str, approval: Approval) -> None:
    click.echo(f"{word} as {person}: plan {approval.plan_hash[:SHORT_HASH]} of incident {incident}.")
