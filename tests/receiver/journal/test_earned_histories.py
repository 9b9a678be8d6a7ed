"""Whatever is reviewed and however runs end, in any order: the level is what a plain reading of the rule says."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from receiver import earned
from receiver.journal import earned as rows
from receiver.journal import escalations, reviews, tables
from receiver.journal.database import Database
from receiver.journal.reviews import Review
from receiver.learning.earned import GONE_WRONG
from receiver.model import Autonomy, Found, Result, Run, Stop, Trigger
from tests.receiver.earning import EARNS, NEEDED
from tests.receiver.journal.rows import FINDINGS
from tests.receiver.learning.reviewed import AT, review
from tests.receiver.surroundings import configuration

CONFIG = configuration(Path("/nowhere"), **EARNS)
ANSWERS = {
    "approved": {"approved_success": True},
    "right": {},
    "needless": {"necessary": Found.NO},
    "wrong level": {"level_right": Found.NO, "approved_success": True},
    "unsure": {"necessary": Found.UNSURE, "approved_success": True},
}
WRONG = {"needless", "wrong level"}
REVIEWED = st.tuples(st.just("review"), st.sampled_from((*ANSWERS, "approved", "approved", "approved")))
CORRECTED = st.tuples(st.just("correct"), st.sampled_from(tuple(ANSWERS)))
ENDED = st.tuples(st.just("end"), st.sampled_from((Result.RESTORED, Result.DENIED, *sorted(GONE_WRONG))))
CLOCK = st.tuples(st.just("clock"), st.sampled_from(("back", "forth")))


@cache
def low(right: int, of: int) -> float:
    """The lower end of Wilson's interval, by SciPy."""
    return float(binomtest(right, of).proportion_ci(method="wilson").low) if of else 0.0


class Plain:
    """The rule, as the page tells it."""

    def __init__(self) -> None:
        self.is_l4 = False
        self.changes = 0
        self.counted: dict[int, str] = {}

    def review(self, incident: int, answer: str, is_new: bool) -> None:
        """Somebody has said what an incident was."""
        if not is_new and incident not in self.counted:
            return  # it was decided before something went wrong
        was, self.counted[incident] = self.counted.get(incident), answer
        if self.is_l4 and answer in WRONG and was not in WRONG:
            self._begin_anew()
        self._settle()

    def end(self, result: Result) -> None:
        """A run has ended."""
        if result in GONE_WRONG:
            self._begin_anew()

    def _begin_anew(self) -> None:
        self.changes += self.is_l4
        self.is_l4, self.counted = False, {}

    def _settle(self) -> None:
        answers = list(self.counted.values())
        right = answers.count("approved") + answers.count("right")
        reviewed = right + sum(one in WRONG for one in answers)
        enough = answers.count("approved") >= NEEDED.approved and low(right, reviewed) >= NEEDED.precision
        self.changes += enough is not self.is_l4
        self.is_l4 = enough


class Journaled:
    """The same in a journal, in a transaction that is never committed, with a clock and an audit trail of its own."""

    def __init__(self, tx: sa.Connection) -> None:
        self.tx = tx
        self.now = AT
        self.taken: list[Review] = []
        self.recorded: list[str] = []
        for table in (tables.review, tables.earned_autonomy, tables.escalation):
            tx.execute(sa.delete(table))

    def record(self, decision: str, *_: object, **__: object) -> None:
        """A record of the audit trail."""
        self.recorded.append(decision)

    def review(self, number: int, answer: str) -> None:
        """A review of a new incident, or of one of before."""
        before = self.taken[number] if number < len(self.taken) else None
        decided_at = before.decided_at if before else self.now
        one = review(number, decided_at=decided_at, reviewed_at=self.now, **ANSWERS[answer])
        self.taken[number:] = [one, *self.taken[number + 1 :]]
        reviews.put(self.tx, one)
        earned.review_taken(self.tx, self, CONFIG, one, before, self.now)

    def end(self, result: Result) -> None:
        """The end of a run of the branch."""
        run = Run("run", "incident", "qrl", Trigger.ALERT, None, None, self.now, None, 1, 1, 0)
        earned.run_ended(self.tx, self, run, Stop(result, "so it ended", FINDINGS), self.now)

    def stands(self) -> tuple[bool, int, int, int]:
        """Whether the next run goes ahead; how often that has changed, a human was told of it, and it was recorded."""
        level = earned.in_force(self.tx, CONFIG, "qrl", "service_down").level
        changes = rows.of_branch(self.tx, "qrl", "service_down").changes
        return level is Autonomy.L4, changes, len(escalations.find(self.tx)), len(self.recorded)


@pytest.fixture
def tx(database: Database) -> Iterator[sa.Connection]:
    """A transaction on each kind of database."""
    with database.engine.connect() as connection:
        yield connection


def test_the_level_is_what_the_rule_says(tx: sa.Connection) -> None:
    """In any history, after each event; each change is told and recorded once."""

    @settings(max_examples=40)
    @given(st.lists(st.one_of(REVIEWED, REVIEWED, REVIEWED, CORRECTED, ENDED), max_size=16))
    def play(events: list[tuple[str, str]]) -> None:
        plain, here = Plain(), Journaled(tx)
        for step, (kind, what) in zip(count(1), events, strict=False):
            here.now += 10
            if kind == "end":
                plain.end(Result(what))
                here.end(Result(what))
            elif kind == "review" or here.taken:
                is_new = kind == "review"
                number = len(here.taken) if is_new else step % len(here.taken)
                plain.review(number, what, is_new)
                here.review(number, what)
            assert here.stands() == (plain.is_l4, plain.changes, plain.changes, plain.changes)

    play()


def test_no_clock_lets_a_branch_rise_that_has_not_earned_it(tx: sa.Connection) -> None:
    """Set back or forth an hour at any moment: at L4 it has the approved ones since something last went wrong."""

    @settings(max_examples=40)
    @given(st.lists(st.one_of(REVIEWED, REVIEWED, REVIEWED, ENDED, CLOCK), max_size=16))
    @example([*3 * [("review", "approved")], ("clock", "back"), ("end", "worse"), ("review", "approved")])
    def play(events: list[tuple[str, str]]) -> None:
        here, since = Journaled(tx), 0
        for kind, what in events:
            here.now += 10
            if kind == "clock":
                here.now += 3600 if what == "forth" else -3600
                continue
            was_l4 = here.stands()[0]
            if kind == "end":
                here.end(Result(what))
            else:
                here.review(len(here.taken), what)
            if (kind == "end" and what in GONE_WRONG) or (was_l4 and what in WRONG):
                since = len(here.taken)
            is_l4 = here.stands()[0]
            assert not is_l4 or sum(one.approved_success for one in here.taken[since:]) >= NEEDED.approved

    play()
