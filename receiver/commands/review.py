"""`review`: what people found of an incident afterwards, and what all of it says about the agent's decisions."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import click

from receiver.audit import AuditTrail
from receiver.commands.groups import Group, example
from receiver.commands.options import (
    Moment,
    at_command_line,
    complete_deployment,
    config_option,
    deployment_argument,
    json_option,
    open_journal,
    person_option,
)
from receiver.commands.review_view import show_patterns, show_summary, show_unreviewed
from receiver.durations import clock_time
from receiver.errors import NotFound, no_deployment
from receiver.journal import reviews
from receiver.learning.summary import summary
from receiver.model import Found
from receiver.redact import redact
from receiver.reviewing import Answers, Reviewers

F = TypeVar("F", bound=Callable[..., Any])
WORDS = click.Choice([word.value for word in Found])
QUESTIONS = {
    "necessary": "Was the rollback necessary?",
    "level": "Was the level right?",
    "hotfix": "Could a hotfix have worked?",
}


class ReviewGroup(Group):
    """`review ID` beside `review summary`: whatever is no command is an incident."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is named, or the one that reviews an incident, with what is left."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            return "incident", self.commands["incident"], args
        return super().resolve_command(ctx, args)


def _findings(command: F) -> F:
    """The options that say what was found."""
    for option in reversed(
        (
            click.option("--level", type=WORDS, help="Was the level (fast or full) right?"),
            click.option("--hotfix", type=WORDS, help="Could a hotfix have worked in time?"),
            click.option("--cause", help="What the cause was, in a sentence."),
            click.option("--pattern", default=None, help="The failure pattern; a new name is a new one."),
            click.option("--began", type=Moment(), help="When the fault began, such as 2026-11-30T14:03:00Z."),
            click.option("--noticed", type=Moment(), help="When a person noticed it."),
            click.option("--ended", type=Moment(), help="When it was over, where the agent cannot know."),
        )
    ):
        command = option(command)
    return command


@click.group(
    cls=ReviewGroup,
    subcommand_metavar="ID | COMMAND [ARGS]...",
    epilog=example("rollback-agent review 8d8ac610 --necessary yes --level yes --hotfix no --cause 'a typing error'"),
)
def review() -> None:
    """Say what was found of incident ID, or see what all reviews say about the agent's decisions.

    `review ID` asks what its options do not say: whether the rollback was necessary, whether the level was right,
    whether a hotfix could have worked, what the cause was, and which pattern.
    """


@review.command(
    hidden=True,
    epilog=example("rollback-agent review incident 8d8ac610 --necessary yes --level yes --hotfix no --cause 'a leak'"),
)
@click.argument("incident_id", metavar="ID")
@click.option("--necessary", type=WORDS, help="Was the rollback necessary?")
@_findings
@person_option
@config_option
def incident(
    incident_id: str,
    necessary: str | None,
    level: str | None,
    hotfix: str | None,
    cause: str | None,
    pattern: str | None,
    began: float | None,
    noticed: float | None,
    ended: float | None,
    person: str,
    config_path: Path,
) -> None:
    """Say what was found of an incident; what is not given is asked for. A second review replaces the first."""
    words = {"necessary": necessary, "level": level, "hotfix": hotfix}
    if not cause or None in words.values():
        if not sys.stdin.isatty():
            raise click.UsageError("say --necessary, --level, --hotfix (each yes, no or unsure) and --cause")
        words = {name: word or str(click.prompt(QUESTIONS[name], type=WORDS)) for name, word in words.items()}
        cause = cause or str(click.prompt("What was the cause?"))
        pattern = pattern or click.prompt("Which failure pattern (Enter: none)?", default="", show_default=False)
    was_necessary, level_right, hotfix_possible = (Found(words[name] or Found.UNSURE) for name in QUESTIONS)
    found = Answers(was_necessary, level_right, hotfix_possible, cause, pattern or None, began, noticed, ended)
    taken = _reviewers(config_path).review(incident_id, found, at_command_line(person))
    decided = "decided for a rollback" if taken.decided_rollback else "did not decide for a rollback"
    click.echo(f"Reviewed as {person}: incident {incident_id} of {taken.deployment}; the agent {decided}.")


@review.command(
    epilog=example(
        "rollback-agent review missed qrl --began 2026-11-30T14:03:00Z --cause 'a leak' --branch wide_impact"
    )
)
@deployment_argument
@click.option("--necessary", type=WORDS, default=Found.YES.value, show_default=True, help="Was a rollback necessary?")
@click.option("--branch", help="The branch of the tree that should have fired.")
@click.option("--service", "services", multiple=True, help="A service that failed; may be given several times.")
@_findings
@person_option
@config_option
def missed(
    deployment: str,
    necessary: str,
    branch: str | None,
    services: tuple[str, ...],
    level: str | None,
    hotfix: str | None,
    cause: str | None,
    pattern: str | None,
    began: float | None,
    noticed: float | None,
    ended: float | None,
    person: str,
    config_path: Path,
) -> None:
    """Enter an incident of DEPLOYMENT that the agent missed."""
    if began is None or not cause:
        raise click.UsageError("say --began and --cause")
    unsure = Found.UNSURE.value
    found = Answers(
        Found(necessary), Found(level or unsure), Found(hotfix or unsure), cause, pattern, began, noticed, ended
    )
    taken = _reviewers(config_path).enter_missed(deployment, found, at_command_line(person), branch, services)
    click.echo(f"Entered as {person}: the agent missed an incident of {deployment} at {clock_time(taken.began_at)}.")


@review.command(name="summary", epilog=example("rollback-agent review summary --deployment qrl"))
@click.option("--deployment", shell_complete=complete_deployment, help="Only of this one.")
@json_option
@config_option
def summary_(deployment: str | None, as_json: bool, config_path: Path) -> None:
    """Show how good the decisions were: precision, recall, lead time, and whether confidences are true."""
    config, database = open_journal(config_path)
    with database.read() as tx:
        found, waiting = reviews.find(tx, deployment), reviews.unreviewed(tx)
    if deployment is not None and not found and deployment not in config.deployments:
        raise NotFound(no_deployment(deployment, config.deployments))
    told = summary(found) | {"unreviewed": {k: v for k, v in waiting.items() if deployment in (None, k)}}
    if as_json:
        click.echo(json.dumps(redact(told), indent=2, allow_nan=False))
    else:
        show_summary(told)


@review.command(epilog=example("rollback-agent review patterns"))
@json_option
@config_option
def patterns(as_json: bool, config_path: Path) -> None:
    """List the failure patterns that reviews have named."""
    _, database = open_journal(config_path)
    with database.read() as tx:
        found = reviews.patterns(tx)
    if as_json:
        click.echo(json.dumps(redact({"patterns": [asdict(one) for one in found]}), indent=2))
    else:
        show_patterns(found)


@review.command(name="open", epilog=example("rollback-agent review open"))
@json_option
@config_option
def open_(as_json: bool, config_path: Path) -> None:
    """List the closed incidents that nobody has reviewed."""
    _, database = open_journal(config_path)
    with database.read() as tx:
        waiting = reviews.unreviewed(tx)
    if as_json:
        click.echo(json.dumps({"unreviewed": waiting}, indent=2))
    else:
        show_unreviewed(waiting)


def _reviewers(config_path: Path) -> Reviewers:
    config, database = open_journal(config_path)
    return Reviewers(database, AuditTrail(config.audit_files, time.time), config)
