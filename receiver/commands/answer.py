"""`answer` and `clear`: a person deals with what the agent could not."""

from __future__ import annotations

from pathlib import Path

import click

from receiver.commands.groups import example
from receiver.commands.options import (
    at_command_line,
    config_option,
    deployment_argument,
    open_operators,
    person_option,
)
from receiver.commands.terminal import plain
from receiver.operators import Answer


@click.command(epilog=example("rollback-agent answer 7a1b90f2 --done --comment 'rolled back by hand'"))
@click.argument("escalation")
@click.option("--done", "word", flag_value=Answer.DONE.value, help="It was dealt with by hand, or needs nothing.")
@click.option("--retry", "word", flag_value=Answer.RETRY.value, help="Let the agent evaluate again if it still fires.")
@click.option(
    "--give-up", "word", flag_value=Answer.GIVE_UP.value, help="Attempt nothing more here: latch it until `clear`."
)
@click.option("--comment", default="", help="A word for the audit trail.")
@person_option
@config_option
def answer(escalation: str, word: str | None, comment: str, person: str, config_path: Path) -> None:
    """Answer an escalation, so that it is no longer open."""
    if word is None:
        raise click.UsageError("say --done, --retry or --give-up")
    answered = open_operators(config_path).answer(escalation, Answer(word), at_command_line(person), comment)
    found = answered.escalation
    click.echo(f"Answered as {person}: {found.reason} of {found.deployment}: {word.replace('_', ' ')}.")
    if word == Answer.RETRY and not answered.is_open:
        click.echo("Its incident is closed, since nothing fires any more; there is nothing to evaluate again.")
    if word == Answer.GIVE_UP:
        click.echo(f"{found.deployment} is latched; `rollback-agent clear {found.deployment}` lifts that.")


@click.command(epilog=example("rollback-agent clear qrl --comment 'restart.sh is mended'"))
@deployment_argument
@click.option("--comment", default="", help="A word for the audit trail.")
@person_option
@config_option
def clear(deployment: str, comment: str, person: str, config_path: Path) -> None:
    """Lift a latch; what still fires is evaluated again, at once."""
    cleared = open_operators(config_path).clear(deployment, at_command_line(person), comment)
    click.echo(f"Cleared as {person}: {deployment} was latched because {plain(cleared.latch.reason)}.")
    if cleared.looks_again:
        click.echo("Its incident is still open, so the agent evaluates it again now; `rollback-agent show` tells more.")
