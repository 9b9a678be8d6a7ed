"""Reviews stand for themselves, can be corrected, and make the catalogue of failure patterns, on both databases."""

from __future__ import annotations

import sqlalchemy as sa

from receiver.journal import incidents, reviews, tables
from receiver.journal.database import Database
from receiver.model import Found
from tests.receiver.journal.rows import NOW, begin
from tests.receiver.learning.reviewed import AT, review


def test_a_review_comes_back_as_it_was_given(database: Database) -> None:
    """Of an incident and of a missed one, with every word and number."""
    given = (review(1), review(2, incident=None, confidence=None, decided_at=None, pattern=None, features=frozenset()))
    with database.write() as tx:
        for one in given:
            reviews.put(tx, one)
    with database.read() as tx:
        assert set(reviews.find(tx)) == set(given)
        assert reviews.find(tx, "shop") == ()
        assert reviews.of_incident(tx, "incident-1") == given[0]
        assert reviews.of_incident(tx, "incident-2") is None


def test_a_second_review_replaces_the_first(database: Database) -> None:
    """An incident has one review; missed incidents are as many as were entered."""
    with database.write() as tx:
        for number in (1, 2):
            reviews.put(tx, review(number, incident="the-same", cause=f"cause {number}"))
            reviews.put(tx, review(number + 10, incident=None))
    with database.read() as tx:
        assert [one.id for one in reviews.find(tx)] == ["review-12", "review-11", "review-2"]


def test_what_waits_for_a_review_is_closed_and_has_none(database: Database) -> None:
    """An open incident is not over; a reviewed one is done."""
    runs = [begin(database, name) for name in ("qrl", "shop", "idle")]
    with database.write() as tx:
        ids = [incidents.of_run(tx, run) for run in runs]
        for incident in ids[:2]:
            incidents.close(tx, incident, NOW)
        reviews.put(tx, review(incident=ids[1], deployment="shop"))
    with database.read() as tx:
        assert reviews.unreviewed(tx) == {"qrl": [ids[0]]}


def test_every_incident_is_told_with_its_review(database: Database) -> None:
    """What waits for one, what was removed since, and what the agent had missed; and what only the review remembers."""
    runs = [begin(database, name) for name in ("qrl", "shop")]
    with database.write() as tx:
        open_, closed = (incidents.of_run(tx, run) for run in runs)
        incidents.close(tx, closed, NOW + 60)
        tx.execute(
            sa.insert(tables.removed_incident).values(
                id="old", deployment="qrl", opened_at=1.0, closed_at=2.0, removed_at=3.0, runs="[]"
            )
        )
        kept = [
            review(1, incident=closed, deployment="shop"),
            review(2, incident="old"),
            review(3, incident=None, ended_at=AT + 500),
            review(4, incident="forgotten"),
        ]
        for one in kept:
            reviews.put(tx, one)
    with database.read() as tx:
        found = {one.incident: one for one in reviews.occurrences(tx)}
    assert {key: one.review for key, one in found.items()} == {
        open_: None, closed: kept[0], "old": kept[1], None: kept[2], "forgotten": kept[3],
    }  # fmt: skip
    assert (found[open_].closed_at, found[closed].closed_at) == (None, NOW + 60)
    assert (found["old"].opened_at, found["old"].closed_at) == (1.0, 2.0)
    assert (found["forgotten"].opened_at, found[None].deployment) == (None, "qrl")


def test_patterns_grow_from_reviews(database: Database) -> None:
    """Each with how often it was seen, when last, what all of it shows, and every cause once."""
    with database.write() as tx:
        reviews.put(tx, review(1))
        reviews.put(tx, review(2, began_at=AT + 500, features=frozenset({"branch service_down", "service gradio"})))
        reviews.put(tx, review(3, pattern="leak", cause="a leak", necessary=Found.NO))
        reviews.put(tx, review(4, pattern=None))
    with database.read() as tx:
        typo, leak = reviews.patterns(tx)
    assert (typo.name, typo.seen, typo.rollbacks_necessary, typo.last_at) == ("typo", 2, 2, AT + 500)
    assert (typo.features, typo.causes) == (("branch service_down",), ("a typing error",))
    assert (leak.name, leak.rollbacks_necessary) == ("leak", 0)


def test_judgements_go_with_their_run(database: Database) -> None:
    """Whoever forgets a run forgets what it judged; a review stays."""
    run = begin(database)
    with database.write() as tx:
        row = {"run": run, "phase": "guard", "kind": "guarded", "judged_at": NOW, "facts": "{}", "answer": "[]"}
        tx.execute(sa.insert(tables.judgement).values(row))
        reviews.put(tx, review(1))
        tx.execute(sa.delete(tables.run).where(tables.run.c.id == run))
    with database.read() as tx:
        assert tx.execute(sa.select(tables.judgement)).all() == []
        assert len(reviews.find(tx)) == 1
