"""Each guardrail's "no" is kept and counted once for each phase in which it was given."""

from __future__ import annotations

from receiver.journal import refusals
from receiver.journal.database import Database
from receiver.model import Refusal, Run
from tests.receiver.journal.rows import NOW, claimed, contents, counted

COOLDOWN, LATCHED = Refusal("cooldown", "too soon", NOW + 60), Refusal("latched", "a person must clear it")


def test_a_refusal_keeps_who_why_and_when_to_retry(database: Database) -> None:
    """All refusals of a phase are kept with their reasons, and the moment from which it is worth asking again."""
    run = claimed(database)
    record(database, run, "guard", COOLDOWN, LATCHED)

    assert contents(database)["refusal"] == [
        (run.id, "guard", "cooldown", "qrl", "too soon", NOW + 60, NOW),
        (run.id, "guard", "latched", "qrl", "a person must clear it", None, NOW),
    ]


def test_a_phase_that_is_repeated_counts_its_refusals_once(database: Database) -> None:
    """A phase that was interrupted and asks again counts once; the same "no" in a later phase counts again."""
    run = claimed(database)
    record(database, run, "guard", COOLDOWN)
    record(database, run, "guard", COOLDOWN)
    record(database, run, "claim", COOLDOWN)

    assert counted(database, "refusals") == [({"deployment": "qrl", "guardrail": "cooldown"}, 2)]


def record(database: Database, run: Run, phase: str, *said_no: Refusal) -> None:
    with database.write() as tx:
        refusals.record(tx, run, phase, said_no, NOW)
