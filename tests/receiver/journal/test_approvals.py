"""A plan is decided once, in time, by someone who knows which plan it is."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from receiver.journal import approvals, escalations, runs
from receiver.journal.approvals import Approval, ApprovalState, Voter
from receiver.journal.database import Database
from receiver.model import SHORT_HASH, EscalationReason
from tests.receiver.journal.rows import NOW, PLAN, at_once, claim, claimed, contents

EXPIRES = NOW + 900
SHORT = PLAN.hash[:SHORT_HASH]


def test_an_approval_holds_the_plan_that_is_asked_about(database: Database) -> None:
    """What is put to a person is stored with its whole plan, that plan's hash, and when it expires."""
    approval = asked(database)

    assert (approval.plan_hash, approval.state) == (PLAN.hash, ApprovalState.PENDING)
    assert (approval.opened_at, approval.expires_at, approval.decided_by) == (NOW, EXPIRES, None)
    (row,) = contents(database)["approval"]
    assert json.loads(row[2]) == json.loads(json.dumps(asdict(PLAN)))


def test_a_run_asks_once(database: Database) -> None:
    """Asking again, with a later end or another plan, returns the first approval as it was (T13)."""
    run = claimed(database)
    with database.write() as tx:
        first = approvals.ask(tx, run, PLAN, NOW, EXPIRES)
        again = approvals.ask(tx, run, replace(PLAN, target_release="r0"), NOW + 5, EXPIRES + 5)

    assert again == first


def test_fifty_approvals_at_once_decide_once(database: Database) -> None:
    """However many people approve in the same moment, one of them decides (T18)."""
    approval = asked(database)

    answers = at_once(50, lambda number: decide(database, approval, person=f"person {number}"))

    assert answers.count(True) == 1
    assert current(database, approval).decided_by == f"person {answers.index(True)}"


def test_fifty_approvals_at_once_of_which_two_are_needed(database: Database) -> None:
    """Of fifty people in the same moment two are counted: neither is lost, and none is too many."""
    approval = asked(database, need=2)

    answers = at_once(50, lambda number: decide(database, approval, person=f"person {number}"))

    found = current(database, approval)
    assert (answers.count(True), found.state) == (2, ApprovalState.APPROVED)
    assert set(found.voters) == {f"person {number}" for number, counted in enumerate(answers) if counted}
    assert found.decided_by == " and ".join(found.voters)


def test_one_person_fifty_times_at_once_is_one(database: Database) -> None:
    """However often the same person approves, they are one of two."""
    approval = asked(database, need=2)

    assert at_once(50, lambda _: decide(database, approval, person="ada")).count(True) == 1
    assert (current(database, approval).state, current(database, approval).voters) == (ApprovalState.PENDING, ("ada",))


def test_approve_and_deny_at_once_decide_once(database: Database) -> None:
    """Of people who contradict each other in the same moment one decides, and the state is theirs."""
    approval = asked(database)
    states = (ApprovalState.APPROVED, ApprovalState.DENIED)

    answers = at_once(20, lambda number: decide(database, approval, states[number % 2]))

    assert answers.count(True) == 1
    assert current(database, approval).state is states[answers.index(True) % 2]


@pytest.mark.parametrize("late", [EXPIRES, EXPIRES + 1])
@pytest.mark.parametrize("state", [ApprovalState.APPROVED, ApprovalState.DENIED])
def test_an_expired_approval_cannot_be_decided(database: Database, state: ApprovalState, late: float) -> None:
    """From the moment it expires neither yes nor no counts (T18)."""
    approval = asked(database)

    assert not decide(database, approval, state, now=late)
    assert current(database, approval) == approval
    assert decide(database, approval, state, now=EXPIRES - 0.001)


@pytest.mark.parametrize(
    "offered",
    [
        "",
        PLAN.hash[: SHORT_HASH - 1],
        "0" * SHORT_HASH,
        PLAN.hash[1 : SHORT_HASH + 1],
        PLAN.hash + "0",
        SHORT.replace(SHORT[0], "%"),
        "_" * SHORT_HASH,
    ],
)
def test_without_the_plans_hash_nothing_is_approved(database: Database, offered: str) -> None:
    """Too little of the hash, another hash, or a pattern that would match any is no approval (T18)."""
    approval = asked(database)

    assert not decide(database, approval, offered=offered)
    assert current(database, approval) == approval


