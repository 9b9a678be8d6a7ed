"""Nobody goes back behind a migration that cannot be undone."""

from __future__ import annotations

import pytest

from receiver.errors import JournalError
from receiver.guardrails.checklist import refusals
from receiver.guardrails.irreversible_migration import irreversible_migration
from receiver.journal import releases
from receiver.journal.releases import Migration
from receiver.model import Refusal, Release, Trigger
from tests.receiver.guardrails.builders import NOW, Surroundings, facts


@pytest.mark.parametrize("trigger", list(Trigger))
def test_refuses_behind_an_irreversible_migration(trigger: Trigger) -> None:
    """It alone refuses, a rollback by hand too, names the releases that left the database, and says what to do."""
    said_no = refusals(facts(irreversible=("r1b", "r2"), trigger=trigger))
    reason = (
        "r1 does not know the database that r1b, r2 left: its migration was reported as irreversible; mend qrl "
        "forward, or say that r1 can work with that database after all, of each: "
        "`rollback-agent release finish qrl RELEASE --reversible`"
    )
    assert said_no == (Refusal("irreversible_migration", reason),)


def test_the_command_that_takes_it_back_can_be_typed() -> None:
    """Where one release stands in the way, the command names it."""
    (refusal,) = refusals(facts(irreversible=("r2",)))
    assert refusal.reason.endswith(": `rollback-agent release finish qrl r2 --reversible`")


def test_allows_where_none_is_between() -> None:
    """Without such a release between the two it has nothing to say."""
    assert irreversible_migration(facts()) is None


class Past:
    """The releases of `qrl`: r0, r1 (the target) and r2 (live) went live one after the other."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        with surroundings.database.write() as tx:
            releases.seen(tx, "qrl", (Release("r0", "0" * 40),), NOW)
            for number in range(3):
                releases.set_live(tx, "qrl", f"r{number}", NOW - 3000 + 1000 * number)

    def finish(self, release: str, at: float, irreversible: bool | None = True) -> None:
        """A pipeline reports the end of a release's deploy."""
        with self.surroundings.database.write() as tx:
            releases.deploy_finished(tx, "qrl", release, at, Migration.OK, irreversible)

    def found(self) -> tuple[str, ...]:
        """Which releases stand between the target and the live one with such a migration."""
        return self.surroundings.read().irreversible


@pytest.fixture
def past(surroundings: Surroundings) -> Past:
    return Past(surroundings)


def test_between_means_after_the_target_up_to_the_live_one(past: Past) -> None:
    """The live release counts; the target and what went live before it do not."""
    past.finish("r0", NOW - 3001)
    past.finish("r1", NOW - 1900)
    assert past.found() == ()
    past.finish("r2", NOW - 900)
    assert past.found() == ("r2",)
    assert [refusal.guardrail for refusal in refusals(past.surroundings.read())] == ["irreversible_migration"]


def test_a_release_that_nobody_saw_live_counts(past: Past) -> None:
    """A migration runs before its release is live, and one that failed to come up has left its database too."""
    past.finish("r1b", NOW - 1500)
    assert past.found() == ("r1b",)


def test_it_is_taken_back_by_saying_the_opposite_only(past: Past) -> None:
    """A new deploy or an end without the word keep the mark; `reversible` takes it away."""
    past.finish("r2", NOW - 900)
    with past.surroundings.database.write() as tx:
        releases.deploy_started(tx, "qrl", "r2", NOW - 800, commit=None, author=None)
    past.finish("r2", NOW - 700, irreversible=None)
    assert past.found() == ("r2",)
    past.finish("r2", NOW - 600, irreversible=False)
    assert past.found() == ()


def test_journal_that_cannot_be_read_gives_no_facts(surroundings: Surroundings) -> None:
    """Without the journal nobody knows of migrations, and nothing goes on."""
    surroundings.ruin_the_journal()
    with pytest.raises(JournalError):
        surroundings.read()
