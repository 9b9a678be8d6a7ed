"""`incidents` and `show`: what happened, for people and, with --json, for programs."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from receiver.commands.diagnosis_view import show_diagnosis
from receiver.commands.follow import follow
from receiver.commands.groups import example
from receiver.commands.options import config_hint, config_option, json_option, open_journal
from receiver.commands.terminal import new_table, print_table, safe
from receiver.durations import clock_time, in_words
from receiver.errors import RollbackAgentError
from receiver.journal import views
from receiver.journal.views import View
from receiver.model import NO_RELEASE, SHORT_HASH
from receiver.progress import progress
from receiver.removed import gone


@click.command(epilog=example("rollback-agent incidents"))
@json_option
@config_option
def incidents(as_json: bool, config_path: Path) -> None:
    """List the newest incidents with their runs."""
    _, database = open_journal(config_path)
    with database.read() as tx:
        found = views.incidents(tx)
    if as_json:
        click.echo(json.dumps({"incidents": found}, indent=2))
        return
    if not found:
        click.echo("There has been no incident.")
        return
    columns = ("incident", "deployment", "opened", "state", "run", "branch", "result")
    table = new_table(*columns, whole=("incident", "deployment", "state", "run", "branch"))
    for incident in found:
        for run in incident["runs"] or [{}]:
            branch = (run.get("decision") or {}).get("branch", "")
            result = run.get("result") or (f"under way: {run['phase']}" if run else "")
            row = (
                incident["id"],
                incident["deployment"],
                clock_time(incident["opened_at"]),
                incident["state"],
            )
            table.add_row(*map(safe, (*row, run.get("id", ""), branch, result)))
    print_table(table)


@click.command(epilog=example("rollback-agent show 5c2e73c0 --follow"))
@click.argument("incident")
@click.option(
    "--follow", "is_followed", is_flag=True, help="Print what happens, as it happens, until its run has ended."
)
@json_option
@config_option
def show(incident: str, is_followed: bool, as_json: bool, config_path: Path) -> None:
    """Show one incident: what was decided, what was done, and what it waits for."""
    if is_followed and as_json:
        raise click.UsageError("--follow prints for people; call with --json as often as you like instead")
    config, database = open_journal(config_path)

    def read() -> View:
        with database.read() as tx:
            found = views.incident(tx, incident)
            why = gone(tx, incident) if found is None else None
        if found is None:
            raise why or RollbackAgentError(f"there is no incident {incident}; `rollback-agent incidents` lists them")
        return found

    if is_followed:
        follow(read, config.logs, time.time, config_hint(config_path))
        return
    found = read()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    closed = f"closed {clock_time(found['closed_at'])}" if found["closed_at"] else found["state"]
    click.echo(f"Incident {found['id']} of {found['deployment']}: opened {clock_time(found['opened_at'])}, {closed}")
    for run in found["runs"]:
        _show_run(found["id"], run, config_hint(config_path))
        if under_way := progress(run, config.logs, time.time()):
            times = f"for {in_words(under_way.in_phase)}, the run for {in_words(under_way.elapsed)}"
            click.echo(f"  {under_way.phase} {times}{': ' + safe(under_way.says) if under_way.says else ''}")
    for hotfix in found["hotfixes"]:
        until = f"due {clock_time(hotfix['deadline'])}, {hotfix['state']}"
        click.echo(f"\nHotfix by {safe(hotfix['started_by'])} from {clock_time(hotfix['started_at'])}, {until}")
    for escalation in found["escalations"]:
        answer = (
            f"answered by {escalation['answered_by']}: {escalation['answer']}" if escalation["answered_at"] else "open"
        )
        click.echo(
            f"\nEscalation {escalation['id']} ({escalation['reason']}), {safe(answer)}: {safe(escalation['summary'])}"
        )


def _show_run(incident: str, run: View, hint: str) -> None:
    ended = f"{run['result']}: {safe(run['reason'])}" if run["result"] else f"under way: {run['phase']}"
    click.echo(f"\nRun {run['id']}: {ended}")
    plan = run["plan"]
    if plan:
        change = safe(f"{plan['live_release']} -> {plan['target_release'] or NO_RELEASE}")
        click.echo(f"  plan {plan['hash'][:SHORT_HASH]}: {plan['level']}, {change}")
        click.echo(f"  command: {safe(' '.join(plan['command']) or 'none')}")
    table = new_table("phase", "began", "took", "outcome")
    for step in run["steps"]:
        took = f"{step['finished_at'] - step['started_at']:.2f} s" if step["finished_at"] else ""
        table.add_row(
            *map(safe, (step["name"], clock_time(step["started_at"]), took, step["summary"] or step["state"]))
        )
    print_table(table)
    for refusal in run["refusals"]:
        retry = f", ask again from {clock_time(refusal['retry_at'])}" if refusal["retry_at"] else ""
        click.echo(f"  refused by {refusal['guardrail']}: {safe(refusal['reason'])}{retry}")
    if run["diagnosis"]:
        show_diagnosis(run["diagnosis"])
    approval = run["approval"]
    if approval and approval["state"] == "pending":
        if approval["need"] > 1:
            by = "".join(f", by {safe(vote['person'])}" for vote in approval["votes"])
            click.echo(f"  {len(approval['votes'])} of {approval['need']} people have approved{by}")
        click.echo(f"  waits for a person until {clock_time(approval['expires_at'])}; confirm with:")
        click.echo(f"    rollback-agent approve {incident} --plan {approval['plan_hash'][:SHORT_HASH]}{hint}")
    if run["report"]:
        is_here = Path(run["report"]).is_file()
        click.echo(f"  report: {run['report']}{'' if is_here else ' (removed, or on another machine)'}")
