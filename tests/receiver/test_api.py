"""A decision over HTTP: who may make it, about what, and once."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
import requests

from receiver.journal import approvals
from receiver.journal.approvals import ApprovalState
from tests.receiver.journal.rows import PLAN, at_once, begin, claim
from tests.receiver.serving import BEARER, OPERATOR, PIPELINE_TOKEN, VIEWER, Receiver

APPROVE = {"decision": "approve", "plan": PLAN.hash[:8], "comment": "looks right"}


def asking(receiver: Receiver, expires_in: float = 900.0) -> str:
    """The id of an incident whose run waits for a person."""
    begin(receiver.database, now=time.time())
    run = claim(receiver.database, now=time.time())
    with receiver.database.write() as tx:
        approvals.ask(tx, run, PLAN, time.time(), time.time() + expires_in)
    return run.incident


def decide(receiver: Receiver, incident: str, body: Any, authorization: str | None = OPERATOR) -> requests.Response:
    """Post a decision."""
    return receiver.post(body, f"/api/v1/incidents/{incident}/decision", authorization)


def state(receiver: Receiver, incident: str) -> str:
    """The state of the incident's approval."""
    shown = receiver.get(f"/api/v1/incidents/{incident}", Authorization=VIEWER).json()
    return str(shown["runs"][-1]["approval"]["state"])


def test_an_operator_approves(receiver: Receiver) -> None:
    """The answer is the incident as it is now; name, way and comment stand on the audit trail."""
    incident = asking(receiver)
    answer = decide(receiver, incident, APPROVE)

    assert answer.status_code == 200
    approval = answer.json()["runs"][-1]["approval"]
    assert (approval["state"], approval["decided_by"], approval["comment"]) == ("approved", "operator", "looks right")
    (record,) = receiver.audited()
    assert (record["decision"], record["actor"], record["metrics_used"]["via"]) == ("approved", "operator", "api")


def test_an_operator_denies(receiver: Receiver) -> None:
    """A denial needs no hash: it refuses whatever is asked about."""
    incident = asking(receiver)
    assert decide(receiver, incident, {"decision": "deny"}).status_code == 200
    assert state(receiver, incident) == ApprovalState.DENIED


@pytest.mark.parametrize("authorization", [None, BEARER, VIEWER, f"Bearer {PIPELINE_TOKEN}", "Bearer x"])
@pytest.mark.parametrize("body", [APPROVE, {"decision": "deny"}, {}])
def test_nobody_else_decides(receiver: Receiver, authorization: str | None, body: Any) -> None:
    """Who may look, notify or report decides nothing, and neither does nobody."""
    incident = asking(receiver)
    expected = 403 if authorization in (BEARER, VIEWER, f"Bearer {PIPELINE_TOKEN}") else 401
    assert decide(receiver, incident, body, authorization).status_code == expected
    assert decide(receiver, "nothing", body, authorization).status_code == expected
    assert (state(receiver, incident), receiver.audited()) == (ApprovalState.PENDING, [])


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", "the body cannot be used: Invalid JSON"),
        ({}, "the body cannot be used: "),
        ({"decision": "approve"}, "plan: Field required"),
        (APPROVE | {"plan": PLAN.hash[:7]}, "plan: String should have at least 8 characters"),
        (APPROVE | {"plan": 12345678}, "plan: Input should be a valid string"),
        (APPROVE | {"plan": None}, "plan: Input should be a valid string"),
        (APPROVE | {"force": True}, "force: unknown key"),
        (APPROVE | {"comment": "a\nb"}, "comment: holds a character that cannot be printed"),
        ({"decision": "deny", "plan": PLAN.hash}, "plan: unknown key"),
        ({"decision": "yes"}, "the body cannot be used: "),
    ],
)
def test_a_body_that_cannot_be_used_decides_nothing(receiver: Receiver, body: Any, error: str) -> None:
    """It is 400 with what is wrong."""
    incident = asking(receiver)
    answer = decide(receiver, incident, body)
    assert (answer.status_code, answer.json()["error"][: len(error)]) == (400, error)
    assert (state(receiver, incident), receiver.audited()) == (ApprovalState.PENDING, [])


