"""`health`: runs every configured check once and tells what each found, for people and, with --json, for programs."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable
from pathlib import Path

import click
import structlog
from rich.console import Console
from rich.table import Table
from rich.text import Text

from configfile import ConfigError, load
from exporters.config import Config
from exporters.deadline import Deadline
from exporters.health import PATIENCE, Check, History, Prober, checks_of
from exporters.outcome import Outcome
from exporters.resolver import Resolver

NOT_GOOD, USAGE_ERROR = 1, 2
DEFAULT_CONFIG = "exporter.yml"

Found = tuple[Check, Outcome, float]


def _complete(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    try:
        config = load(Path(ctx.params.get("path") or DEFAULT_CONFIG), Config)
    except ConfigError:
        return []
    return [name for name in config.deployments if name.startswith(incomplete)]


@click.command(epilog="\b\nExample:\n  rollback-agent health --config exporter.yml --deployment qrl")
@click.option(
    "--config",
    "path",
    default=DEFAULT_CONFIG,
    show_default=True,
    type=click.Path(path_type=Path),
    help="The exporter's configuration file.",
)
@click.option("--deployment", shell_complete=_complete, help="Run the checks of this deployment only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def health(path: Path, deployment: str | None, as_json: bool) -> None:
    """Run every configured health check once, now and side by side.

    Exit codes: 0 if all are good; 1 if one failed, or there is none; 2 if the configuration cannot be used.
    """
    try:
        config = load(path, Config)
    except ConfigError as error:
        raise _wrong(str(error)) from None
    if deployment is not None and deployment not in config.deployments:
        raise _wrong(f"{path}: there is no deployment {deployment}; it has {', '.join(config.deployments)}")
    found = _run([check for check in checks_of(config) if deployment in (None, check.labels[0])])
    if as_json:
        click.echo(json.dumps({"checks": [_as_json(*one) for one in found]}, indent=2))
    else:
        _print(found)
    sys.exit(0 if found and all(outcome.failure is None for _, outcome, _ in found) else NOT_GOOD)


def _run(checks: list[Check]) -> list[Found]:
    # What a failure is logged with by a running exporter, this command prints.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    longest = max((check.config.probe.timeout for check in checks), default=0.0)
    return Prober(Resolver(), History()).run(checks, Deadline.after(longest + PATIENCE))


def _as_json(check: Check, outcome: Outcome, seconds: float) -> dict[str, object]:
    deployment, service, name, kind = check.labels
    return {
        "deployment": deployment,
        "service": service,
        "check": name,
        "kind": kind,
        "success": outcome.failure is None,
        "reason": outcome.failure,
        "detail": outcome.detail,
        "http_status": outcome.http_status if check.config.http else None,
        "seconds": round(seconds, 3),
    }


def _print(found: Iterable[Found]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("deployment", "service", "check", "kind", "result", "took"):
        table.add_column(column, overflow="fold")
    for check, outcome, seconds in found:
        result = f"{outcome.failure}: {outcome.detail}" if outcome.failure else "good"
        # As text, since a target's words may hold escape sequences and markup.
        row = [Text("".join(char if char.isprintable() else "?" for char in cell)) for cell in (*check.labels, result)]
        table.add_row(*row, f"{seconds:.2f} s")
    console = Console(highlight=False)
    # Programs that read a pipe get whole lines, whatever width a terminal would have.
    console.width = console.width if console.is_terminal else 1000
    console.print(table)


def _wrong(message: str) -> SystemExit:
    click.echo(message, err=True)
    return SystemExit(USAGE_ERROR)
