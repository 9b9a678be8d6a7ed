"""The kill switch stops everything also where nothing can be written beside it, and says what it did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from receiver.commands.kill_switch import kill_switch
from receiver.errors import RollbackAgentError


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
