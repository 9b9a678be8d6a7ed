"""The loop around the phases: whatever happens in one, the run ends with a result, a report and its consequences."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from receiver.durations import clock_time
from receiver.errors import PrometheusError
from receiver.journal import counts, incidents, releases
from receiver.journal.releases import LONGEST_DEPLOY
from receiver.model import Action, Demand
from receiver.workflow import PHASES
from tests.receiver.agent import Agent
from tests.receiver.surroundings import BAD, GOOD
from tests.receiver.upsets import CLAIM, EVALUATE, EXECUTE, GUARD, VERIFY, at, break_audit, raising


def test_a_bad_release_is_rolled_back_and_reported(agent: Agent) -> None:
    """The phases run once each, in order, to the verdict, and all that they found is journaled and reported."""
    run = agent.go()

    assert (run["state"], run["result"], run["phase"]) == ("finished", "restored", "report")
    assert [step["name"] for step in run["steps"]] == [*(phase.__name__ for phase in PHASES), "report"]
    assert {step["state"] for step in run["steps"]} == {"done"}
    assert (agent.executed(), agent.held(), agent.latch(), agent.escalated()) == ([GOOD], [BAD], None, [])
    assert "# Automated Rollback Incident" in Path(run["report"]).read_text()
    assert agent.audited() == [
        "evaluate:done", "guard:done", "approve:done", "claim:done", "back_up:done", "execute", "execute:done",
        "verify:restored",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "phase", "latched"),
    [
        (EVALUATE, "evaluate", False),
        (GUARD, "guard", False),
        (CLAIM, "claim", False),
        (EXECUTE, "execute", True),
        (VERIFY, "verify", True),
    ],
)
def test_a_phase_that_raises_fails_the_run(agent: Agent, question: int, phase: str, latched: bool) -> None:
    """What no phase expects ends the run, asks a human, and latches the deployment once it may have been touched."""
    at(agent, question, raising(RuntimeError("what is this?")))

    run = agent.go()

    assert (run["state"], run["result"]) == ("finished", "failed")
    assert run["reason"] == f"{phase} failed unexpectedly: RuntimeError: what is this?"
    assert (agent.escalated(), agent.latch() is not None) == (["agent_failed"], latched)
    assert agent.executed() == ([GOOD] if phase == "verify" else [])
    assert Path(run["report"]).exists()


@pytest.mark.parametrize("settings", [{}, {"autonomy": "L3"}], ids=["L4", "L3"])
def test_without_an_audit_trail_nothing_is_done(make_agent: Callable[..., Agent], settings: dict[str, str]) -> None:
    """A trail that cannot be written ends the run at its first record, at once, with a human asked."""
    agent = make_agent(**settings)
    break_audit(agent)

    run = agent.go()

    assert (run["state"], run["result"], agent.escalated()) == ("finished", "failed", ["agent_failed"])
    assert "the audit trail cannot be written" in run["reason"]
    assert (agent.executed(), agent.latch(), run["approval"]) == ([], None, None)


def test_without_the_record_of_its_intent_nothing_is_executed(agent: Agent) -> None:
    """A trail that breaks after the last question keeps the command from being started."""
    at(agent, EXECUTE, lambda: break_audit(agent))

    run = agent.go()

    assert (run["result"], run["execution"], agent.executed()) == ("failed", None, [])
    assert "without a record nothing is done" in run["reason"]
    assert agent.escalated() == ["agent_failed"]


def test_what_was_executed_without_a_record_of_its_end_is_kept(agent: Agent) -> None:
    """A trail that breaks while the command runs fails the run, and what became of the command is still known."""
    trail = agent.config.logs / "audit-trail.jsonl"
    agent.target.script = f'mv "{trail}" "{trail}.old"; mkdir "{trail}"; ' + agent.target.script

    run = agent.go()

    assert (run["state"], run["result"], run["execution"]["exit_code"]) == ("finished", "failed", 0)
    assert (agent.executed(), agent.escalated()) == ([GOOD], ["agent_failed"])
    assert run["reason"].startswith(f"{GOOD} is live, exit code 0, but ")
    assert agent.latch() is not None


@pytest.mark.parametrize("question", [CLAIM, EXECUTE])
def test_prometheus_is_asked_again_before_each_effect(agent: Agent, question: int) -> None:
    """A Prometheus that fails after the guardrails have agreed refuses what was agreed to, and nothing is executed."""
    at(agent, question, raising(PrometheusError("it is gone")))

    run = agent.go()

    assert (run["result"], agent.executed(), agent.latch()) == ("refused", [], None)
    assert [one["guardrail"] for one in run["refusals"]] == ["alert_still_firing", "silenced", "telemetry_fresh"]
    assert agent.escalated() == ["safety_check_failed"]


def test_every_refusal_is_told_everywhere(agent: Agent) -> None:
    """Each "no" is a line of the log and of the report, with when to ask again, counted, and in the audit record."""
    now = agent.clock()
    with agent.database.write() as tx:
        releases.deploy_started(tx, "qrl", "r3", now, commit=None, author=None)
    agent.config.kill_switch.touch()

    with capture_logs() as log:
        run = agent.go()

    names, retry_at = ["kill_switch", "release_in_progress"], [None, now + LONGEST_DEPLOY]
    assert [one["guardrail"] for one in run["refusals"]] == names
    assert [one["retry_at"] for one in run["refusals"]] == retry_at
    (record,) = (one for one in agent.audit_records() if one["decision"] == "guard:refused")
    logged = [line for line in log if line["event"] == "a guardrail refuses"]
    for told in (record["metrics_used"]["refusals"], logged):
        assert [(one["guardrail"], one["retry_at"]) for one in told] == list(zip(names, retry_at, strict=True))
    reported = [line for line in Path(run["report"]).read_text().splitlines() if line.startswith("- `")]
    assert [line.split(":")[0] for line in reported] == [f"- `{name}`" for name in names]
    assert reported[1].endswith(f"ask again from {clock_time(now + LONGEST_DEPLOY)}")
    with agent.database.read() as tx:
        counted = {labels["guardrail"]: count for name, labels, count in counts.read_all(tx) if name == "refusals"}
    assert counted == dict.fromkeys(names, 1)


@pytest.mark.parametrize(("question", "phase"), [(GUARD, "claim"), (CLAIM, "execute")])
def test_a_plan_for_another_live_release_is_stale(agent: Agent, question: int, phase: str) -> None:
    """A deploy that comes after planning is seen before the next effect, and the plan is not carried out over it."""
    at(agent, question, lambda: agent.target.ship("r3"))

    run = agent.go()

    assert (run["result"], [one["guardrail"] for one in run["refusals"]]) == ("refused", ["plan_stale"])
    assert (agent.target.lines()[-1], run["steps"][-2]["name"]) == ("r3", phase)


@pytest.mark.parametrize(("question", "phase"), [(EVALUATE, "guard"), (GUARD, "claim"), (CLAIM, "execute")])
def test_a_target_that_was_built_anew_is_not_known_good(agent: Agent, question: int, phase: str) -> None:
    """A target with another commit than it had when it proved good is refused at the next look."""
    at(agent, question, lambda: agent.target.commits.update({GOOD: "e" * 40}))

    run = agent.go()

    assert (run["result"], [one["guardrail"] for one in run["refusals"]]) == ("refused", ["target_release_valid"])
    assert (agent.executed(), run["steps"][-2]["name"]) == ([], phase)


def test_without_a_watchdog_nothing_is_executed_until_it_is_back(agent: Agent) -> None:
    """Five minutes after the start without one, a run is refused and a human asked; back again, one run restores."""
    agent.clock.advance(301)
    assert (agent.go()["result"], agent.executed(), agent.latch()) == ("refused", [], None)
    assert [one["guardrail"] for one in agent.run()["refusals"]] == ["watchdog"]
    assert agent.escalated(only_open=True) == ["safety_check_failed"]

    agent.clock.advance(60)
    agent.hear_watchdog()
    with agent.database.write() as tx:
        assert incidents.resume(tx, "qrl", agent.clock(), deciding=Demand("service_down", Action.ROLLBACK))

    assert (agent.work()["result"], agent.executed()) == ("restored", [GOOD])
    assert agent.escalated(only_open=True) == []
