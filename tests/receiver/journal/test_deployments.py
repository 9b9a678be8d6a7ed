"""A deployment's lock lets one transaction in at a time, so its budget and its latch hold under any race."""

from __future__ import annotations

import json
import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

import sqlalchemy as sa

from receiver.journal import deployments, releases, runs, tables
from receiver.journal.database import Database
from receiver.model import Findings, Run, Stop, Trigger
from receiver.phases.claim import claim as claim_budget
from tests.receiver.journal.rows import DECISION, NOW, PLAN, at_once, claim, claimed, contents
from tests.receiver.surroundings import BAD, GOOD, FileTarget, ToldPrometheus, branch, configuration, surroundings

PROCESSES, THREADS = 3, 17


def test_the_lock_lets_one_in_at_a_time(database: Database) -> None:
    """Whoever reads and then writes under the lock is not overtaken in between: no increment is lost."""

    def increment(_: int) -> None:
        with database.write() as tx:
            deployments.lock(tx, "qrl")
            found = deployments.latch_of(tx, "qrl")
            number = int(found.reason) if found else 0
            tx.execute(sa.update(tables.deployment).values(latched_at=NOW, latch_reason=str(number + 1)))

    at_once(30, increment)

    with database.read() as tx:
        assert deployments.latch_of(tx, "qrl") == deployments.Latch(NOW, "30")


def test_fifty_one_claims_at_once_pass_three(database: Database, tmp_path: Path) -> None:
    """Of 51 runs that claim in the same moment, in several processes, those three get through that may (T21)."""
    target = FileTarget(tmp_path / "releases")
    for release in (GOOD, BAD):
        target.ship(release)
    ids = [begin_apart(database, number) for number in range(PROCESSES * THREADS)]
    with database.write() as tx:
        releases.seen(tx, "qrl", target.known(), NOW)
        releases.set_good(tx, "qrl", GOOD, NOW)
    taken = {run.id: run for run in iter(lambda: claim(database), None)}
    assert taken.keys() == set(ids)

    spawn = multiprocessing.get_context("spawn")
    gate = spawn.Barrier(PROCESSES)
    url = database.url.render_as_string(hide_password=False)
    shares = [list(taken.values())[number::PROCESSES] for number in range(PROCESSES)]
    others = [
        spawn.Process(target=_claim_at_once, args=(url, tmp_path, share, gate, tmp_path / f"outcomes-{number}"))
        for number, share in enumerate(shares)
    ]
    for other in others:
        other.start()
    for other in others:
        other.join(60)

    assert [other.exitcode for other in others] == [0] * PROCESSES
    outcomes = [
        name for number in range(PROCESSES) for name in json.loads((tmp_path / f"outcomes-{number}").read_text())
    ]
    assert (outcomes.count("claimed"), outcomes.count("daily_limit")) == (3, PROCESSES * THREADS - 3)
    with database.read() as tx:
        assert len(deployments.claims_within(tx, "qrl", 1000, NOW + 10)) == 3


def test_the_first_reason_of_a_latch_stays(database: Database) -> None:
    """What latched a deployment first is what a person is told, whatever fails after it."""
    with database.write() as tx:
        deployments.latch(tx, "qrl", NOW, "the first")
    with database.write() as tx:
        deployments.latch(tx, "qrl", NOW + 1, "the second")

    with database.read() as tx:
        assert deployments.latch_of(tx, "qrl") == deployments.Latch(NOW, "the first")
        assert deployments.latch_of(tx, "shop") is None


def test_a_latch_is_lifted_once(database: Database) -> None:
    """Clearing tells what was lifted; clearing what is not latched tells that there was nothing."""
    with database.write() as tx:
        deployments.latch(tx, "qrl", NOW, "it failed")
        cleared = deployments.clear_latch(tx, "qrl")
        again = deployments.clear_latch(tx, "qrl")

    assert (cleared, again) == (deployments.Latch(NOW, "it failed"), None)
    with database.read() as tx:
        assert deployments.latch_of(tx, "qrl") is None


def test_a_latch_is_of_one_deployment(database: Database) -> None:
    """Latching one deployment, or clearing it, leaves another as it is."""
    with database.write() as tx:
        deployments.lock(tx, "shop")
    with database.write() as tx:
        deployments.latch(tx, "qrl", NOW, "it failed")
        assert deployments.latch_of(tx, "shop") is None
    with database.write() as tx:
        deployments.clear_latch(tx, "shop")
        assert deployments.latch_of(tx, "qrl") == deployments.Latch(NOW, "it failed")


def test_claims_are_counted_by_deployment_and_time(database: Database) -> None:
    """Only the deployment's own claims after the moment count, oldest first, without the asking run's own."""
    moments = {"a": NOW + 3, "b": NOW + 1, "c": NOW}
    mine = None
    for number, moment in enumerate(moments.values()):
        begin_apart(database, number)
        run = claim(database)
        assert run is not None
        mine = mine or run
        with database.write() as tx:
            runs.set_claimed(tx, run, moment)
    other = claimed(database, "shop")
    assert mine is not None
    with database.write() as tx:
        runs.set_claimed(tx, other, NOW + 2)

    with database.read() as tx:
        assert deployments.claims_within(tx, "qrl", 10, NOW + 10) == (NOW + 1, NOW + 3)
        assert deployments.claims_within(tx, "qrl", 10, NOW + 10, but_run=mine.id) == (NOW + 1,)
    assert len(contents(database)["run"]) == 4


def begin_apart(database: Database, number: int) -> str:
    """A run of `qrl` in an incident of its own, so that many can be under way at once."""
    with database.write() as tx:
        tx.execute(sa.insert(tables.incident).values(id=f"i{number}", deployment="qrl", opened_at=NOW, closed_at=NOW))
        return runs.create(tx, f"i{number}", "qrl", NOW, Trigger.ALERT)


def _claim_at_once(url: str, root: Path, share: list[Run], gate: Barrier, outcomes: Path) -> None:
    database = Database(url)
    # The shortest cooldown there is, waited out by each: what is raced for is the daily limit.
    guardrails = {"disk_space": {"minimum_bytes": 0}, "cooldown": {"period": "1ms"}}
    prometheus = ToldPrometheus(time.time)
    prometheus.firing = (branch(),)
    target = FileTarget(root / "releases")
    world = surroundings(configuration(root, guardrails=guardrails), database, prometheus, target, time.time)

    def one(run: Run) -> str:
        while True:
            outcome = claim_budget(run, world)
            if not isinstance(outcome, Stop):
                return "claimed"
            refused = [refusal.guardrail for refusal in outcome.findings.refusals]
            if refused != ["cooldown"]:
                return refused[0]

    planned = [replace(run, findings=Findings(decision=DECISION, plan=PLAN)) for run in share]
    gate.wait(30)
    with ThreadPoolExecutor(THREADS) as pool:
        outcomes.write_text(json.dumps(list(pool.map(one, planned))))
