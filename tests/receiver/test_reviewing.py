"""A review keeps what was decided with what a person found, on the audit trail too, and finds its like again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.errors import AuditError, NotFound, NotPossible
from receiver.journal import deployments, incidents, reviews, views
from receiver.journal.approvals import ApprovalState
from receiver.journal.views import View
from receiver.model import Action, Branch, Found, Level
from receiver.operators import Person, Via
from receiver.reviewing import Answers, Reviewers, lookalikes
from tests.receiver.agent import Agent
from tests.receiver.surroundings import BAD, branch

ADA = Person("ada", Via.COMMAND_LINE)
ANSWERS = Answers(Found.YES, Found.YES, Found.NO, "a typing error", "typo")


def reviewers(agent: Agent) -> Reviewers:
    """Who takes reviews of this agent's incidents."""
    return Reviewers(agent.database, agent.world.audit, agent.config)


def newest(agent: Agent) -> View:
    """The newest incident."""
    with agent.database.read() as tx:
        return views.incidents(tx)[0]


def over(agent: Agent) -> str:
    """Nothing fires any more, and the newest incident is over; its id."""
    incident = str(newest(agent)["id"])
    agent.prometheus.firing = ()
    with agent.database.write() as tx:
        incidents.close(tx, incident, agent.clock())
    return incident


def break_again(agent: Agent) -> None:
    """The bad release is shipped again, and the same happens, long after the cooldown."""
    agent.target.ship(BAD)
    agent.prometheus.firing, agent.prometheus.availability = (branch(service="flask"),), 0.25
    agent.prometheus.when_asked = lambda _: None
    agent.clock.advance(90_000)
    agent.hear_watchdog()


def test_a_restored_incident_is_reviewed(agent: Agent) -> None:
    """Branch, confidence and moment of the decision are kept beside the answers, and who gave them."""
    agent.go()
    incident = newest(agent)
    kept = reviewers(agent).review(over(agent), ANSWERS, ADA)

    assert (kept.branch, kept.decided_rollback, kept.confidence) == ("service_down", True, 0.99)
    assert kept.decided_at is not None
    assert incident["opened_at"] <= kept.decided_at <= agent.clock()
    assert "branch service_down" in kept.features
    record = agent.audit_records()[-1]
    assert (record["decision"], record["actor"], record["reasoning"]) == ("review", "ada", "a typing error")
    with agent.database.read() as tx:
        assert reviews.of_incident(tx, incident["id"]) == kept


@pytest.mark.parametrize(
    ("settings", "firing", "is_success"),
    [
        ({"autonomy": "L3"}, branch(), True),
        ({"autonomy": "L4"}, branch(), False),
        ({"autonomy": "L4"}, branch(level=Level.FULL), False),
    ],
)
def test_what_a_person_approved_and_what_helped_is_kept(
    make_agent: Callable[..., Agent], settings: dict[str, str], firing: Branch, is_success: bool
) -> None:
    """A fast rollback that was approved and verified is; one that nobody was asked about, and a full one, are not."""
    agent = make_agent(**settings)
    agent.prometheus.firing = (firing,)
    if agent.go()["result"] is None:
        agent.decide(ApprovalState.APPROVED)
        agent.work()
    kept = reviewers(agent).review(over(agent), ANSWERS, ADA)
    with agent.database.read() as tx:
        assert reviews.find(tx) == (kept,)
    assert kept.approved_success is is_success


def test_what_was_approved_and_did_not_help_is_no_success(make_agent: Callable[..., Agent]) -> None:
    """The command failed, or the person said no: necessary it may have been."""
    agent = make_agent(autonomy="L3")
    agent.target.script = "exit 1"
    for answer in (ApprovalState.APPROVED, ApprovalState.DENIED):
        agent.go()
        agent.decide(answer)
        assert agent.work()["result"] in ("failed", "denied")
        assert not reviewers(agent).review(over(agent), ANSWERS, ADA).approved_success
        with agent.database.write() as tx:
            deployments.clear_latch(tx, "qrl")
        break_again(agent)


@pytest.mark.parametrize(
    ("firing", "decided"),
    [
        (branch("minor_impact", Action.WATCH), False),
        (branch("slow_responses", Action.ASK), False),
        (branch(confidence=0.5), False),
        (branch(confidence=0.8), True),
        (branch(level=Level.FULL), True),
    ],
)
def test_what_was_decided_is_what_counts(agent: Agent, firing: object, decided: bool) -> None:
    """Watching, asking and what was only recorded is no decision for a rollback; one that waits for a person is."""
    agent.prometheus.firing = (firing,)  # type: ignore[assignment]
    agent.go()
    if decided:
        agent.wait(3600)  # nobody answers, and silence is not consent
    assert reviewers(agent).review(over(agent), ANSWERS, ADA).decided_rollback is decided


