"""`backtest`: what the rules of the tree would have decided in the past, set beside what people have found."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from receiver.backtest.activity import Span
from receiver.backtest.curve import curve
from receiver.backtest.decisions import ROLLS_BACK, Course
from receiver.backtest.guarded import stopped
from receiver.backtest.judged import Judgement, judge
from receiver.backtest.recorded import recorded
from receiver.backtest.reviewed import Reviews, read_reviewed, reviews_of_journal
from receiver.backtest.rule_set import read_rule_set
from receiver.backtest.run import Progress as Tell
from receiver.backtest.run import Replayed, Replayer
from receiver.backtest.settings import Setting, read_setting
from receiver.backtest.sweep import Point, read_sweep
from receiver.commands.backtest_recorded import print_recorded, recorded_as_json
from receiver.commands.backtest_sweep import print_sweep
from receiver.commands.backtest_view import print_replayed, print_stopped, replayed_as_json, stopped_as_json
from receiver.commands.backtest_write import write_settings
from receiver.commands.groups import example
from receiver.commands.options import (
    Moment,
    complete_deployment,
    config_option,
    existing_journal,
    json_option,
    load_knowing_secrets,
)
from receiver.config import Config
from receiver.errors import JournalError, NotPossible
from receiver.journal.reviews import occurrences
from receiver.rules.files import SHIPPED, TREE
from receiver.wiring import history

ANSWER_WITHIN = 120.0
"""Seconds that Prometheus has for each answer, as it has by default itself."""


def _settings(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[Setting, ...]:
    return tuple(read_setting(one) for one in values)


def _sweep(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[Setting, ...]:
    return () if value is None else read_sweep(value)


@click.command(epilog=example("rollback-agent backtest --from 2026-11-01 --deployment qrl"))
@click.option("--from", "since", type=Moment(), required=True, help="Where the replay begins; UTC unless it says.")
@click.option("--to", "until", type=Moment(), help="Where it ends; now by default.")
@click.option(
    "--deployment",
    "only",
    multiple=True,
    shell_complete=complete_deployment,
    help="Only this one; may be repeated. All by default.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    callback=_settings,
    metavar="BRANCH.NAME=VALUE",
    help="Replay with another number: NAME is threshold, for, keep_firing_for, confidence or a signal.",
)
@click.option(
    "--sweep",
    callback=_sweep,
    metavar="BRANCH.NAME=A,B,C",
    help="Replay with each of these values (or FROM..TO/STEPS) and say which are better; needs reviews.",
)
@click.option(
    "--svg",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the sweep's precision over recall to this file.",
)
@click.option(
    "--reviewed",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Judge by the incidents of this file (YAML or JSON), in place of the reviews of the journal.",
)
@click.option(
    "--rules",
    "rules_path",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=SHIPPED / TREE,
    help="The file that holds the branches; the shipped one by default.",
)
@click.option(
    "--write",
    is_flag=True,
    help="Afterwards write the numbers of --set into the rule file and its unit tests, for a person to commit.",
)
@click.option(
    "--every", type=click.IntRange(1, 300), default=15, show_default=True, help="Seconds between evaluations."
)
@click.option("--promtool", default="promtool", show_default=True, help="The program that evaluates the rules.")
@json_option
@config_option
def backtest(
    since: float,
    until: float | None,
    only: tuple[str, ...],
    settings: tuple[Setting, ...],
    sweep: tuple[Setting, ...],
    svg: Path | None,
    reviewed: Path | None,
    rules_path: Path,
    write: bool,
    every: int,
    promtool: str,
    as_json: bool,
    config_path: Path,
) -> None:
    """Replay history through the rules of the tree: what would have been rolled back, and when.

    History is what the configured Prometheus remembers of the recorded signals. promtool evaluates the rules over it,
    and what fires is decided on as the agent decides. Of the guardrails only those of the budget are asked. Each
    decision is set beside what people have found in their reviews: hits and mistakes, how early it came, and how many
    requests failed meanwhile; and beside what was decided at the time, live and in shadow.
    """
    until = time.time() if until is None else until
    if until <= since:
        raise click.UsageError("--to must be later than --from")
    if write and not settings:
        raise click.UsageError("--write writes what --set says")
    if write and (as_json or sweep):
        raise click.UsageError("--write goes neither with --json nor with --sweep: look first, then write one value")
    if svg and not sweep:
        raise click.UsageError("--svg draws a --sweep")
    config = load_knowing_secrets(config_path)
    rules = read_rule_set(rules_path, settings)
    reviews = _reviews(config, reviewed)
    reviews = reviews if isinstance(reviews, str) else reviews.within(since, until, only)
    if sweep:
        _require_reviews(reviews)
    first = since - since % every
    span = Span(first, first + (until - first) // every * every, every)
    remembered = history(config, ANSWER_WITHIN)

    def is_wanted(name: str) -> bool:
        return not only or name in only

    replayer = Replayer(remembered, promtool, config.decision, is_wanted)
    with progress(f"Replaying {span.count} evaluations") as tell:
        replayed = replayer.run(rules, span, tell)
    judgements = judged(replayer, replayed, reviews) if isinstance(reviews, Reviews) else None
    if sweep and isinstance(reviews, Reviews) and judgements is not None:
        points = []
        for one in sweep:
            with progress(f"Replaying with {one}") as tell:
                tried = replayer.run(read_rule_set(rules_path, (*settings, one)), span, tell)
            points.append(Point(one, judged(replayer, tried, reviews)[0]))
        if svg:
            name, matrices = (
                f"{sweep[0].branch}.{sweep[0].name}",
                [(one.setting.value, one.judgement.matrix) for one in points],
            )
            svg.write_text(curve(name, matrices, judgements[0].matrix))
        print_sweep(points, judgements[0], as_json)
        return
    not_done = stopped(replayed.decisions, config.guardrails, every)
    beside = recorded(remembered, span, config.decision, is_wanted)
    if as_json:
        document = replayed_as_json(replayer, replayed, reviews, judgements)
        document["stopped"] = [stopped_as_json(one) for one in not_done]
        document["recorded"] = recorded_as_json(beside, reviews)
        click.echo(json.dumps(document, indent=2))
    else:
        print_replayed(replayer, replayed, reviews, judgements)
        if not_done:
            print_stopped(replayed, not_done)
        print_recorded(beside, replayed.decisions, reviews)
    if write:
        write_settings(rules_path, settings, promtool)


def judged(replayer: Replayer, replayed: Replayed, reviews: Reviews) -> tuple[Judgement, Judgement]:
    """By all rollbacks, and by those that no person would have been asked about."""
    incidents = reviews.incidents
    cost = replayer.failed_requests(replayed.span, ((one.deployment, one.since, one.until) for one in incidents))
    every, alone = (
        judge(incidents, replayed.decisions, cost, courses, reviews.unanswered)
        for courses in (ROLLS_BACK, (Course.ROLLED_BACK,))
    )
    return every, alone


def _require_reviews(reviews: Reviews | str) -> None:
    """Raises NotPossible where no value could be told to be better than another."""
    if isinstance(reviews, Reviews) and reviews.incidents:
        return
    why = reviews if isinstance(reviews, str) else f"{reviews.source} has no reviewed incident of this time"
    raise NotPossible(f"--sweep needs reviews, since no value is better than another without: {why}")


def _reviews(config: Config, path: Path | None) -> Reviews | str:
    """What people have found, or why there is nothing to judge by."""
    if path is not None:
        return read_reviewed(path)
    try:
        with existing_journal(config).read() as tx:
            return reviews_of_journal(occurrences(tx), time.time())
    except JournalError as error:  # what the rules would have decided is worth knowing without reviews, too
        return str(error)


@contextmanager
def progress(what: str) -> Iterator[Tell]:
    """A bar on standard error, where that is a terminal."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)
