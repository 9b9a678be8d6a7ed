"""Makes reviews, as people would have given them."""

from __future__ import annotations

from typing import Any

from receiver.journal.reviews import Review
from receiver.model import Found

AT = 1_780_000_000.0


def review(number: int = 1, **changes: Any) -> Review:
    """A necessary rollback of `service_down` that the agent decided 20 s after the fault began."""
    values: dict[str, Any] = {
        "id": f"review-{number}",
        "incident": f"incident-{number}",
        "deployment": "qrl",
        "branch": "service_down",
        "decided_rollback": True,
        "confidence": 0.99,
        "decided_at": AT + 20,
        "began_at": AT,
        "noticed_at": AT + 200,
        "ended_at": None,
        "necessary": Found.YES,
        "level_right": Found.YES,
        "hotfix_possible": Found.NO,
        "cause": "a typing error",
        "pattern": "typo",
        "features": frozenset({"branch service_down", "service flask"}),
        "reviewed_at": AT + 1000 + number,
        "reviewed_by": "ada",
    }
    return Review(**values | changes)
