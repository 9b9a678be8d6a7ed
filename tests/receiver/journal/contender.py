"""One of several processes that want the same at the same moment: `python -m tests.receiver.journal.contender`.

Arguments: `claim` or `approve`, the journal's URL, a directory, this process' number, how many threads. Prints how each
fared, as a JSON list.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from receiver.journal import approvals, runs
from receiver.journal.approvals import ApprovalState
from receiver.journal.database import Database
from receiver.model import Proceed, Run, Stop
from receiver.phases.claim import claim
from receiver.phases.evaluate import evaluate
from receiver.world import World
from tests.receiver.surroundings import FileTarget, ToldPrometheus, branch, configuration, surroundings

LIMIT = {"daily_limit": {"limit": 3}, "cooldown": {"period": "1ms"}, "disk_space": {"minimum_bytes": 0}}


def world(database: Database, root: Path) -> World:
    """The deployment as every contender sees it; three rollbacks are allowed, and as fast as one likes."""
    prometheus = ToldPrometheus(time.time)
    prometheus.firing = (branch(),)
    target = FileTarget(root / "releases")
    return surroundings(configuration(root, guardrails=LIMIT), database, prometheus, target, time.time)


def take_run(database: Database, around: World) -> Run:
    """A run of its own, with its plan."""
    with database.write() as tx:
        run = runs.claim(tx, "contender", database.now(tx), 600)
    assert run is not None
    planned = evaluate(run, around)
    assert isinstance(planned, Proceed)
    return replace(run, findings=planned.findings)


def claim_it(database: Database, root: Path, _number: int) -> Callable[[], str]:
    """What claims the budget for a run, through the real phase; tells who said no."""
    around = world(database, root)
    run = take_run(database, around)

    def act() -> str:
        while True:
            outcome = claim(run, around)
            said_no = (
                {refusal.guardrail for refusal in outcome.findings.refusals} if isinstance(outcome, Stop) else set()
            )
            if said_no != {"cooldown"}:  # of a millisecond: claimed right after another
                return "the limit" if "daily_limit" in said_no else ",".join(said_no) or "claimed"

    return act


def approve_it(database: Database, root: Path, number: int) -> Callable[[], str]:
    """What approves the only plan as a person of that number; tells who did."""
    with database.read() as tx:
        approval = approvals.of_run(tx, (root / "run").read_text())
    assert approval is not None

    def act() -> str:
        with database.write() as tx:
            now = database.now(tx)
            person = f"person-{number}"
            decided = approvals.decide(tx, approval, ApprovalState.APPROVED, now, person, approval.plan_hash[:8], "")
        return person if decided else "too late"

    return act


def contend(what: str, url: str, root: Path, process: int, threads: int) -> list[str]:
    """Prepare, wait until every process is ready, and act at once in all threads."""
    database = Database(url)
    prepare = {"claim": claim_it, "approve": approve_it}[what]
    acts = [prepare(database, root, process * threads + thread) for thread in range(threads)]
    (root / f"ready-{process}").touch()
    while not (root / "go").exists():
        threading.Event().wait(0.001)
    with ThreadPoolExecutor(threads) as pool:
        fared = list(pool.map(lambda act: act(), acts))
    database.close()
    return fared


if __name__ == "__main__":
    print(json.dumps(contend(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))))  # noqa: T201
