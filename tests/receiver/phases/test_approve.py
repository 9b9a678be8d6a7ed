"""The autonomy level lets a plan pass, or a person does, in time; silence does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from receiver.errors import PrometheusError
from receiver.journal.approvals import ApprovalState
from receiver.model import Level
from tests.receiver.agent import Agent
from tests.receiver.surroundings import GOOD, branch


def test_l3_asks_and_waits(asking: Agent) -> None:
    """The plan is put to a person once, on the audit trail too, and nothing is done meanwhile."""
    for _ in range(3):
        run = asking.wait(30)

    assert (run["state"], run["approval"]["state"], asking.executed()) == ("waiting", "pending", [])
    assert run["approval"]["plan_hash"] == run["plan"]["hash"]
    assert run["approval"]["expires_at"] == pytest.approx(run["approval"]["opened_at"] + 900)
    assert asking.audited().count("approval_requested") == 1
    assert (asking.escalated(), asking.latch()) == ([], None)


def test_an_approved_plan_is_carried_out(asking: Agent) -> None:
    """A person's yes lets the run go on at once, and it says who it was and when."""
    asking.wait(30)
    assert asking.decide(ApprovalState.APPROVED)

    run = asking.work()

    assert (run["result"], asking.executed()) == ("restored", [GOOD])
    assert run["permission"] == {"by": "ada", "reason": "I looked", "at": run["approval"]["decided_at"]}
    (step,) = [step for step in run["steps"] if step["name"] == "approve"]
    assert step["summary"] == "approved by ada"


def test_a_yes_needs_no_comment(asking: Agent) -> None:
    """Who says nothing more has approved it."""
    assert asking.decide(ApprovalState.APPROVED, comment="")

    assert asking.work()["permission"]["reason"] == "approved"


def test_a_denied_plan_is_not_and_latches(asking: Agent) -> None:
    """A person's no ends the run, and nothing is rolled back there until a person clears it."""
    asking.decide(ApprovalState.DENIED)

    run = asking.work()

    assert (run["result"], run["reason"], asking.executed()) == ("denied", "denied by ada: I looked", [])
    assert (asking.latch(), asking.escalated()) == ("denied by ada: I looked", [])


def test_silence_is_not_consent(asking: Agent) -> None:
    """When nobody answers in time the plan expires, and that escalates."""
    assert asking.wait(890)["state"] == "waiting"

    run = asking.wait(11)

    assert (run["result"], run["approval"]["state"], asking.executed()) == ("expired", "expired", [])
    assert run["reason"] == "nobody answered within 0:15:00, and silence is not consent"
    assert (asking.escalated(only_open=True), asking.latch()) == (["approval_expired"], None)
    assert not asking.decide(ApprovalState.APPROVED)


def test_a_question_is_withdrawn_when_the_alert_clears(asking: Agent) -> None:
    """When nothing asks for the rollback any more, nobody is asked for it."""
    asking.prometheus.firing = ()

    run = asking.wait(11)

    assert (run["result"], run["approval"]["state"], asking.escalated()) == ("withdrawn", "withdrawn", [])
    assert run["reason"] == "the alert cleared while a person was asked"
    assert not asking.decide(ApprovalState.APPROVED)


def test_not_knowing_withdraws_nothing(asking: Agent) -> None:
    """A Prometheus that cannot be asked leaves the question open; only its own time ends it."""
    asking.prometheus.error = PrometheusError("gone")

    assert asking.wait(11)["approval"]["state"] == "pending"
    assert asking.wait(900)["result"] == "expired"


def test_after_the_answer_all_is_asked_again(asking: Agent) -> None:
    """A yes to a plan does not overrule what changed since: a guardrail still refuses."""
    asking.config.kill_switch.touch()
    asking.decide(ApprovalState.APPROVED)

    run = asking.work()

    assert (run["result"], [one["guardrail"] for one in run["refusals"]]) == ("refused", ["kill_switch"])
    assert asking.executed() == []