def test_a_refused_rollback_was_decided(make_agent: Callable[..., Agent]) -> None:
    """A guardrail's no, and a low autonomy, change what is done and not what was decided."""
    for settings in ({"guardrails": {"disk_space": {"minimum_bytes": 1 << 60}}}, {"autonomy": "L1"}):
        agent = make_agent(**settings)
        assert agent.go()["result"] in ("refused", "recorded")
        assert reviewers(agent).review(over(agent), ANSWERS, ADA).decided_rollback


def test_a_persons_own_rollback_is_no_decision_of_the_agent(agent: Agent) -> None:
    """Who asked for it by hand had to, since the agent had not."""
    agent.prometheus.firing = ()
    agent.request()
    agent.work()
    agent.wait(3600)
    kept = reviewers(agent).review(over(agent), ANSWERS, ADA)

    assert (kept.branch, kept.decided_rollback, kept.confidence) == ("none", False, None)


def test_what_cannot_be_reviewed(make_agent: Callable[..., Agent]) -> None:
    """An unknown incident, one that goes on though its run has ended, a moment to come, no name, an endless cause."""
    agent = make_agent(autonomy="L3")
    agent.go()
    incident, here = newest(agent)["id"], reviewers(agent)
    with pytest.raises(NotFound, match="there is no incident nobody"):
        here.review("nobody", ANSWERS, ADA)
    for _ in range(2):
        with pytest.raises(NotPossible, match="is still open; review it when it is over"):
            here.review(incident, ANSWERS, ADA)
        agent.wait(3600)
    over(agent)
    for wrong, why in (
        (replace(ANSWERS, began_at=agent.clock() + 60), "must lie between 1970 and now"),
        (replace(ANSWERS, began_at=-1.0), "the moment at which it began must lie between"),
        (replace(ANSWERS, noticed_at=float("nan")), "must lie between 1970 and now"),
        (replace(ANSWERS, began_at=2000.0, noticed_at=1000.0), "before it began"),
        (replace(ANSWERS, began_at=2000.0, ended_at=1000.0), "cannot have ended before it began"),
        (replace(ANSWERS, ended_at=-1.0), "the moment at which it ended must lie between"),
        (replace(ANSWERS, pattern="no name"), "is no name"),
        (replace(ANSWERS, cause="x" * 501), "longer than 500"),
    ):
        with pytest.raises(NotPossible, match=why):
            here.review(incident, wrong, ADA)
    with agent.database.read() as tx:
        assert reviews.find(tx) == ()


def test_without_its_record_nothing_is_kept(agent: Agent) -> None:
    """What cannot be written on the audit trail is not taken."""
    agent.go()

    class Broken:
        """An audit trail that cannot be written."""

        def record(self, *_arguments: object, **_facts: object) -> None:
            raise AuditError("the disk is full")

    with pytest.raises(AuditError):
        Reviewers(agent.database, Broken(), agent.config).review(over(agent), ANSWERS, ADA)
    with agent.database.read() as tx:
        assert reviews.find(tx) == ()


def test_a_missed_incident_is_entered(agent: Agent) -> None:
    """With the branch that should have fired and the services that failed, so that it can be recognised."""
    answers = replace(ANSWERS, began_at=1000.0, ended_at=1600.0)
    kept = reviewers(agent).enter_missed("qrl", answers, ADA, "payment_broken", ("flask",))

    assert (kept.incident, kept.branch, kept.decided_rollback) == (None, "payment_broken", False)
    assert (kept.began_at, kept.ended_at) == (1000.0, 1600.0)
    assert kept.features == {"branch payment_broken", "service flask"}
    assert agent.audited()[-1] == "review:missed"
    with pytest.raises(NotFound, match="there is no deployment nobody"):
        reviewers(agent).enter_missed("nobody", answers, ADA, None, ())


def test_a_new_incident_names_those_that_look_alike(agent: Agent) -> None:
    """What fires on the same service again is recognised, in the report too; what is another fault is not."""
    agent.prometheus.firing = (branch(service="flask"),)
    agent.go()
    first = over(agent)
    reviewers(agent).review(first, ANSWERS, ADA)
    break_again(agent)
    run = agent.go()
    second = newest(agent)

    with agent.database.read() as tx:
        found = lookalikes(tx, second)
    assert second["id"] != first
    assert [(one.review.incident, one.likeness) for one in found] == [(first, 1.0)]
    report = Path(run["report"]).read_text()
    assert "## Past incidents that look alike" in report
    assert f"incident `{first}` of `qrl`, pattern `typo`: a typing error (100% in common" in report

    over(agent)
    agent.prometheus.firing = (branch("slow_responses", Action.ASK),)
    agent.clock.advance(60)
    agent.go()
    with agent.database.read() as tx:
        assert lookalikes(tx, newest(agent)) == ()
