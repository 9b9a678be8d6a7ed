"""`doctor` finds each thing that a rollback would fail on, says what to do, and is content only where there is none."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.doctor.examine import examine
from receiver.errors import AlertmanagerError, PrometheusError, TargetError, TransactionsError
from receiver.journal import deployments, releases
from receiver.journal.database import Database
from receiver.journal.schema import migrate
from tests.postgres import Postgres
from tests.receiver.agent import Agent
from tests.receiver.doctor.watching import watching
from tests.receiver.surroundings import GOOD, ToldAlertmanager, ToldTransactions


class Patient:
    """An agent where all is well, beside a Prometheus and an Alertmanager that are, too."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.monitoring, self.rules, self.routing = watching(agent.clock)
        self.serving_since: float | None = agent.clock()
        self.world = agent.world
        for directory in (agent.config.backups, agent.config.commands):
            directory.mkdir(exist_ok=True)

    def examined(self) -> dict[str, tuple[str | None, str | None]]:
        """What is wrong with what, and what to do."""
        found = examine({"qrl": self.world}, self.serving_since, self.monitoring)
        return {one.subject: (one.wrong, one.to_do) for one in found}

    def wrong(self) -> dict[str, str]:
        """What is wrong with what."""
        return {subject: wrong for subject, (wrong, _) in self.examined().items() if wrong}


@pytest.fixture
def here(agent: Agent) -> Patient:
    """Where all is well."""
    return Patient(agent)


def test_where_all_is_well_nothing_is_wrong(here: Patient) -> None:
    """Every subject is named, and none has a fault or a thing to do."""
    assert here.examined() == dict.fromkeys(
        (
            "serve", "permissions", "disk", "journal", "kill switch", "audit trail", "Alertmanager", "Prometheus",
            "clock", "rules", "alerting", "routes", "Watchdog", "qrl: signals", "qrl: target", "qrl: good release",
            "qrl: latch", "qrl: budget", "qrl: backup", "qrl: transactions",
        ),
        (None, None),
    )  # fmt: skip


def test_it_changes_nothing(here: Patient) -> None:
    """Neither the journal nor any file is another one afterwards."""
    root = here.agent.config.root
    before = sorted((path, path.stat().st_mtime_ns) for path in root.rglob("*") if path.is_file())
    here.wrong()
    after = sorted((path, path.stat().st_mtime_ns) for path in root.rglob("*") if path.is_file())
    assert [path for path in after if path not in before and "state.db-" not in str(path[0])] == []


def told_alertmanager(here: Patient) -> ToldAlertmanager:
    told = here.world.alertmanager
    assert isinstance(told, ToldAlertmanager)
    return told


def told_transactions(here: Patient) -> ToldTransactions:
    (told,) = here.world.transactions
    assert isinstance(told, ToldTransactions)
    return told


def hold(here: Patient) -> None:
    with here.agent.database.write() as tx:
        releases.hold(tx, "qrl", GOOD, here.agent.clock(), "ada")


def latch(here: Patient) -> None:
    with here.agent.database.write() as tx:
        deployments.latch(tx, "qrl", here.agent.clock(), "it failed")


def another_schema(here: Patient) -> None:
    with here.agent.database.write() as tx:
        tx.exec_driver_sql("update alembic_version set version_num = '9999'")


FAULTS: dict[str, tuple[Callable[[Patient], object], str, str]] = {
    "serve": (lambda here: setattr(here, "serving_since", None), "it is not running", "systemctl start rollback-agent"),
    "permissions": (lambda here: here.agent.config.root.chmod(0o777), "written by everybody: chmod o-w ", "user"),
    "kill switch": (lambda here: here.agent.config.kill_switch.touch(), "it is on", "kill-switch off"),
    "journal": (another_schema, "the journal has schema 9999, and this program makes ", "rollback-agent serve"),
    "audit trail": (
        lambda here: (here.agent.config.logs / "audit-trail.jsonl").mkdir(), "audit trail",
        "rollback-agent audit verify",
    ),
    "Alertmanager": (
        lambda here: setattr(told_alertmanager(here), "error", AlertmanagerError("refused")), "refused",
        "alertmanager.url (http://",
    ),
    "Prometheus": (
        lambda here: setattr(here.rules, "error", PrometheusError("no answer")), "no answer",
        "prometheus.url (http://127.0.0.1:1)",
    ),
    "clock": (
        lambda here: setattr(here.rules, "behind", 60), "clock is 0:01:00 ahead of Prometheus'", "chrony",
    ),
    "rules": (
        lambda here: setattr(here.rules, "without", frozenset({"rollback-decision-tree"})),
        "decision-tree.rules.yml: rollback-decision-tree: is not loaded", "check-config --against-prometheus",
    ),
    "alerting": (lambda here: setattr(here.rules, "sends_to", ()), "to no Alertmanager", "prometheus.yml"),
    "routes": (
        lambda here: setattr(here.routing, "text", here.routing.text.replace("Watchdog", "Other")),
        "no webhook of an agent gets Watchdog", "alert-rules/alertmanager.yml",
    ),
    "Watchdog": (
        lambda here: setattr(here, "serving_since", here.agent.clock() - 3600),
        "nothing is rolled back automatically",
        "does Alertmanager route it to /api/v1/alerts",
    ),
    "qrl: signals": (
        lambda here: setattr(here.agent.prometheus, "error", PrometheusError("no signal")), "no signal",
        "rollback-agent tree qrl",
    ),
    "qrl: target": (
        lambda here: setattr(here.agent.target, "error", TargetError("no link")), "no link", "deployments.qrl.target",
    ),
    "qrl: good release": (hold, "no good release to go back to from r2, which is live and has not proved", "0:15:00"),
    "qrl: latch": (latch, "it is latched: it failed", "rollback-agent clear qrl"),
    "qrl: transactions": (
        lambda here: setattr(told_transactions(here), "error", TransactionsError("gone")), "gone",
        "deployments.qrl.pending_transactions",
    ),
}  # fmt: skip


