"""`shadow`: prints rules that decide beside the live ones with other numbers, and that nobody acts on."""

from __future__ import annotations

from pathlib import Path

import click

from receiver.backtest.rule_set import read_rule_set
from receiver.backtest.settings import read_setting
from receiver.backtest.shadow import shadow_file
from receiver.commands.groups import example
from receiver.rules.files import SHIPPED, TREE


@click.command(epilog=example("rollback-agent shadow strict --set high_error_rate.threshold=0.08 > strict.rules.yml"))
@click.argument("name")
@click.option(
    "--set", "settings", multiple=True, metavar="BRANCH.NAME=VALUE", help="Another number, as for `backtest`."
)
@click.option(
    "--rules",
    "rules_path",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=SHIPPED / TREE,
    help="The file that holds the branches; the shipped one by default.",
)
def shadow(name: str, settings: tuple[str, ...], rules_path: Path) -> None:
    """Print a rule file, NAME, that decides with other numbers or rules, is recorded, and never acts.

    Load it into Prometheus beside the live rules: what it decides is recorded as ALERTS{shadow="NAME"}.
    """
    if not settings and rules_path == SHIPPED / TREE:
        raise click.UsageError("a shadow differs from what is live: give --set or --rules")
    rules = read_rule_set(rules_path, [read_setting(one) for one in settings])
    click.echo(shadow_file(rules, name, ", ".join(settings) or rules_path.name), nl=False)
