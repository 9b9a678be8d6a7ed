"""`tree`: the decision tree as it stands, with the live value, the threshold and the state of every branch."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from receiver.commands.groups import example
from receiver.commands.options import (
    complete_deployment,
    config_option,
    json_option,
    load_knowing_secrets,
)
from receiver.commands.terminal import new_console, print_drawn
from receiver.commands.tree_view import details, fitted, overview
from receiver.durations import clock_time
from receiver.errors import PrometheusError, RollbackAgentError
from receiver.rules.files import SHIPPED, TREE
from receiver.rules.groups import Kind
from receiver.tree.branches import BranchState, DeploymentState, branch_rules, deployments, queries
from receiver.tree.readings import Measured, Reading
from receiver.wiring import rules_api

EVERY = 5.0
"""Seconds between two drawings."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The tree at one moment of Prometheus' clock (Unix seconds)."""

    at: float
    deployments: tuple[DeploymentState, ...]
    is_detailed: bool


@click.command(epilog=example("rollback-agent tree qrl --watch"))
@click.argument("deployment", required=False, shell_complete=complete_deployment)
@click.option("--watch", is_flag=True, help=f"Draw anew every {EVERY:g} s until Ctrl-C, which ends it with 130.")
@json_option
@config_option
def tree(deployment: str | None, watch: bool, as_json: bool, config_path: Path) -> None:
    """Show the decision tree as it stands: value, threshold and state of every branch, asked of Prometheus.

    With a DEPLOYMENT, every condition of each branch is shown. A value that Prometheus does not have is "no data", one
    that nothing could be divided by is "no traffic"; neither means that all is well. A branch whose condition holds
    while a lower rank fires is held back by that rank.
    """
    if watch and as_json:
        raise click.UsageError("--watch draws for people; call with --json as often as you like instead")

    def read() -> Tree:
        return _read(config_path, deployment)

    if as_json:
        click.echo(json.dumps(_as_json(read()), indent=2))
        return
    console = new_console()
    if watch:
        _watch(console, read)
    print_drawn(_drawn(read(), console), console)


def _read(config_path: Path, deployment: str | None) -> Tree:
    config = load_knowing_secrets(config_path)
    api = rules_api(config)
    now = api.now()
    rules = branch_rules(api.groups(Kind.ALERTING), now)
    if not rules:
        raise RollbackAgentError(
            f"Prometheus at {config.prometheus.url} has no rule with a label `branch`; "
            f"load {SHIPPED / TREE} there (rule_files)"
        )
    found = deployments(rules, api.values(queries(rules)), config.deployments)
    if deployment is not None:
        names = ", ".join(one.name for one in found)
        found = tuple(one for one in found if one.name == deployment)
        if not found:
            raise RollbackAgentError(
                f"neither {config_path} nor Prometheus knows a deployment {deployment}, only {names}"
            )
    return Tree(now, found, deployment is not None)


def _drawn(shown: Tree, console: Console) -> RenderableType:
    if shown.is_detailed:
        return details(shown.deployments, shown.at)
    return overview(shown.deployments, shown.at, console.width)


def _watch(console: Console, read: Callable[[], Tree]) -> None:
    wait = threading.Event().wait
    if not console.is_terminal:
        while True:
            console.print(_now(console, read))
            wait(EVERY)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(_now(console, read), refresh=True)
            wait(EVERY)


def _now(console: Console, read: Callable[[], Tree]) -> RenderableType:
    """The tree at this moment, or why it cannot be shown; it is asked for again either way."""
    try:
        shown = read()
    except PrometheusError as error:
        return Text(f"{error}. Trying again every {EVERY:g} s.", "red")
    if not console.is_terminal:
        return _drawn(shown, console)
    # A screen may be too small for all, and what fires must not be what is left out.
    shown = replace(shown, deployments=tuple(sorted(shown.deployments, key=lambda one: one.urgency)))
    footer = Text(f"{clock_time(shown.at)}, Ctrl-C ends", "dim")
    return fitted(console, _drawn(shown, console), footer)


def _as_json(shown: Tree) -> dict[str, Any]:
    return {
        "at": shown.at,
        "deployments": [
            {
                "name": one.name,
                "configured": one.is_configured,
                "known": one.is_known,
                "branches": [_branch(branch) for branch in one.branches],
            }
            for one in shown.deployments
        ],
    }


def _branch(branch: BranchState) -> dict[str, Any]:
    rule, deciding = branch.rule, branch.deciding
    return {
        "rank": rule.rank,
        "branch": rule.branch,
        "alert": rule.rule.name,
        "action": rule.action,
        "level": rule.level,
        "confidence": rule.confidence,
        "for": rule.rule.duration,
        "keep_firing_for": rule.rule.keep_firing_for,
        "state": branch.state.value,
        "since": branch.since,
        "fires_at": branch.fires_at,
        "services": list(branch.services),
        "series": branch.series,
        "held_back_by": branch.held_back_by,
        "fault": rule.fault or None,
        "deciding": None if deciding is None else branch.measured.index(deciding),
        "conditions": [_condition(one) for one in branch.measured],
        "expression": rule.rule.query,
    }


def _condition(measured: Measured) -> dict[str, Any]:
    condition = measured.condition
    return {
        "joined": condition.joined or None,
        "depth": condition.depth,
        "left": condition.left.name,
        "operator": condition.operator,
        "right": condition.right.name,
        "unit": condition.unit.value,
        "data": "no_data" if not measured.readings else _data(measured.readings[0]),
        "readings": [_reading(one) for one in measured.readings],
    }


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "service": reading.service,
        "value": _finite(reading.value),
        "threshold": _finite(reading.threshold),
        "data": _data(reading),
        "holds": reading.holds,
    }


def _data(reading: Reading) -> str:
    if reading.threshold is None:
        return "no_data"
    return "no_traffic" if math.isnan(reading.value) or math.isnan(reading.threshold) else "value"


def _finite(value: float | None) -> float | None:
    """JSON has no NaN and no infinity."""
    return value if value is not None and math.isfinite(value) else None
