"""The audit trail of a running agent: one chain of all who write, watched."""

from __future__ import annotations

import os
from pathlib import Path

from receiver.audit_chain import verify
from receiver.audit_files import TrailFiles
from tests.acceptance.stand import BAD, Stand, stand


def value(here: Stand, name: str) -> float | None:
    """The value of a series without labels."""
    found = [line.split()[1] for line in here.metrics().splitlines() if line.startswith(f"{name} ")]
    return float(found[0]) if found else None


def test_people_and_the_agent_write_one_chain_that_is_watched(tmp_path: Path) -> None:
    """What commands and the agent recorded is one chain, its head is told, and that it was cut is told soon."""
    with stand(tmp_path, autonomy="L3") as here:
        here.start()
        here.command("kill-switch", "on", "--as", "ada")
        here.command("kill-switch", "off", "--as", "ada")
        here.ship(BAD)
        here.await_firing()
        here.notify()
        run = here.await_run(state="waiting")
        here.command("approve", here.incidents()[0]["id"], "--plan", run["plan"]["hash"][:8], "--as", "ada")
        assert here.await_run()["result"] == "restored"

        trail = here.root / "logs" / "audit-trail.jsonl"
        head, fault = verify(TrailFiles(trail, here.root / "audit.key"))
        assert (head.records, fault) == (len(here.audit()), None)
        assert {record["actor"] for record in here.audit()} == {"ada", "rollback-agent"}
        here.eventually(lambda: value(here, "rollback_audit_records_total") == head.records)
        assert (value(here, "rollback_audit_head"), value(here, "rollback_audit_intact")) == (head.as_float, 1)

        lines = trail.read_bytes().splitlines(keepends=True)
        os.truncate(trail, len(b"".join(lines[:-1])))
        here.eventually(lambda: value(here, "rollback_audit_intact") == 0)
        assert value(here, "rollback_audit_records_total") == head.records - 1
