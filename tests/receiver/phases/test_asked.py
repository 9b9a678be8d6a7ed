"""What a question to a person leaves behind it, and what becomes of one that a life has ended but not the run."""

from __future__ import annotations

from collections.abc import Callable

from structlog.testing import capture_logs

from receiver.journal import approvals, escalations, judgements, views
from receiver.journal.approvals import ApprovalState
from tests.receiver.agent import Agent
from tests.receiver.surroundings import branch


def what_confirms(agent: Agent) -> str:
    """The command that a person types."""
    with agent.database.read() as tx:
        (incident,) = views.incidents(tx)
    return f"rollback-agent approve {incident['id']} --plan {agent.run()['plan']['hash'][:8]}"


def ended_by_an_earlier_life(agent: Agent, state: ApprovalState) -> None:
    """The question has ended, and the process with it, before it could end the run."""
    with agent.database.write() as tx:
        asked = approvals.of_run(tx, agent.run()["id"])
        assert asked is not None
        assert approvals.end(tx, asked, state, agent.clock())
    agent.new_process()


def test_it_is_told_with_what_confirms_it(make_agent: Callable[..., Agent]) -> None:
    """Log and audit trail say why, how many people it needs, for which plan, and what to type."""
    agent = make_agent(autonomy="L3", approval={"people": 2})
    with capture_logs() as log:
        run = agent.go()

    why, plan = "autonomy level L3 asks before it rolls back", run["plan"]["hash"]
    (asked,) = [record for record in agent.audit_records() if record["decision"] == "approval_requested"]
    assert (asked["deployment"], asked["run"], asked["reasoning"]) == ("qrl", run["id"], why)
    assert asked["metrics_used"] == {"plan_hash": plan, "people": 2}
    (told,) = [line for line in log if line["event"] == "a person must confirm the rollback"]
    assert (told["log_level"], told["why"], told["people"]) == ("warning", why, 2)
    assert told["confirm_with"] == what_confirms(agent)


def test_a_call_for_a_human_says_what_to_type(agent: Agent) -> None:
    """Where the question escalates, its reason and the command that confirms it stand in the call."""
    agent.prometheus.firing = (branch(confidence=0.9),)
    agent.go()

    with agent.database.read() as tx:
        (called,) = escalations.find(tx)
    assert called.summary.endswith(f"; confirm with: {what_confirms(agent)}")


def test_that_a_person_is_to_be_asked_is_kept_with_its_facts(asking: Agent) -> None:
    """What was judged is in the journal while the person thinks, and not only after the answer."""
    with asking.database.read() as tx:
        kept = judgements.of_run(tx, asking.run()["id"])

    assert kept["approve"].judged.answer


def test_a_denial_needs_no_comment(asking: Agent) -> None:
    """Who says nothing more has denied it."""
    asking.decide(ApprovalState.DENIED, comment="")

    assert asking.work()["reason"] == "denied by ada"


def test_a_question_that_had_expired_escalates(asking: Agent) -> None:
    """The next life ends the run as the one before would have done."""
    ended_by_an_earlier_life(asking, ApprovalState.EXPIRED)

    run = asking.wait(11)

    assert run["result"] == "expired"
    assert run["reason"] == "nobody answered within 0:15:00, and silence is not consent"
    assert asking.escalated(only_open=True) == ["approval_expired"]


def test_a_question_that_had_been_taken_back_calls_nobody(asking: Agent) -> None:
    """The next life ends the run without asking again."""
    ended_by_an_earlier_life(asking, ApprovalState.WITHDRAWN)

    run = asking.wait(11)

    assert (run["result"], run["reason"]) == ("withdrawn", "the question was taken back")
    assert (asking.escalated(), asking.executed()) == ([], [])


def waits_for(agent: Agent) -> str:
    """What the run says it waits for."""
    step = agent.run()["steps"][-1]
    assert step["name"] == "approve"
    return str(step["summary"])


def test_it_says_what_it_waits_for(make_agent: Callable[..., Agent]) -> None:
    """Of how many people, and who of them has answered."""
    agent = make_agent(autonomy="L3", approval={"people": 2})
    agent.go()
    assert waits_for(agent) == "waiting for 2 approvals"

    agent.decide(ApprovalState.APPROVED)
    agent.work()

    assert waits_for(agent) == "waiting for another approval: 1 of 2, by ada"


def test_of_one_person_it_says_so(asking: Agent) -> None:
    """Nobody counts to one."""
    assert waits_for(asking) == "waiting for a person's approval"


def test_an_answer_at_the_last_moment_counts(asking: Agent) -> None:
    """Where a person answers while the question is being taken back, it is not, and the run looks again at once."""

    def answer(_question: int) -> None:
        asking.prometheus.when_asked = lambda _: None
        assert asking.decide(ApprovalState.APPROVED)

    asking.prometheus.firing = ()
    asking.prometheus.when_asked = answer
    run = asking.wait(11)

    assert run["approval"]["state"] == "approved"
    assert (run["result"], [one["guardrail"] for one in run["refusals"]]) == ("refused", ["alert_still_firing"])
