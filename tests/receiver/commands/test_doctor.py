"""`doctor` finds each thing that a rollback would fail on, and ends with 0 only where there is none."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.doctor import examine
from receiver.errors import AlertmanagerError, PrometheusError, TargetError, TransactionsError
from receiver.journal import deployments, releases
from receiver.journal.database import Database
from receiver.journal.schema import migrate
from tests.postgres import Postgres
from tests.receiver.agent import Agent
from tests.receiver.commands.journaled import Journaled
from tests.receiver.surroundings import GOOD, ToldAlertmanager, ToldTransactions


def wrong(agent: Agent, serving_since: float | None = None) -> dict[str, str]:
    """What is wrong with what, where something serves since now unless a test says otherwise."""
    since = agent.clock() if serving_since is None else serving_since
    return {one.subject: one.wrong for one in examine({"qrl": agent.world}, since) if one.wrong}


def test_where_all_is_well_nothing_is_wrong(agent: Agent) -> None:
    """Every subject is named, and none has a fault."""
    assert wrong(agent) == {}
    subjects = [one.subject for one in examine({"qrl": agent.world}, agent.clock())]
    assert subjects == [
        "serve", "kill switch", "journal", "database", "audit trail", "disk", "Alertmanager",
        "qrl: Prometheus", "qrl: target", "qrl: good release", "qrl: latch", "qrl: budget", "qrl: backup",
        "qrl: transactions",
    ]  # fmt: skip


def test_it_changes_nothing(agent: Agent) -> None:
    """Neither the journal nor any file is another one afterwards."""
    before = sorted((path, path.stat().st_mtime_ns) for path in agent.config.root.rglob("*") if path.is_file())
    wrong(agent)
    after = sorted((path, path.stat().st_mtime_ns) for path in agent.config.root.rglob("*") if path.is_file())
    assert [path for path in after if path not in before and "state.db-" not in str(path[0])] == []


def told_alertmanager(agent: Agent) -> ToldAlertmanager:
    told = agent.world.alertmanager
    assert isinstance(told, ToldAlertmanager)
    return told


def told_transactions(agent: Agent) -> ToldTransactions:
    (told,) = agent.world.transactions
    assert isinstance(told, ToldTransactions)
    return told


def hold(agent: Agent) -> None:
    with agent.database.write() as tx:
        releases.hold(tx, "qrl", GOOD, agent.clock(), "ada")


def latch(agent: Agent) -> None:
    with agent.database.write() as tx:
        deployments.latch(tx, "qrl", agent.clock(), "it failed")


FAULTS: dict[str, tuple[Callable[[Agent], object], str]] = {
    "kill switch": (lambda agent: agent.config.kill_switch.touch(), "it is on"),
    "audit trail": (lambda agent: (agent.config.logs / "audit-trail.jsonl").mkdir(), "audit trail"),
    "Alertmanager": (lambda agent: setattr(told_alertmanager(agent), "error", AlertmanagerError("refused")), "refused"),
    "qrl: Prometheus": (lambda agent: setattr(agent.prometheus, "error", PrometheusError("no signal")), "no signal"),
    "qrl: good release": (hold, "none but r2, which is live, has proved good yet"),
    "qrl: latch": (
        latch,
        "it is latched: it failed; when that is mended: rollback-agent clear qrl",
    ),
    "qrl: transactions": (lambda agent: setattr(told_transactions(agent), "error", TransactionsError("gone")), "gone"),
}


@pytest.mark.parametrize("subject", FAULTS)
def test_each_fault_is_found_alone(agent: Agent, subject: str) -> None:
    """With its reason, beside nothing else that is wrong."""
    break_it, reason = FAULTS[subject]
    break_it(agent)
    found = wrong(agent)
    assert list(found) == [subject]
    assert reason in found[subject]


def test_a_target_that_cannot_be_read_is_found(agent: Agent) -> None:
    """With it nobody knows what would be rolled back to."""
    agent.target.error = TargetError("no link")
    assert wrong(agent) == {"qrl: target": "no link", "qrl: good release": "no link"}


def test_a_source_of_the_backup_that_is_gone_is_found(make_agent: Callable[..., Agent], tmp_path: Path) -> None:
    """Before the night in which it is needed."""
    agent = make_agent(qrl={"backup": {"paths": [str(tmp_path / "gone")]}})
    assert "gone" in wrong(agent)["qrl: backup"]


def test_a_missing_watchdog_says_what_to_look_at(agent: Agent) -> None:
    """It is the usual fault of a new installation: the route is not there."""
    found = wrong(agent, serving_since=agent.clock() - 3600)
    assert list(found) == ["journal"]
    assert "does Alertmanager route it to /api/v1/alerts?" in found["journal"]


def test_a_full_disk_is_found(make_agent: Callable[..., Agent]) -> None:
    """Where less is free than the guardrail wants."""
    agent = make_agent(guardrails={"disk_space": {"minimum_bytes": 1 << 62}})
    assert list(wrong(agent)) == ["disk"]


def test_the_command_tells_and_ends_with_1(here: Journaled) -> None:
    """Nothing serves here, and neither Prometheus nor Alertmanager is there; as JSON for programs."""
    result = here.run("doctor")
    assert result.exit_code == 1
    assert "WRONG  serve: it is not running" in result.output
    assert "well   audit trail\n" in result.output
    found = json.loads(here.run("doctor", "--json").output)
    assert {"subject": "kill switch", "wrong": None} in found


def test_a_target_without_another_release_is_found(here: Journaled) -> None:
    """There is nothing to roll back to."""
    assert "no other release is known to roll back to" in here.run("doctor").output
    shutil.rmtree(here.root.parent / "qrl")
    assert "qrl: target: " in here.run("doctor").output


def test_a_budget_that_is_spent_is_found(make_agent: Callable[..., Agent]) -> None:
    """With when there is one again: nothing is rolled back by itself before."""
    agent = make_agent(guardrails={"daily_limit": {"limit": 1}})
    agent.clock.stand_still()
    agent.go()
    assert wrong(agent)["qrl: budget"] == "1 rollbacks in the last 24 h, 1 are allowed; the next one in 24:00:00"


def test_another_schema_is_found(agent: Agent) -> None:
    """As while an upgrade is under way."""
    with agent.database.write() as tx:
        tx.exec_driver_sql("update alembic_version set version_num = '9999'")
    assert wrong(agent)["database"].startswith("the journal has schema 9999, and this program makes ")


def test_a_postgresql_that_forgets_or_lives_in_another_time_is_found(agent: Agent, postgres: Postgres) -> None:
    """The server of the tests stores nothing, and the clock of this one is another."""
    shared = Database(postgres.new_database())
    migrate(shared)
    with shared.read() as tx:
        later = shared.now(tx) + 7200
    ahead = replace(agent.world, database=shared, clock=lambda: later)
    found = {one.subject: one.wrong or "" for one in examine({"qrl": ahead}, agent.clock())}
    shared.close()
    assert "fsync = off" in found["database"]
    assert re.search(r"this machine's clock is (2:00|1:59):\d\d ahead of PostgreSQL's", found["database"])
