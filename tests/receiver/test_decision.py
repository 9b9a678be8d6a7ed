"""The decision follows the tree's labels: the lowest rank decides, and the bounds say whether a person is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.config import DecisionBounds
from receiver.decision import Question, choose_target, decide, is_recorded_only, why_ask
from receiver.model import (
    Action,
    Autonomy,
    Branch,
    Decision,
    EscalationReason,
    Level,
    Release,
    Signal,
    Telemetry,
    Trigger,
)

DOWN = Branch("ServiceDown", "service_down", 1, Action.ROLLBACK, Level.FAST, 0.99, "fastapi")
ERRORS = Branch("HighErrorRate", "high_error_rate", 2, Action.ROLLBACK, Level.FAST, 0.95, None)
MISSING = Branch("SignalsMissing", "signals_missing", 14, Action.ASK, None, None, None)
AVAILABILITY = Signal("deployment:availability:ratio", None, 0.3, 1000.0)
BOUNDS = DecisionBounds()


def telemetry(*firing: Branch) -> Telemetry:
    """What Prometheus said: these branches, one signal."""
    return Telemetry(1000.0, firing, (), (AVAILABILITY,))


def decision(confidence: float | None, level: Level = Level.FAST) -> Decision:
    """A decision to roll back."""
    return Decision("some_branch", "SomeBranch", Action.ROLLBACK, level, confidence, "it fires", (), ())


def release(name: str, *, live: float | None = None, good: float | None = 1.0, held: float | None = None) -> Release:
    """A release as the journal remembers it."""
    return Release(name, "0123456", live, good, held)


def test_nothing_fires_nothing_is_decided() -> None:
    """Without a firing branch there is no decision, whatever the signals say."""
    assert decide(telemetry()) is None


def test_lowest_rank_decides_whatever_the_order() -> None:
    """The branch of the lowest rank decides; the others are told along, once each."""
    found = decide(telemetry(MISSING, ERRORS, DOWN, replace(DOWN, service="gradio"), replace(ERRORS, service="flask")))
    assert found == Decision(
        branch="service_down",
        alert="ServiceDown",
        action=Action.ROLLBACK,
        level=Level.FAST,
        confidence=0.99,
        reason="ServiceDown fires on fastapi in Prometheus (rank 1)",
        also_firing=("high_error_rate", "signals_missing"),
        signals=(AVAILABILITY,),
        rank=1,
    )


def test_of_the_same_rank_the_more_demanding_decides() -> None:
    """A branch that watches and, after a time, asks is one branch: the question decides."""
    watches = Branch("MinorImpact", "minor_impact", 11, Action.WATCH, None, None, None)
    asks, rolls_back = replace(watches, action=Action.ASK), replace(watches, action=Action.ROLLBACK)

    found = [decide(telemetry(*firing)) for firing in ((watches, asks), (watches, asks, rolls_back))]

    assert [one and one.action for one in found] == [Action.ASK, Action.ROLLBACK]
    assert [one and one.also_firing for one in found] == [(), ()]


def test_a_watch_hides_no_question() -> None:
    """Missing data has the last rank, and is put to a human although a branch above it is being watched."""
    watches = Branch("MinorImpact", "minor_impact", 11, Action.WATCH, None, None, None)

    found = decide(telemetry(watches, MISSING))

    assert found is not None
    assert (found.action, found.branch, found.also_firing) == (Action.ASK, "signals_missing", ("minor_impact",))


def test_branch_without_a_level_keeps_its_action() -> None:
    """A branch that asks stays a question: it gets neither a level nor a confidence."""
    found = decide(telemetry(MISSING))
    assert found is not None
    assert (found.action, found.level, found.confidence) == (Action.ASK, None, None)
    assert found.reason == "SignalsMissing fires in Prometheus (rank 14)"


@pytest.mark.parametrize(
    ("confidence", "recorded"), [(0.0, True), (0.6999, True), (0.70, False), (0.95, False), (None, False)]
)
def test_below_the_lower_bound_it_is_only_recorded(confidence: float | None, recorded: bool) -> None:
    """The guide's 0.70 is still put to a person; only what lies below is recorded and left."""
    assert is_recorded_only(decision(confidence), BOUNDS) is recorded


