"""What reviews say is told as metrics, with both ends of each interval, and counts nothing twice."""

from __future__ import annotations

import pytest

from receiver.journal import incidents, reviews
from receiver.model import Found
from tests.receiver.agent import Agent
from tests.receiver.learning.reviewed import review
from tests.receiver.test_metrics_of_runs import Scraped


def test_reviews_are_told_as_metrics(agent: Agent) -> None:
    """Two right rollbacks and a needless one: precision, recall, times, calibration, answers."""
    with agent.database.write() as tx:
        for number, necessary in enumerate((Found.YES, Found.YES, Found.NO)):
            reviews.put(tx, review(number, necessary=necessary))
    scraped = Scraped(agent)

    def told(name: str, **labels: str) -> list[float]:
        return [value for found, value in scraped.values(name) if labels.items() <= found.items()]

    assert told("rollback_reviewed_incidents", outcome="right_rollback") == [2]
    assert sum(told("rollback_reviewed_incidents")) == 3
    for branch in ("all", "service_down"):
        one = {"deployment": "qrl", "branch": branch}
        assert told("rollback_decision_precision_ratio", bound="estimate", **one) == [pytest.approx(2 / 3)]
        [low], [high] = (told("rollback_decision_precision_ratio", bound=end, **one) for end in ("lower", "upper"))
        assert (low, high) == (pytest.approx(0.2077, abs=1e-4), pytest.approx(0.9385, abs=1e-4))
        assert told("rollback_decision_recall_ratio", bound="estimate", **one) == [1]
        assert told("rollback_decision_lead_seconds", **one) == [180]
        assert told("rollback_decision_delay_seconds", **one) == [20]
    assert told("rollback_confidence_brier_score") == [pytest.approx((2 * 0.01**2 + 0.99**2) / 3)]
    assert told("rollback_confidence_reviewed", confidence="0.99") == [3]
    assert told("rollback_confidence_necessary_ratio", confidence="0.99", bound="estimate") == [pytest.approx(2 / 3)]
    assert told("rollback_review_answers", question="necessary", answer="no") == [1]
    assert told("rollback_review_answers", question="necessary", answer="unsure") == [0]


def test_what_waits_for_a_review_is_told(agent: Agent) -> None:
    """A closed incident waits until somebody has reviewed it; nothing is divided by nothing."""
    agent.go()
    scraped = Scraped(agent)
    assert scraped.values("rollback_incidents_unreviewed") == [({"deployment": "qrl"}, 1)]
    assert scraped.values("rollback_decision_precision_ratio") == []
    with agent.database.write() as tx:
        reviews.put(tx, review(incident=incidents.of_run(tx, agent.run()["id"])))
    assert scraped.values("rollback_incidents_unreviewed") == [({"deployment": "qrl"}, 0)]
