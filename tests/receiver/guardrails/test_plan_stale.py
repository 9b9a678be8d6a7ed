"""A plan is for the release that was live when it was made, and for no other."""

from __future__ import annotations

from receiver.guardrails.checklist import refusals
from receiver.guardrails.plan_stale import plan_stale
from receiver.model import Refusal
from tests.receiver.guardrails.builders import Surroundings, facts


def test_refuses_when_another_release_went_live() -> None:
    """A deploy between plan and execution makes it refuse, it alone, and it names both releases."""
    said_no = refusals(facts(live_release="r3"))
    assert said_no == (Refusal("plan_stale", "r3 is live now, not r2 as planned"),)


def test_allows_while_the_planned_release_is_live() -> None:
    """The plan's own live release is the one it may leave."""
    assert plan_stale(facts()) is None


def test_unreadable_live_release_refuses() -> None:
    """Where the live release is not known it refuses and passes the reason on."""
    said_no = refusals(facts(live_release=None, live_release_unknown="current: is gone"))
    assert Refusal("plan_stale", "the live release cannot be read: current: is gone") in said_no


def test_live_release_is_read_from_the_target(surroundings: Surroundings) -> None:
    """A link that was removed or points outside is no live release."""
    assert refusals(surroundings.read()) == ()
    current = surroundings.app / "current"
    current.unlink()
    assert "plan_stale" in [refusal.guardrail for refusal in refusals(surroundings.read())]
    current.symlink_to("/etc")
    assert "plan_stale" in [refusal.guardrail for refusal in refusals(surroundings.read())]
