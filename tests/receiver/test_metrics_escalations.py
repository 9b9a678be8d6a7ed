"""What waits for a human, and whether Alertmanager has it, is in the metrics for as long as it is so."""

from __future__ import annotations

from receiver.escalate import LAPSES_AFTER, Delivery
from receiver.journal import escalations
from receiver.journal.counts import bump
from receiver.model import EscalationReason
from receiver.operators import Answer, Operators, Person, Via
from tests.receiver.agent import Agent
from tests.receiver.test_metrics import scrape, value

ASKED = {"deployment": "unknown", "reason": "unknown_pattern"}


def test_an_escalation_is_undelivered_until_alertmanager_has_it(agent: Agent) -> None:
    """From the first moment on, again once it lapsed there, and no more when it was answered."""
    with agent.database.write() as tx:
        escalations.open_one(tx, "unknown", EscalationReason.UNKNOWN_PATTERN, "odd", agent.clock())
        (asked,) = escalations.find(tx)
    assert undelivered(agent) == 1

    with agent.database.write() as tx:
        escalations.raised(tx, asked.id, agent.clock())
    assert undelivered(agent) == 0
    assert value(scrape(agent), "rollback_escalations_open", **ASKED) == 1

    agent.clock.advance(LAPSES_AFTER * agent.config.alertmanager.resend_every + 1)
    assert undelivered(agent) == 1

    operators = Operators(agent.database, agent.world.audit, agent.config)
    operators.answer(asked.id, Answer.DONE, Person("ada", Via.PAGE), "")
    samples = scrape(agent)
    assert frozenset(ASKED.items()) not in samples["rollback_escalations_undelivered"]


def test_known_deployments_are_there_from_the_start(agent: Agent) -> None:
    """With a 0 for each reason and outcome, so that a first increase can be seen."""
    samples = scrape(agent)
    for reason in EscalationReason:
        assert value(samples, "rollback_escalations_undelivered", deployment="qrl", reason=reason) == 0
    for outcome in Delivery:
        assert value(samples, "rollback_escalation_deliveries_total", outcome=outcome) == 0


def test_deliveries_are_counted_by_what_became_of_them(agent: Agent) -> None:
    """Each outcome for itself."""
    with agent.database.write() as tx:
        for number, outcome in enumerate(Delivery, 1):
            bump(tx, "escalation_deliveries", number, outcome=outcome)
    samples = scrape(agent)
    counted = [value(samples, "rollback_escalation_deliveries_total", outcome=outcome) for outcome in Delivery]
    assert counted == [1, 2, 3, 4]


def undelivered(agent: Agent) -> float:
    return value(scrape(agent), "rollback_escalations_undelivered", **ASKED)