@pytest.mark.parametrize("length", [SHORT_HASH, 20, 64])
def test_the_beginning_of_the_hash_is_enough(database: Database, length: int) -> None:
    """Eight characters of the hash or more approve."""
    assert decide(database, asked(database), offered=PLAN.hash[:length])


def test_denied_stays_denied(database: Database) -> None:
    """A "no" needs no hash, keeps its person and comment, and cannot be turned into a "yes"."""
    approval = asked(database)

    assert decide(database, approval, ApprovalState.DENIED, "ada", comment="not now")
    assert not decide(database, approval, ApprovalState.APPROVED, "bob", now=NOW + 2)

    found = current(database, approval)
    assert (found.state, found.decided_by, found.comment) == (ApprovalState.DENIED, "ada", "not now")


@pytest.mark.parametrize("ending", [ApprovalState.EXPIRED, ApprovalState.WITHDRAWN])
def test_what_has_ended_cannot_be_decided(database: Database, ending: ApprovalState) -> None:
    """An approval that expired or was withdrawn ends once, and a later answer does not count."""
    approval = asked(database)
    with database.write() as tx:
        assert approvals.end(tx, approval, ending, NOW + 1)
        assert not approvals.end(tx, approval, ApprovalState.EXPIRED, NOW + 2)

    assert not decide(database, approval, now=NOW + 3)
    assert current(database, approval).state is ending


def test_what_was_decided_cannot_expire(database: Database) -> None:
    """An answer that was given in time is not taken back by the clock."""
    approval = asked(database)
    assert decide(database, approval)

    with database.write() as tx:
        assert not approvals.end(tx, approval, ApprovalState.EXPIRED, EXPIRES)
    assert current(database, approval).state is ApprovalState.APPROVED


def test_the_answer_wakes_the_run(database: Database) -> None:
    """The run that waits for the answer is due as soon as it is given."""
    run = claimed(database)
    with database.write() as tx:
        approval = approvals.ask(tx, run, PLAN, NOW, EXPIRES)
        runs.wait(tx, run, NOW + 50)
    assert claim(database, NOW + 1) is None

    decide(database, approval, now=NOW + 1)

    assert claim(database, NOW + 1) is not None


@pytest.mark.parametrize("decided", [True, False])
def test_the_end_of_a_question_answers_what_it_raised(database: Database, decided: bool) -> None:
    """An escalation of the run that asked is closed with the answer or the end, and other runs' stay open."""
    approval, other = asked(database), claimed(database, "shop")
    with database.write() as tx:
        for run, deployment in ((approval.run, "qrl"), (other.id, "shop")):
            escalations.open_one(tx, deployment, EscalationReason.LOW_CONFIDENCE, "confirm it", NOW, run=run)
    if decided:
        decide(database, approval)
    else:
        with database.write() as tx:
            approvals.end(tx, approval, ApprovalState.EXPIRED, NOW + 1)

    with database.read() as tx:
        found = {one.deployment: one for one in escalations.find(tx)}
    mine, theirs = found["qrl"], found["shop"]
    assert (mine.answered_by, mine.answer) == (("ada", "approved") if decided else ("rollback-agent", "expired"))
    assert theirs.answered_at is None


def asked(database: Database, need: int = 1) -> Approval:
    """The pending approval of a new run."""
    run = claimed(database)
    with database.write() as tx:
        return approvals.ask(tx, run, PLAN, NOW, EXPIRES, need)


def current(database: Database, approval: Approval) -> Approval:
    """The approval as the journal has it now."""
    with database.read() as tx:
        found = approvals.of_run(tx, approval.run)
    assert found is not None
    return found


def decide(
    database: Database,
    approval: Approval,
    state: ApprovalState = ApprovalState.APPROVED,
    person: str = "ada",
    *,
    now: float = NOW + 1,
    offered: str = SHORT,
    comment: str = "",
) -> bool:
    with database.write() as tx:
        if state is ApprovalState.DENIED:
            return approvals.deny(tx, approval, now, person, comment)
        return bool(approvals.approve(tx, approval, now, Voter(person, "page"), offered, comment))
