"""`check-config`: says whether the configuration could be used, and whether Prometheus runs the rules as shipped."""

from __future__ import annotations

from pathlib import Path

import click

from receiver.commands.groups import example
from receiver.commands.options import config_option, load_usable_config
from receiver.commands.terminal import plain
from receiver.config import Config
from receiver.errors import RollbackAgentError
from receiver.inspection.found import unfinished
from receiver.inspection.written import FILL_IN
from receiver.rules.drift import Running, drift
from receiver.rules.files import SHIPPED, read_rule_files
from receiver.wiring import rules_api


@click.command(
    "check-config",
    epilog=example("rollback-agent check-config --config agent.yml --against-prometheus"),
)
@click.option(
    "--against-prometheus",
    is_flag=True,
    help="Then compare the shipped rules with those that Prometheus has loaded; 1 where they differ.",
)
@click.option(
    "--rules",
    "directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Compare the rules of this directory, laid out like alert-rules/, instead of those that came with the agent.",
)
@config_option
def check_config(against_prometheus: bool, directory: Path | None, config_path: Path) -> None:
    """Check the configuration file; every fault is printed with file, line and key."""
    if directory is not None and not against_prometheus:
        raise click.UsageError("--rules says what is compared by --against-prometheus")
    config = load_usable_config(config_path)
    for name in config.deployments:
        click.echo(f"{config_path}: {name}: autonomy {config.autonomy_of(name)}{_earned(config, name)}")
    for one in unfinished(config.model_dump()):
        click.echo(plain(f"{FILL_IN}  {one}"))
    click.echo(f"{config_path}: the configuration is good")
    if against_prometheus:
        _compare(config, directory or SHIPPED)


def _earned(config: Config, deployment: str) -> str:
    needed = config.earned_autonomy_of(deployment)
    if needed is None:
        return ""
    return (
        f", and L4 for a branch that earns it: {needed.approved} approved, precision at least {needed.precision:g} "
        "(the lower end of its interval)"
    )


def _compare(config: Config, directory: Path) -> None:
    files = read_rule_files(directory)
    api = rules_api(config)
    running = Running(api.groups(), api.loaded_at(), api.now(), api.formatted)
    differences = list(drift(files, running))
    for difference in differences:
        click.echo(plain(difference))
    if differences:
        many = f"{len(differences)} differences" if len(differences) > 1 else "1 difference"
        raise RollbackAgentError(f"{many} between the rules of {directory} and those that {api.url} has loaded")
    loaded = {group.name for group in running.groups}
    compared = [group for file in files for group in file.groups if group.name in loaded]
    rules = sum(len(group.rules) for group in compared)
    click.echo(f"{api.url}: has the {rules} rules of {len(compared)} groups as they are in {directory}")
