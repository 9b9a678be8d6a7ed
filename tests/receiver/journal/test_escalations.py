"""A human is asked once for each reason, and answers once."""

from __future__ import annotations

from receiver.journal import escalations
from receiver.journal.database import Database
from receiver.journal.escalations import MOST_OPEN, Escalation
from receiver.model import EscalationReason, Run
from tests.receiver.journal.rows import NOW, at_once, claimed, counted

FAILED, LIMIT = EscalationReason.ROLLBACK_FAILED, EscalationReason.LIMIT_REACHED


def test_a_run_asks_once_for_each_reason(database: Database) -> None:
    """The same reason in the same run is one escalation and counts once; another reason is another."""
    run = claimed(database)
    for reason in (FAILED, FAILED, LIMIT):
        raise_in(database, run, reason)

    assert [one.reason for one in find(database)] == [FAILED, LIMIT]
    assert sorted(counted(database, "escalations"), key=str) == [
        ({"deployment": "qrl", "reason": "limit_reached"}, 1),
        ({"deployment": "qrl", "reason": "rollback_failed"}, 1),
    ]


def test_runs_ask_for_themselves(database: Database) -> None:
    """The same reason in another run asks again."""
    raise_in(database, claimed(database, "qrl"), FAILED)
    raise_in(database, claimed(database, "shop"), FAILED)

    assert [one.deployment for one in find(database)] == ["qrl", "shop"]


def test_outside_a_run_the_same_question_is_asked_once_while_it_is_open(database: Database) -> None:
    """An unknown alert that keeps coming is one escalation until it is answered, then another."""
    ask(database, "alert Odd")
    ask(database, "alert Odd")
    ask(database, "alert Other")
    (odd, _) = find(database)
    assert answer(database, odd)
    ask(database, "alert Odd")

    assert [one.summary for one in find(database, only_open=True)] == ["alert Other", "alert Odd"]


def test_an_escalation_says_why_and_since_when(database: Database) -> None:
    """It is open, and carries its run, incident, reason and summary."""
    run = claimed(database)
    raise_in(database, run, FAILED)

    (found,) = find(database)

    assert (found.run, found.incident, found.deployment) == (run.id, run.incident, "qrl")
    assert (found.reason, found.summary, found.opened_at) == (FAILED, "it did not work", NOW)
    assert (found.answered_at, found.answered_by, found.answer) == (None, None, None)


def test_of_many_answers_one_counts(database: Database) -> None:
    """Of people who answer in the same moment one is told that the answer counts, and it is the one that is kept."""
    ask(database, "alert Odd")
    (odd,) = find(database)

    counted_answers = at_once(20, lambda number: answer(database, odd, f"person {number}"))

    assert counted_answers.count(True) == 1
    (found,) = find(database)
    assert found.answered_by == f"person {counted_answers.index(True)}"
    assert (found.answer, found.comment, found.answered_at) == ("retry", "go on", NOW + 1)
    assert find(database, only_open=True) == ()


def test_there_is_nothing_to_answer_at_an_unknown_id(database: Database) -> None:
    """An answer to an escalation that does not exist does not count."""
    with database.write() as tx:
        assert not escalations.answer(tx, "nothing", NOW, "ada", escalations.DONE, "")


def test_escalations_are_found_by_incident_and_by_id(database: Database) -> None:
    """Of all escalations those of one incident, or the one of an id, can be had."""
    run = claimed(database)
    raise_in(database, run, FAILED)
    ask(database, "alert Odd")
    mine, other = find(database)

    with database.read() as tx:
        assert escalations.find(tx, incident=run.incident) == (mine,)
        assert escalations.find(tx, escalation=other.id) == (other,)


def raise_in(database: Database, run: Run, reason: EscalationReason) -> None:
    with database.write() as tx:
        escalations.open_one(tx, run.deployment, reason, "it did not work", NOW, incident=run.incident, run=run.id)


def ask(database: Database, summary: str) -> None:
    """Escalate outside of a run."""
    with database.write() as tx:
        escalations.open_one(tx, "unknown", EscalationReason.UNKNOWN_PATTERN, summary, NOW + len(find(database)))


def find(database: Database, only_open: bool = False) -> tuple[Escalation, ...]:
    with database.read() as tx:
        return escalations.find(tx, only_open=only_open)