def test_an_answer_while_the_agent_was_away_counts(asking: Agent) -> None:
    """A yes that was given in time counts, also where it is only seen after the question's end."""
    asking.decide(ApprovalState.APPROVED)
    asking.new_process()

    assert asking.wait(3600)["result"] == "restored"


def test_a_question_does_not_outlive_its_run(asking: Agent) -> None:
    """A run that ends for another reason while a person is asked takes its question back."""
    asking.prometheus.error = RuntimeError("a bug")

    run = asking.wait(11)

    assert (run["result"], run["approval"]["state"]) == ("failed", "withdrawn")
    assert asking.escalated(only_open=True) == ["agent_failed"]
    assert not asking.decide(ApprovalState.APPROVED)


@pytest.mark.parametrize("level", ["L1", "L2"])
def test_l1_and_l2_only_record(make_agent: Callable[..., Agent], level: str) -> None:
    """The low autonomy levels decide, plan and report, ask nobody and roll nothing back."""
    agent = make_agent(autonomy=level)

    run = agent.go()

    assert (run["result"], run["approval"], agent.executed()) == ("recorded", None, [])
    assert run["reason"] == f"autonomy level {level} decides and reports, it does not roll back"
    assert (run["decision"]["branch"], run["plan"]["target_release"]) == ("service_down", GOOD)
    assert agent.escalated() == []


@pytest.mark.parametrize("level", ["L1", "L2", "L3", "L4"])
def test_a_rollback_by_hand_is_confirmed_at_every_level(make_agent: Callable[..., Agent], level: str) -> None:
    """What a person asks for is put to a person with its plan, whatever the agent may do by itself."""
    agent = make_agent(autonomy=level)
    agent.prometheus.firing = ()
    agent.request()

    assert agent.work()["approval"]["state"] == "pending"
    assert agent.wait(60)["approval"]["state"] == "pending", "no alert is needed for it"
    agent.decide(ApprovalState.APPROVED)
    assert agent.work()["result"] == "restored"


def test_a_full_rollback_asks_at_l4(agent: Agent) -> None:
    """The database is never rolled back without a person, however sure the branch is, and that escalates (T21)."""
    agent.prometheus.firing = (branch(level=Level.FULL, confidence=1.0),)

    run = agent.go()

    assert (run["approval"]["state"], agent.executed()) == ("pending", [])
    assert agent.escalated(only_open=True) == ["database_or_full"]


def test_low_confidence_asks_at_l4_until_it_is_answered(agent: Agent) -> None:
    """What is not sure enough escalates, and the answer to the plan answers the escalation."""
    agent.prometheus.firing = (branch(confidence=0.9),)
    agent.go()
    assert agent.escalated(only_open=True) == ["low_confidence"]

    agent.decide(ApprovalState.APPROVED)

    assert (agent.work()["result"], agent.escalated(only_open=True)) == ("restored", [])


def test_a_deployment_may_have_a_level_of_its_own(make_agent: Callable[..., Agent]) -> None:
    """The deployment's own autonomy counts where it has one."""
    agent = make_agent(autonomy="L4", qrl={"autonomy": "L1"})

    assert agent.go()["result"] == "recorded"


def test_the_kill_switch_ends_the_wait_for_a_person(asking: Agent) -> None:
    """Switched on while a person is asked, the plan is withdrawn at the next look, and nobody can approve it later."""
    asking.config.kill_switch.touch()

    run = asking.wait(11)

    assert (run["result"], run["approval"]["state"], asking.executed()) == ("refused", "withdrawn", [])
    assert [one["guardrail"] for one in run["refusals"]] == ["kill_switch"]
    asking.config.kill_switch.unlink()
    assert not asking.decide(ApprovalState.APPROVED)


def test_a_denial_counts_with_the_kill_switch_on(asking: Agent) -> None:
    """A person's no latches, whatever else would have stopped the run."""
    asking.decide(ApprovalState.DENIED)
    asking.config.kill_switch.touch()

    run = asking.work()

    assert (run["result"], asking.latch()) == ("denied", "denied by ada: I looked")
