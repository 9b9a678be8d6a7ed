"""The kill switch stops everything also where nothing can be written beside it, and says what it did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from receiver.commands.kill_switch import kill_switch
from receiver.config import load_config
from receiver.errors import JournalError, RollbackAgentError
from receiver.journal.database import Database
from receiver.journal.schema import migrate
from receiver.kill_switch import look_now
from tests.postgres import Postgres


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "webhook.token").write_text("a-token-that-only-tests-use")
    target = {"releases": {"path": str(tmp_path / "srv"), "restart": ["/bin/true"]}}
    content = {
        "root": str(tmp_path / "rollback"),
        "webhook": {"token_file": str(tmp_path / "webhook.token")},
        "prometheus": {"url": "http://127.0.0.1:1"},
        "alertmanager": {"url": "http://127.0.0.1:1"},
        "deployments": {"qrl": {"target": target}},
    }
    (tmp_path / "agent.json").write_text(json.dumps(content))
    (tmp_path / "rollback").mkdir()
    return tmp_path / "agent.json"


def switch(config: Path, state: str) -> None:
    kill_switch.main([state, "--as", "ada", "--config", str(config)], standalone_mode=False)


def test_it_is_on_until_it_is_off(config: Path) -> None:
    """`on` leaves the file with who did it, `off` takes it away."""
    file = config.parent / "rollback" / "kill-switch"
    switch(config, "on")
    assert file.read_text() == "ada: \n"
    switch(config, "off")
    assert not file.exists()


def test_it_is_on_although_its_record_fails(config: Path) -> None:
    """Where the audit trail cannot be written it is on all the same, and the sentence says so first."""
    (config.parent / "rollback" / "logs" / "audit-trail.jsonl").mkdir(parents=True)
    with pytest.raises(RollbackAgentError, match=r"^the kill switch is on and nothing is rolled back, but: "):
        switch(config, "on")
    assert (config.parent / "rollback" / "kill-switch").exists()


def test_where_it_cannot_be_made_another_way_is_named(config: Path) -> None:
    """A disk that takes no file is told in a sentence that says how to stop everything else."""
    (config.parent / "rollback").rmdir()
    with pytest.raises(
        RollbackAgentError, match=r"cannot be made: .*; to stop everything, stop `rollback-agent serve`"
    ):
        switch(config, "on")


def shared(config: Path, url: str) -> None:
    """From now on the journal is in PostgreSQL."""
    file = config.parent / "journal.url"
    file.write_text(url.replace("postgresql+psycopg", "postgresql"))
    file.chmod(0o600)
    content = json.loads(config.read_text()) | {"journal": {"postgresql": {"url_file": str(file)}}}
    config.write_text(json.dumps(content))


def test_it_is_on_for_every_replica(config: Path, postgres: Postgres) -> None:
    """Where replicas share a journal the switch is in it: whoever switches it, and on whichever machine."""
    database = Database(postgres.new_database())
    migrate(database)
    shared(config, database.url.render_as_string(hide_password=False))
    other = load_config(config).model_copy(update={"root": config.parent / "another machine"})

    switch(config, "on")
    assert look_now(other, database) == (True, None)
    switch(config, "off")
    assert look_now(other, database) == (False, None)
    database.close()


def test_it_is_on_here_although_the_others_cannot_be_told(config: Path) -> None:
    """Without their journal it stops this replica, and says that it stops no other one."""
    shared(config, "postgresql://ada:hunter2@127.0.0.1:1/journal")
    with pytest.raises(JournalError, match=r"the kill switch is on for this replica and no other one: .*refused"):
        switch(config, "on")
    assert (config.parent / "rollback" / "kill-switch").read_text() == "ada: \n"