def test_another_plan_is_409(receiver: Receiver) -> None:
    """A hash that is not the plan's approves nothing."""
    incident = asking(receiver)
    answer = decide(receiver, incident, APPROVE | {"plan": "0" * 64})
    assert (answer.status_code, "is not the plan that is asked about" in answer.json()["error"]) == (409, True)
    assert state(receiver, incident) == ApprovalState.PENDING


def test_too_late_is_409(receiver: Receiver) -> None:
    """After the approval's time a yes is none."""
    incident = asking(receiver, expires_in=-1.0)
    answer = decide(receiver, incident, APPROVE)
    assert (answer.status_code, "expired" in answer.json()["error"]) == (409, True)


def test_of_fifty_decisions_one_counts(receiver: Receiver) -> None:
    """However many are sent at once, one is 200, and the others are told that it was decided."""
    incident = asking(receiver)
    answers = at_once(50, lambda _: decide(receiver, incident, APPROVE).status_code)
    assert sorted(set(answers)) in ([200, 409], [200, 409, 503])  # 503: the journal was busy for too long
    told = Counter(record["decision"] for record in receiver.audited())
    assert (answers.count(200), told["approved"]) == (1, 1)
    assert told.keys() <= {"approved", "approve:refused"}


@pytest.mark.parametrize("incident", ["nothing", "%00", "a%2Fb", "..%2F..", "x" * 5000])
def test_an_unknown_incident_is_404(receiver: Receiver, incident: str) -> None:
    """There is nothing to decide where there is no incident."""
    assert decide(receiver, incident, APPROVE).status_code == 404


def test_an_incident_that_asks_nothing_is_409(receiver: Receiver) -> None:
    """Without a question there is no answer."""
    begin(receiver.database, now=time.time())
    (incident,) = receiver.get("/api/v1/incidents", Authorization=VIEWER).json()["incidents"]
    answer = decide(receiver, incident["id"], APPROVE)
    assert (answer.status_code, "asks nobody" in answer.json()["error"]) == (409, True)


def test_reading_decides_nothing(receiver: Receiver) -> None:
    """A hundred GETs, and whatever method is no POST, leave the question open."""
    incident = asking(receiver)
    for _ in range(100):
        receiver.get(f"/api/v1/incidents/{incident}", Authorization=OPERATOR)
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"):
        receiver.request(method, f"/api/v1/incidents/{incident}/decision", {"Authorization": OPERATOR})
    assert state(receiver, incident) == ApprovalState.PENDING


def test_without_a_record_nothing_is_decided(receiver: Receiver) -> None:
    """Where the audit trail cannot be written it is 503, and the question stays open."""
    incident = asking(receiver)
    (receiver.directory / "audit-trail.jsonl").mkdir()
    assert decide(receiver, incident, APPROVE).status_code == 503
    assert state(receiver, incident) == ApprovalState.PENDING


def test_a_viewer_reads_what_the_agent_may_do(receiver: Receiver) -> None:
    """The level with who has set it, and what branches have earned; of what is not configured there is nothing."""
    path = "/api/v1/deployments/{}/autonomy"
    shown = receiver.get(path.format("qrl"), Authorization=VIEWER)
    assert (shown.status_code, shown.json()) == (
        200,
        {
            "autonomy": "L3",
            "autonomy_configured": "L3",
            "autonomy_set_by": None,
            "autonomy_set_at": None,
            "earned_autonomy": None,
        },
    )
    assert receiver.get(path.format("nobody"), Authorization=VIEWER).status_code == 404
    assert receiver.get(path.format("qrl"), Authorization=BEARER).status_code == 403
