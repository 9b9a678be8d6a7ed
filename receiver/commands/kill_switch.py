"""`kill-switch`: switches automatic rollbacks off and on, with a file that survives everything."""

from __future__ import annotations

import time
from pathlib import Path

import click

from receiver.audit import AuditTrail
from receiver.commands.options import config_option, person_option
from receiver.config import load_config


@click.command("kill-switch")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--comment", default="", help="A word for the audit trail.")
@person_option
@config_option
def kill_switch(state: str, comment: str, person: str, config_path: Path) -> None:
    """Forbid (`on`) or allow (`off`) every rollback; asked before each effect."""
    config = load_config(config_path)
    config.logs.mkdir(parents=True, exist_ok=True)
    audit = AuditTrail(config.logs / "audit-trail.jsonl", time.time)
    if state == "on":
        config.kill_switch.write_text(f"{person}: {comment}\n", encoding="utf-8")  # stopping must not wait for a record
        audit.record("kill_switch:on", comment or "switched on", actor=person)
    else:
        audit.record("kill_switch:off", comment or "switched off", actor=person)
        config.kill_switch.unlink(missing_ok=True)
    click.echo(f"The kill switch is {state}: {'nothing is rolled back' if state == 'on' else 'rollbacks are allowed'}.")