@pytest.mark.parametrize(
    ("confidence", "why"),
    [
        (0.70, "its confidence is 0.7, not above 0.9"),
        (0.90, "its confidence is 0.9, not above 0.9"),
        (0.9001, None),
        (1.0, None),
        (None, "its confidence is None, not above 0.9"),
    ],
)
def test_at_level_4_confidence_decides_who_is_asked(confidence: float | None, why: str | None) -> None:
    """Above 0.90 the agent goes ahead; 0.90 itself, or no confidence at all, asks a person."""
    question = why_ask(decision(confidence), Trigger.ALERT, Autonomy.L4, BOUNDS)
    assert question == (why and Question(why, EscalationReason.LOW_CONFIDENCE))


@pytest.mark.parametrize("autonomy", [Autonomy.L1, Autonomy.L2, Autonomy.L3])
def test_below_level_4_a_person_is_always_asked(autonomy: Autonomy) -> None:
    """However sure the branch is, only level 4 lets the agent go ahead by itself."""
    why = why_ask(decision(0.99), Trigger.ALERT, autonomy, BOUNDS)
    assert why == Question(f"autonomy level {autonomy} asks before it rolls back")


@pytest.mark.parametrize("autonomy", list(Autonomy))
def test_full_rollback_is_put_to_a_person_at_every_level(autonomy: Autonomy) -> None:
    """A rollback that touches the database is never done without a person, however sure the branch is."""
    why = why_ask(decision(1.0, Level.FULL), Trigger.ALERT, autonomy, BOUNDS)
    assert why == Question("a full rollback is always put to a person", EscalationReason.DATABASE_OR_FULL)


@pytest.mark.parametrize("autonomy", list(Autonomy))
def test_rollback_by_hand_is_confirmed_with_its_plan(autonomy: Autonomy) -> None:
    """Who asks for a rollback has not seen its plan yet, so it is put to a person as well."""
    why = why_ask(decision(1.0), Trigger.OPERATOR, autonomy, BOUNDS)
    assert why == Question("a rollback by hand is confirmed with its plan")


def test_bounds_are_configuration() -> None:
    """Other bounds give other answers for the same decision."""
    bounds = DecisionBounds(execute_above=0.5, ask_from=0.2)
    assert why_ask(decision(0.6), Trigger.ALERT, Autonomy.L4, bounds) is None
    assert is_recorded_only(decision(0.6), DecisionBounds(execute_above=0.95, ask_from=0.65))


def test_target_is_the_good_release_that_was_live_last() -> None:
    """Of the releases that are there, good and not held, the one that was live last is chosen."""
    remembered = {
        one.id: one
        for one in (
            release("1", live=100.0),
            release("2", live=300.0),
            release("3", live=200.0),
            release("4", live=400.0, good=None),
            release("5", live=500.0, held=600.0),
            release("6", live=600.0),
        )
    }
    known = tuple(Release(name, "0123456") for name in ("1", "2", "3", "4", "5", "6", "7"))
    chosen = choose_target(remembered["6"], known, remembered)
    assert chosen == remembered["2"]


@pytest.mark.parametrize(
    "only",
    [
        release("live", live=1.0),
        release("never-good", live=1.0, good=None),
        release("held", live=1.0, held=2.0),
    ],
    ids=lambda one: one.id,
)
def test_there_may_be_no_target(only: Release) -> None:
    """The live release, one that was never known good, and a held one are no targets."""
    assert choose_target(release("live"), (only,), {only.id: only}) is None


def test_release_that_is_gone_or_unknown_is_no_target() -> None:
    """A good release whose directory is gone is no target, nor is a directory that the journal does not know."""
    good = release("good", live=1.0)
    assert choose_target(release("live"), (), {"good": good}) is None
    assert choose_target(release("live"), (good,), {}) is None


def test_release_that_was_built_anew_is_no_target() -> None:
    """Another commit under the id of a good release is another release."""
    good = release("good", live=1.0)
    assert choose_target(release("live"), (replace(good, commit="fedcba9"),), {"good": good}) is None


def test_good_release_that_was_never_seen_live_is_the_last_choice() -> None:
    """A release that is known good without a time comes after every one that was seen live."""
    remembered = {one.id: one for one in (release("b", live=0.5), release("a"))}
    assert choose_target(release("live"), tuple(remembered.values()), remembered) == remembered["b"]
