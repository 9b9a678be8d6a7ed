"""`explain`: why the agent decided as it did, and what would have changed it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from receiver.commands.groups import example
from receiver.commands.options import config_option, json_option, open_journal
from receiver.commands.terminal import new_table, plain, print_table, safe
from receiver.durations import clock_time
from receiver.errors import NotFound
from receiver.explain.document import Document, explanation
from receiver.journal import judgements, views
from receiver.journal.database import Database
from receiver.journal.views import View
from receiver.model import SPEAKS
from receiver.redact import redact
from receiver.removed import gone


@click.command(epilog=example("rollback-agent explain 8d8ac610"))
@click.argument("id_", metavar="ID")
@json_option
@config_option
def explain(id_: str, as_json: bool, config_path: Path) -> None:
    """Explain what was decided: the facts, the path through the tree, every guardrail's answer.

    ID is an incident or one run of it. Every stored decision is made again from its facts; the last line says whether
    the answers are the same.
    """
    _, database = open_journal(config_path)
    incident, runs = _found(database, id_)
    if as_json:
        document = [
            {"incident": incident["id"], "deployment": incident["deployment"], "run": run["id"], "explanation": why}
            for run, why in runs
        ]
        click.echo(json.dumps(redact({"runs": document}), indent=2, allow_nan=False))
        return
    for number, (run, why) in enumerate(runs):
        if number:
            click.echo()
        _show(incident, run, why)


def _found(database: Database, id_: str) -> tuple[View, list[tuple[View, Document | None]]]:
    """The incident and its runs, or the one that is meant, each with what was kept of it."""
    with database.read() as tx:
        found = views.incident(tx, id_) or views.incident_of_run(tx, id_)
        if found is None:
            raise gone(tx, id_) or NotFound(
                f"there is no incident and no run {id_}; `rollback-agent incidents` lists them"
            )
        meant = [run for run in found["runs"] if found["id"] == id_ or run["id"] == id_]
        return found, [(run, explanation(judgements.of_run(tx, run["id"]))) for run in meant]


def _show(incident: View, run: View, why: Document | None) -> None:
    click.echo(f"Run {run['id']} of incident {incident['id']} of {plain(incident['deployment'])}")
    if why is None:
        click.echo("  Nothing was kept of what it decided on: it did not come so far, or an older version decided.")
        return
    click.echo(f"  decided {clock_time(why['decided_at'])}: {plain(why['conclusion'])}")
    _show_facts(why["facts"])
    _show_path(why)
    _show_nearest(why)
    _show_attribution(why["attribution"])
    _show_question(why["question"])
    for asked in why["guardrails"]:
        _show_guardrails(asked)
    differ = [phase for phase, same in why["replayed"].items() if not same]
    click.echo()
    if differ:
        click.echo(f"Decided again from these facts, this version answers otherwise in: {', '.join(differ)}")
    else:
        click.echo(f"Decided again from these facts: the same answers, bit for bit ({len(why['replayed'])} judgements)")


def _show_facts(facts: dict[str, Any]) -> None:
    click.echo("\nFacts")
    if facts["unknown"]:
        click.echo(f"  {plain(facts['unknown'])}")
        return
    table = new_table("signal", "value", "sampled")
    for one in facts["signals"]:
        name = f"{one['name']}{{service={one['service']}}}" if one["service"] else one["name"]
        value = "no data" if one["value"] is None else f"{one['value']:.6g}"
        table.add_row(safe(name), value, clock_time(one["at"]))
    print_table(table)
    for query in facts["queries"]:
        click.echo(f"  asked at {clock_time(facts['read_at'])}: {plain(query)}")


def _show_path(why: Document) -> None:
    click.echo("\nPath through the tree")
    if why["tree_unknown"]:
        click.echo(f"  not known: {plain(why['tree_unknown'])}")
        return
    table = new_table("", "branch", "value", "limit", "state", "")
    for one in why["path"]:
        whose = f"{one['service']} " if one["service"] else ""
        state = f"held back by {one['held_back_by']}" if one["held_back_by"] else one["state"]
        rank = "?" if one["rank"] is None else str(one["rank"])
        value, limit = f"{whose}{one['value'] or '-'}", one["limit"] or ""
        row = (rank, one["branch"], value, limit, state, "decides" if one["decides"] else "")
        table.add_row(*(Text(plain(cell), "bold" if one["decides"] else "") for cell in row))
    print_table(table)


def _show_nearest(why: Document) -> None:
    if not why["nearest"] and not why["pending"]:
        return
    click.echo("\nWhat would have changed it, the nearest first")
    for sentence in (*(one["sentence"] for one in why["nearest"]), *why["pending"]):
        click.echo(f"  {plain(sentence)}")


def _show_attribution(clues: list[dict[str, Any]]) -> None:
    if not clues:
        return
    click.echo("\nDoes the live release explain the fault?")
    for one in clues:
        click.echo(f"  {SPEAKS[one['fits']]:<9}  {plain(one['sentence'])}")


def _show_question(question: dict[str, Any] | None) -> None:
    if question is None:
        return
    said = "a person is asked" if question["asked"] else "nobody need be asked"
    said += f": {plain(question['why'])}" if question["why"] else ""
    click.echo(f"\nApproval\n  {said}")


def _show_guardrails(asked: dict[str, Any]) -> None:
    click.echo(f"\nGuardrails, asked in {asked['phase']} at {clock_time(asked['at'])}")
    width = max((len(one["guardrail"]) for one in asked["answers"]), default=0)
    for one in asked["answers"]:
        retry = f" (ask again from {clock_time(one['retry_at'])})" if one["retry_at"] else ""
        said = "allows" if one["allows"] else f"refuses: {plain(one['reason'])}{retry}"
        click.echo(f"  {one['guardrail']:<{width}}  {said}")
