"""What a whole run leaves on the audit trail: what was decided, why, on which figures, by which version and by whom."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from receiver import __version__
from receiver.audit_chain import Head, verify
from receiver.journal import views
from receiver.operators import Operators, Person, Via
from tests.receiver.agent import Agent
from tests.receiver.surroundings import AVAILABILITY, GOOD


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    """An agent whose rollback ada has confirmed, and that is verified."""
    agent = Agent(tmp_path, autonomy="L3")
    agent.wake()
    plan_hash = agent.work()["plan"]["hash"]
    with agent.database.read() as tx:
        [incident] = views.incidents(tx)
    ada = Person("ada", Via.PAGE)
    Operators(agent.database, agent.world.audit, agent.config).approve(incident["id"], plan_hash[:8], ada, "I looked")
    assert agent.wait(10)["result"] == "restored"
    return agent


def checkpoint(agent: Agent) -> Head:
    """The one that the run's report gives to `audit verify`."""
    report = Path(agent.run()["report"]).read_text()
    found = re.search(r"^    rollback-agent audit verify --checkpoint (\d+):([0-9a-f]{64})$", report, re.MULTILINE)
    assert found is not None
    return Head(int(found[1]), found[2])


def records(agent: Agent, decision: str) -> list[dict[str, Any]]:
    return [record for record in agent.audit_records() if record["decision"] == decision]


def test_every_record_says_what_why_by_whom_and_by_which_version(agent: Agent) -> None:
    """No field of any record is left out, and all are of this run."""
    assert verify(agent.config.audit_files)[1] is None
    for record in agent.audit_records():
        assert all(record[field] for field in ("decision", "reasoning", "actor", "timestamp")), record
        assert (record["agent_version"], record["run"]) == (__version__, agent.run()["id"])


def test_decision_stands_with_its_reason_and_its_figures(agent: Agent) -> None:
    """What fired and the signals as they were when it was decided, and as they were when it was verified."""
    [decided], [verified] = records(agent, "evaluate:done"), records(agent, "verify:restored")
    assert "ServiceDown" in decided["reasoning"]
    assert (decided["metrics_used"][AVAILABILITY], verified["metrics_used"][AVAILABILITY]) == (0.25, 1.0)


def test_people_stand_with_what_they_decided_and_how(agent: Agent) -> None:
    """Who was asked for which plan, who confirmed it, with which words, and through what."""
    [asked], [approved] = records(agent, "approval_requested"), records(agent, "approved")
    plan = agent.run()["plan"]["hash"]
    assert asked["metrics_used"]["plan_hash"] == plan
    assert (approved["actor"], approved["reasoning"]) == ("ada", "I looked")
    assert (approved["metrics_used"]["via"], approved["metrics_used"]["plan_hash"]) == ("page", plan)


def test_intent_stands_before_the_effect_with_its_plan_and_who_allowed_it(agent: Agent) -> None:
    """The whole plan and whose permission it has, in a record before that of how the command ended."""
    [intent], [done] = records(agent, "execute"), records(agent, "execute:done")
    assert intent["seq"] < done["seq"]
    assert intent["metrics_used"]["plan"]["target_release"] == GOOD
    assert intent["metrics_used"]["plan_hash"] == agent.run()["plan"]["hash"]
    assert intent["metrics_used"]["allowed_by"] == "ada"


def test_report_is_a_witness_of_the_trail(agent: Agent) -> None:
    """Its checkpoint is that of the run's last record, and tells when the trail is cut afterwards."""
    head, files = checkpoint(agent), agent.config.audit_files
    assert verify(files, head) == (head, None)

    files.active.write_bytes(b"".join(files.active.read_bytes().splitlines(keepends=True)[:-1]))

    assert verify(files)[1] is None
    assert "it was cut" in str(verify(files, head)[1])


def test_report_is_written_without_a_trail_too(tmp_path: Path) -> None:
    """Where the trail cannot be read nothing is done; the report says so, and gives no checkpoint."""
    agent = Agent(tmp_path)
    agent.world.audit.record("before", "the key was lost")
    agent.config.audit_files.key.unlink()

    run = agent.go()

    report = Path(run["report"]).read_text()
    assert (run["result"], agent.executed()) == ("failed", [])
    assert "It could not be read when this was written: " in report
    assert "--checkpoint" not in report
