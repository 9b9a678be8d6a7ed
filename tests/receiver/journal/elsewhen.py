"""A process whose wall clock a test has moved: `faketime -f +25h python -m tests.receiver.journal.elsewhen`.

Arguments: `claim` or `approve`, and a journal's directory. Prints who refuses the claim of its last run, or whether
its only approval could be given.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from receiver.journal import approvals, runs, tables
from receiver.journal.approvals import Voter
from receiver.journal.database import Database, open_database
from receiver.model import Findings, Stop
from receiver.phases.claim import claim
from tests.receiver.journal.rows import DECISION, PLAN
from tests.receiver.surroundings import FileTarget, ToldPrometheus, branch, configuration, surroundings


def refused_by(database: Database, root: Path) -> list[str]:
    """Which guardrails refuse that the run claims now."""
    prometheus = ToldPrometheus(time.time)
    prometheus.firing = (branch(),)
    world = surroundings(configuration(root), database, prometheus, FileTarget(root / "releases"), time.time)
    with database.write() as tx:
        run = runs.claim(tx, "elsewhen", database.now(tx), 600)
    assert run is not None
    outcome = claim(replace(run, findings=Findings(decision=DECISION, plan=PLAN)), world)
    return [refusal.guardrail for refusal in outcome.findings.refusals] if isinstance(outcome, Stop) else []


def can_approve(database: Database) -> bool:
    """Whether the approval could still be given."""
    with database.write() as tx:
        approval = approvals.of_run(tx, tx.execute(sa.select(tables.approval.c.run)).scalar_one())
        assert approval is not None
        now = database.now(tx)
        return bool(approvals.approve(tx, approval, now, Voter("ada", "page"), PLAN.hash, ""))


if __name__ == "__main__":
    what, directory = sys.argv[1], Path(sys.argv[2])
    journal = open_database(directory)
    print(json.dumps(refused_by(journal, directory) if what == "claim" else can_approve(journal)))  # noqa: T201