def answer(database: Database, escalation: Escalation, person: str = "ada") -> bool:
    with database.write() as tx:
        return escalations.answer(tx, escalation.id, NOW + 1, person, escalations.RETRY, "go on")


def test_what_is_open_is_told_again_and_again(database: Database) -> None:
    """One that was never told is due at once and first; one that was told is due again after its time."""
    ask(database, "alert Odd")
    ask(database, "alert Other")
    odd, other = find(database)
    raised(database, odd, NOW + 10)

    assert to_tell(database, NOW + 29) == [other.id]
    assert to_tell(database, NOW + 30) == [other.id, odd.id]


def test_a_clock_that_is_set_back_makes_nobody_wait(database: Database) -> None:
    """What was told or answered in the future is due now."""
    ask(database, "alert Odd")
    (odd,) = find(database)
    raised(database, odd, NOW + 3600)
    assert to_tell(database, NOW) == [odd.id]

    raised(database, odd, NOW)
    assert answer(database, odd)
    assert to_tell(database, NOW - 3600) == [odd.id]


def test_the_end_is_told_once_and_not_at_once(database: Database) -> None:
    """After its answer an escalation is quiet for the lingering, then its end is due until it was taken."""
    ask(database, "alert Odd")
    (odd,) = find(database)
    raised(database, odd, NOW)
    assert answer(database, odd)

    assert to_tell(database, NOW + 30) == []
    assert to_tell(database, NOW + 31) == [odd.id]
    with database.write() as tx:
        escalations.lowered(tx, odd.id, NOW + 31)
    assert to_tell(database, NOW + 60) == []


def test_what_was_never_told_has_no_end_to_tell(database: Database) -> None:
    """Nobody is told of what was answered before anybody heard of it."""
    ask(database, "alert Odd")
    (odd,) = find(database)
    assert answer(database, odd)

    assert to_tell(database, NOW + 3600) == []


def test_one_that_is_told_again_after_its_end_is_ended_again(database: Database) -> None:
    """A replica that was slower than a person's answer leaves no alert behind that nobody ends."""
    ask(database, "alert Odd")
    (odd,) = find(database)
    raised(database, odd, NOW)
    assert answer(database, odd)
    with database.write() as tx:
        escalations.lowered(tx, odd.id, NOW + 31)

    raised(database, odd, NOW + 32)

    assert to_tell(database, NOW + 33) == [odd.id]


def test_of_many_that_wait_no_more_is_read_than_is_looked_at(database: Database) -> None:
    """One is told at a time, so a thousand that wait must not be read a thousand times."""
    ask(database, "alert Odd")
    ask(database, "alert Other")
    with database.read() as tx:
        waiting = escalations.to_tell(tx, NOW, 20.0, 30.0)
        assert next(waiting).summary == "alert Odd"
        assert [one.summary for one in waiting] == ["alert Other"]


def raised(database: Database, escalation: Escalation, at: float) -> None:
    with database.write() as tx:
        escalations.raised(tx, escalation.id, at)


def to_tell(database: Database, now: float) -> list[str]:
    """Of what Alertmanager is told now, with twenty seconds between two times and thirty after an answer."""
    with database.read() as tx:
        return [one.id for one in escalations.to_tell(tx, now, 20.0, 30.0)]


def test_many_odd_questions_are_a_bounded_number_of_calls(database: Database) -> None:
    """Outside of runs twenty wait at once, and one that tells of the others; answered, there is room again (T13)."""
    with database.write() as tx:
        for number in range(1000):
            escalations.open_one(tx, "unknown", EscalationReason.UNKNOWN_PATTERN, f"alert {number}", NOW + number)
        found = escalations.find(tx, only_open=True)
        assert len(found) == MOST_OPEN + 1
        assert found[-1].summary.startswith("more than 20 questions like these are open")

        for one in found:
            escalations.answer(tx, one.id, NOW + 2000, "ada", "done", "")
        escalations.open_one(tx, "unknown", EscalationReason.UNKNOWN_PATTERN, "alert 1000", NOW + 2001)
        assert [one.summary for one in escalations.find(tx, only_open=True)] == ["alert 1000"]
