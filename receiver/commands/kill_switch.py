"""`kill-switch`: switches automatic rollbacks off and on, with a file that survives everything."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import click

from receiver.audit import AuditTrail
from receiver.commands.options import config_option, load_knowing_secrets, person_option
from receiver.errors import AuditError, RollbackAgentError


@click.command("kill-switch")
@click.argument("state", type=click.Choice(["on", "off"]))
@click.option("--comment", default="", help="A word for the audit trail.")
@person_option
@config_option
def kill_switch(state: str, comment: str, person: str, config_path: Path) -> None:
    """Forbid (`on`) or allow (`off`) every rollback; asked before each effect."""
    config = load_knowing_secrets(config_path)
    audit = AuditTrail(config.logs / "audit-trail.jsonl", time.time)
    if state == "on":
        _switch_on(config.kill_switch, f"{person}: {comment}\n")
        _record_that_it_is_on(audit, comment, person)
    else:
        audit.record("kill_switch:off", comment or "switched off", actor=person)
        config.kill_switch.unlink(missing_ok=True)
    click.echo(f"The kill switch is {state}: {'nothing is rolled back' if state == 'on' else 'rollbacks are allowed'}.")


def _record_that_it_is_on(audit: AuditTrail, comment: str, person: str) -> None:
    """Stopping does not wait for a record, and one that fails does not look as if nothing had been stopped."""
    try:
        audit.path.parent.mkdir(parents=True, exist_ok=True)
        audit.record("kill_switch:on", comment or "switched on", actor=person)
    except (OSError, AuditError) as error:
        raise RollbackAgentError(f"the kill switch is on and nothing is rolled back, but: {error}") from error


def _switch_on(file: Path, text: str) -> None:
    try:
        file.touch()
        with suppress(OSError):  # that the file is there stops everything; on a full disk it may stay empty
            file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RollbackAgentError(
            f"{file}: cannot be made: {error.strerror}; to stop everything, stop `rollback-agent serve`"
        ) from error
