"""Refuses while a transaction is open in a database of the deployment."""

from __future__ import annotations

from receiver.guardrails.facts import Facts
from receiver.model import Refusal

_TOLD = 5


def pending_transactions(facts: Facts) -> Refusal | None:
    """No transaction that has written may have been open for longer than 5 s (configurable)."""
    if facts.transactions is None:
        reason = f"it is not known whether a transaction is open: {facts.transactions_unknown}"
        return Refusal("pending_transactions", reason)
    if not facts.transactions:
        return None
    more = len(facts.transactions) - _TOLD
    told = "; ".join(facts.transactions[:_TOLD]) + (f"; and {more} more" if more > 0 else "")
    return Refusal("pending_transactions", told)