@pytest.mark.parametrize("subject", FAULTS)
def test_each_fault_is_found_alone(here: Patient, subject: str) -> None:
    """With its reason and what to do; beside it is wrong only what cannot be known because of it."""
    break_it, reason, remedy = FAULTS[subject]
    break_it(here)
    found = here.examined()
    wrong, to_do = found[subject]
    assert reason in (wrong or "")
    assert remedy in (to_do or "")
    others = {one: wrong for one, (wrong, _) in found.items() if wrong and one != subject}
    assert others == dict.fromkeys(others, f"not known, since {subject} is wrong")


def test_without_the_journal_all_else_is_looked_at(here: Patient) -> None:
    """What it does not need is told as ever; what it needs is not asked, so nobody waits for it again and again."""
    path = here.agent.config.root / "nowhere" / "state.db"
    here.world = replace(here.world, database=Database(f"sqlite:///{path}"))
    found = here.wrong()
    assert f"there is no journal at {path}" in found.pop("journal")
    assert set(found) == {"kill switch", "Watchdog", "qrl: good release", "qrl: latch", "qrl: budget"}
    assert set(found.values()) == {"not known, since journal is wrong"}
    assert not path.exists()


def test_a_postgresql_that_cannot_be_reached_is_one_fault(here: Patient, tmp_path: Path) -> None:
    """With how to try it by hand; the rest is told."""
    here.world = replace(here.world, database=Database(f"postgresql+psycopg://nobody@/none?host={tmp_path}"))
    found = here.examined()
    wrong, to_do = found["journal"]
    assert "the journal's database failed" in (wrong or "")
    assert 'psql "$(cat ' in (to_do or "")
    assert found["disk"] == found["routes"] == found["qrl: target"] == (None, None)
    assert found["qrl: latch"][0] == "not known, since journal is wrong"


def test_a_postgresql_that_forgets_or_lives_in_another_time_is_found(here: Patient, postgres: Postgres) -> None:
    """The server of the tests stores nothing, and the clock of this one is another."""
    shared = Database(postgres.new_database())
    migrate(shared)
    with shared.read() as tx:
        later = shared.now(tx) + 7200
    here.world = replace(here.world, database=shared, clock=lambda: later)
    found = here.wrong()["journal"]
    shared.close()
    assert "fsync = off" in found
    assert re.search(r"this machine's clock is (2:00|1:59):\d\d ahead of PostgreSQL's", found)


def test_a_source_of_the_backup_that_is_gone_is_found(make_agent: Callable[..., Agent], tmp_path: Path) -> None:
    """Before the night in which it is needed."""
    here = Patient(make_agent(qrl={"backup": {"paths": [str(tmp_path / "gone")]}}))
    assert "gone" in here.wrong()["qrl: backup"]


def test_a_full_disk_is_found(make_agent: Callable[..., Agent]) -> None:
    """Where less is free than the guardrail wants."""
    here = Patient(make_agent(guardrails={"disk_space": {"minimum_bytes": 1 << 62}}))
    assert list(here.wrong()) == ["disk"]


def test_a_directory_that_is_gone_is_wrong_while_it_serves(here: Patient) -> None:
    """Before that `serve` has yet to make it, which is no fault; in place of a directory a file is one at any time."""
    commands = here.agent.config.commands
    commands.rmdir()
    assert f"{commands} is no directory" in here.wrong()["permissions"]
    here.serving_since = None
    assert "permissions" not in here.wrong()
    commands.touch()
    assert f"{commands} is no directory" in here.wrong()["permissions"]


def test_a_budget_that_is_spent_is_found(make_agent: Callable[..., Agent]) -> None:
    """With when there is one again: nothing is rolled back by itself before."""
    agent = make_agent(guardrails={"daily_limit": {"limit": 1}})
    agent.clock.stand_still()
    agent.go()
    found = Patient(agent).wrong()
    assert found["qrl: budget"] == "1 rollbacks in the last 24 h, 1 are allowed; the next one in 24:00:00"


def test_a_directory_that_is_missing_is_found(here: Patient) -> None:
    """It is `serve` that makes it."""
    here.agent.config.backups.rmdir()
    assert f"{here.agent.config.backups} is no directory" in here.wrong()["permissions"]


def test_another_owner_of_the_root_is_found(here: Patient) -> None:
    """What one user may do says nothing of another, and would leave files that bar them."""
    os.chown(here.agent.config.root, 65534, -1)
    assert "sudo -u nobody" in here.wrong()["permissions"]


def test_calls_for_help_that_go_nowhere_are_found(here: Patient) -> None:
    """Back to the agent that raised them, or to a receiver that tells nobody."""
    whole = here.routing.text
    here.routing.text = whole.replace(
        "- receiver: human\n      matchers: ['alertname", "- receiver: rollback-agent\n      matchers: ['alertname"
    )
    assert here.wrong() == {"routes": "RollbackNeedsHuman of qrl goes back to the agent, by rollback-agent"}
    here.routing.text = whole.replace("    email_configs:", "    unknown:")
    assert here.wrong() == {"routes": "RollbackNeedsHuman of qrl reaches nobody: human tells no one"}


def test_routes_that_cannot_be_read_are_found(here: Patient) -> None:
    """What is not understood is not taken for well."""
    here.routing.text = "route: {receiver: a, routes: [{receiver: b, matchers: ['a=~(']}]}\nreceivers: [{name: a}]"
    assert "Alertmanager's configuration is not understood: " in here.wrong()["routes"]
