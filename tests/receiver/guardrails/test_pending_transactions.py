"""What is in the middle of a transaction is not broken off."""

from __future__ import annotations

import pytest

from receiver.errors import TransactionsError
from receiver.guardrails.checklist import refusals
from receiver.guardrails.pending_transactions import pending_transactions
from receiver.model import Refusal, Trigger
from tests.receiver.guardrails.builders import Surroundings, facts

OPEN = "qrl.db: it has been locked by a transaction for 5 s"


@pytest.mark.parametrize("trigger", list(Trigger))
def test_refuses_while_one_is_open(trigger: Trigger) -> None:
    """It alone refuses, a rollback by hand too, and names each that is open."""
    said_no = refusals(facts(transactions=(OPEN, "another"), trigger=trigger))
    assert said_no == (Refusal("pending_transactions", f"{OPEN}; another"),)


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, "; and 1 more"), (100, "; and 95 more")])
def test_of_very_many_the_first_are_told(count: int, more: str) -> None:
    """A hundred open transactions are five sentences and a number; of five nothing is left out."""
    found = pending_transactions(facts(transactions=tuple(map(str, range(count)))))
    assert found == Refusal("pending_transactions", f"0; 1; 2; 3; 4{more}")


def test_allows_when_none_is_open() -> None:
    """Without one it has nothing to say."""
    assert pending_transactions(facts()) is None


def test_unknown_refuses() -> None:
    """Not knowing refuses, it alone, with the reason."""
    said_no = refusals(facts(transactions=None, transactions_unknown="PostgreSQL cannot be asked"))
    reason = "it is not known whether a transaction is open: PostgreSQL cannot be asked"
    assert said_no == (Refusal("pending_transactions", reason),)


def test_the_databases_are_asked_anew(surroundings: Surroundings) -> None:
    """Each look asks every database again; one that cannot be asked leaves it unknown."""
    assert refusals(surroundings.read()) == ()
    surroundings.transactions.open = (OPEN,)
    assert [refusal.guardrail for refusal in refusals(surroundings.read())] == ["pending_transactions"]
    surroundings.transactions.error = TransactionsError("qrl.db: file is not a database")
    assert surroundings.read().transactions_unknown == "qrl.db: file is not a database"
