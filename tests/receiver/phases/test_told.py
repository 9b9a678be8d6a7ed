"""What a run that goes well tells of itself, step by step: in the journal, on the audit trail, and to the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from receiver.journal import judgements
from tests.receiver.agent import Agent
from tests.receiver.surroundings import AVAILABILITY, BAD, GOOD


@pytest.fixture
def restored(agent: Agent) -> Agent:
    """An agent at L4 that has rolled back."""
    assert agent.go()["result"] == "restored"
    return agent


def test_each_step_says_what_came_of_it(restored: Agent) -> None:
    """In one sentence each, from the decision to the report."""
    run = restored.run()
    backup = run["backup"]
    assert [(step["name"], step["outcome"], step["summary"]) for step in run["steps"]] == [
        ("evaluate", "proceed", "ServiceDown fires in Prometheus (rank 1): roll back r2 to r1"),
        ("guard", "proceed", "no guardrail refuses"),
        ("approve", "proceed", "allowed by autonomy L4, confidence 0.99"),
        ("claim", "proceed", "claimed within the budget"),
        ("back_up", "proceed", f"{backup['files']} files, {backup['bytes']} bytes, read back: {backup['directory']}"),
        ("execute", "proceed", "r1 is live, exit code 0"),
        ("verify", "stop", "r1 is live, its checks are good and no branch fires"),
        ("report", "proceed", run["report"]),
    ]


def test_each_step_that_judges_keeps_what_it_judged(restored: Agent) -> None:
    """With the facts, so that it can be judged again; what is asked alone under the lock is a part of its step."""
    with restored.database.read() as tx:
        kept = judgements.of_run(tx, restored.run()["id"])
    assert {phase: one.judged.kind for phase, one in kept.items()} == {
        "evaluate": "evaluated", "guard": "guarded", "approve": "asked", "claim": "guarded", "execute": "guarded",
    }  # fmt: skip
    assert all(one.judged.facts for one in kept.values())


def test_a_refusal_keeps_what_was_judged(agent: Agent) -> None:
    """Where a guardrail says no as well."""
    agent.config.kill_switch.touch()
    assert agent.go()["result"] == "refused"

    with agent.database.read() as tx:
        kept = judgements.of_run(tx, agent.run()["id"])

    assert [(phase, one.judged.kind) for phase, one in kept.items()] == [
        ("evaluate", "evaluated"), ("guard", "guarded"),
    ]  # fmt: skip


def test_the_intent_is_the_whole_plan(restored: Agent) -> None:
    """On the trail before the command runs, with the plan's hash and who allowed it; the same plan is in two files."""
    run = restored.run()
    plan = {key: value for key, value in run["plan"].items() if key != "hash"}
    assert plan == {
        "deployment": "qrl", "level": "fast", "live_release": BAD, "live_commit": "d" * 40, "target_release": GOOD,
        "target_commit": "c" * 40, "command": run["plan"]["command"], "timeout": 10.0,
    }  # fmt: skip
    (intent,) = [record for record in restored.audit_records() if record["decision"] == "execute"]
    assert (intent["deployment"], intent["run"], intent["reasoning"]) == ("qrl", run["id"], "roll back to r1")
    told = {"plan": plan, "plan_hash": run["plan"]["hash"], "allowed_by": "autonomy L4"}
    assert intent["metrics_used"] == told
    for directory in (Path(run["backup"]["directory"]), restored.config.commands / run["id"]):
        assert json.loads((directory / "plan.json").read_text()) == run["plan"]
        assert directory.stat().st_mode & 0o777 == 0o700


def test_who_allowed_it_and_why(restored: Agent) -> None:
    """A level is nobody, and says with which confidence it went ahead."""
    permission = restored.run()["permission"]
    assert (permission["by"], permission["reason"]) == ("autonomy L4", "autonomy L4, confidence 0.99")
    assert restored.run()["created_at"] <= permission["at"] <= restored.run()["finished_at"]


def test_the_verdict_stands_with_what_was_seen(restored: Agent) -> None:
    """The signals when it was verified, and each at its worst since the command was started."""
    found = restored.run()["verification"]
    assert (found["verdict"], found["reason"]) == ("restored", "every check is good and no branch fires")
    assert {signal["name"]: signal["value"] for signal in found["signals"]} == {
        AVAILABILITY: 1.0, "deployment:beyond_threshold:bool": 0.0, "service:availability:ratio": 1.0,
    }  # fmt: skip
    assert [signal["name"] for signal in found["worst"]] == [AVAILABILITY]


def test_the_backup_says_what_it_is_of(restored: Agent) -> None:
    """Whose it is, when it was made and by whom, and what was live then."""
    run = restored.run()
    about = json.loads((Path(run["backup"]["directory"]) / "backup.json").read_text())["about"]
    assert 0 <= about.pop("made_at") - run["created_at"] < 60
    assert about == {
        "deployment": "qrl", "id": run["id"], "made_by": "rollback-agent", "live_release": BAD, "live_commit": "d" * 40,
    }  # fmt: skip
    assert run["backup"]["replica"] == restored.world.replica
