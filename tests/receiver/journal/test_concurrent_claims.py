"""However many processes want the last place at the same moment, as many get one as there are."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import sqlalchemy as sa

from demo.processes import wait_until
from receiver.journal import approvals, incidents, releases, runs, tables
from receiver.journal.database import Database
from receiver.model import Release, Trigger
from tests.receiver.journal.rows import PLAN, SERVICE_DOWN
from tests.receiver.surroundings import BAD, GOOD

ROOT = Path(__file__).parents[3]
PROCESSES = 3


def contend(what: str, database: Database, root: Path, threads: int) -> Counter[str]:
    """How each thread of each process fared when all began at once."""
    url = database.url.render_as_string(hide_password=False)
    argv = (sys.executable, "-m", "tests.receiver.journal.contender", what, url, root)
    started = [
        subprocess.Popen((*argv, str(number), str(threads)), cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for number in range(PROCESSES)
    ]
    assert wait_until(lambda: len(list(root.glob("ready-*"))) == PROCESSES, timeout=90)
    (root / "go").touch()
    said = [process.communicate(timeout=90)[0] for process in started]
    return Counter(fared for text in said for fared in json.loads(text))


def deploy(database: Database, root: Path) -> str:
    """Make BAD live after GOOD, and open an incident; returns the incident's first run."""
    (root / "releases").write_text(f"{GOOD}\n{BAD}\n")
    with database.write() as tx:
        now = database.now(tx)
        releases.seen(tx, "qrl", (Release(GOOD, "c" * 40), Release(BAD, "d" * 40)), now)
        releases.set_good(tx, "qrl", GOOD, now)
        run = incidents.wake(tx, "qrl", now, deciding=SERVICE_DOWN)
    assert run is not None
    return run


def test_of_51_claims_three_are_taken(database: Database, tmp_path: Path) -> None:
    """51 runs of one deployment in three processes claim at once where three rollbacks are allowed: three get it."""
    deploy(database, tmp_path)
    with database.write() as tx:
        now = database.now(tx)
        incident = tx.execute(sa.select(tables.incident.c.id)).scalar_one()
        for _ in range(50):
            runs.create(tx, incident, "qrl", now, Trigger.ALERT)

    fared = contend("claim", database, tmp_path, threads=17)

    assert fared == {"claimed": 3, "the limit": 48}
    with database.read() as tx:
        assert len(tx.execute(sa.select(tables.run.c.id).where(tables.run.c.claimed_at.is_not(None))).all()) == 3


def test_of_51_approvals_one_decides(database: Database, tmp_path: Path) -> None:
    """51 people in three processes approve one plan at once: one of them decides, and the journal names that one."""
    deploy(database, tmp_path)
    with database.write() as tx:
        now = database.now(tx)
        run = runs.claim(tx, "asker", now, 600)
        assert run is not None
        approvals.ask(tx, run, PLAN, now, now + 900)
    (tmp_path / "run").write_text(run.id)

    fared = contend("approve", database, tmp_path, threads=17)

    assert fared.pop("too late") == 50
    [person] = fared.elements()
    with database.read() as tx:
        approval = approvals.of_run(tx, run.id)
    assert approval is not None
    assert (approval.state, approval.decided_by) == (approvals.ApprovalState.APPROVED, person)
