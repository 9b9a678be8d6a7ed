"""The page tells why the newest run decided as it did, and stays silent where nothing was kept."""

from __future__ import annotations

import sqlalchemy as sa

from receiver.journal import tables
from receiver.journal.approvals import ApprovalState
from receiver.rules.groups import Group
from tests.receiver.surroundings import ToldTree
from tests.receiver.tree.builders import alert, branch, series
from tests.receiver.web.served import Page

HOSTILE = "<script>alert(1)</script>"


def test_an_incident_tells_why(page: Page) -> None:
    """The path with values and limits, what would have changed it, and what the guardrails said at each asking."""
    tree = page.agent.world.tree
    assert isinstance(tree, ToldTree)
    rules = (
        branch("service_down", 1, "availability < 0.5", alert("firing", 1)),
        branch(HOSTILE, 2, "errors > 0.1"),
    )
    tree.groups = (Group("tree", rules, 10.0, page.agent.clock()),)
    tree.values = {"availability": (series(0.25),), "errors": (series(0.01, service=HOSTILE),)}
    page.agent.go()
    page.agent.decide(ApprovalState.APPROVED)
    page.agent.work()
    with page.agent.database.read() as tx:
        incident = tx.execute(sa.select(tables.incident.c.id)).scalar_one()

    answer = page.visitor("carol").get(f"/incidents/{incident}").text
    shown = page.visitor("carol").text(f"/incidents/{incident}")

    for part in (
        "Why, and what would have changed it",
        "availability was 0.25: at 0.5 or more, nothing would have fired.",
        "1 service down 0.25 < 0.5 firing, decides",
        "Guardrails, asked in guard",
        "Guardrails, asked in execute",
        "all allow it",
        "the same answers, bit for bit",
    ):
        assert part in shown, part
    assert HOSTILE not in answer

    with page.agent.database.write() as tx:
        older = tx.execute(sa.select(tables.judgement)).all()
        tx.execute(sa.delete(tables.judgement))
    assert "Why, and what" not in page.visitor("carol").text(f"/incidents/{incident}")
    assert len(older) == 5
