"""Where it is wanted, only a recent release is suspected."""

from __future__ import annotations

import time

import pytest

from receiver.config.guardrails import Guardrails, SuspectRelease
from receiver.guardrails.checklist import refusals
from receiver.guardrails.suspect_release import suspect_release
from receiver.model import Attribution, Clue, Refusal, Trigger
from tests.receiver.guardrails.builders import NOW, Surroundings, facts

HOUR = Guardrails(suspect_release=SuspectRelease.model_validate({"max_age": "1h"}))


def test_refuses_an_old_release() -> None:
    """A release that has been live for two hours, where one is allowed, refuses, it alone."""
    said_no = refusals(facts(limits=HOUR, live_since=NOW - 7200))
    reason = "r2 has been live for 2:00:00; after 1:00:00 it is not suspected"
    assert said_no == (Refusal("suspect_release", reason),)


@pytest.mark.parametrize(("age", "refused"), [(0, False), (3600, False), (3601, True), (-2, False), (-3601, True)])
def test_allows_a_recent_release(age: float, refused: bool) -> None:
    """Up to the configured age it allows; a release of the future tells of a clock that was set back."""
    assert (suspect_release(facts(limits=HOUR, live_since=NOW - age)) is not None) is refused


def test_clock_that_was_set_back_refuses() -> None:
    """A release that seems to go live only in two hours has no age; it alone refuses, and says what that tells."""
    said_no = refusals(facts(limits=HOUR, live_since=NOW + 7200))
    reason = "the live release seems to go live only later: the clock was set back"
    assert said_no == (Refusal("suspect_release", reason),)


def test_it_is_off_by_default() -> None:
    """Unless an age is configured, any release is rolled back, whenever it went live."""
    assert refusals(facts(live_since=NOW - 1e7)) == ()
    assert refusals(facts(live_since=None)) == ()


def test_a_person_may_suspect_any_release() -> None:
    """A rollback by hand is not asked for how old the release is."""
    assert suspect_release(facts(limits=HOUR, live_since=NOW - 7200, trigger=Trigger.OPERATOR)) is None


def test_unknown_refuses() -> None:
    """Not knowing since when the release is live refuses, it alone."""
    said_no = refusals(facts(limits=HOUR, live_since=None))
    assert said_no == (Refusal("suspect_release", "it is not known since when the live release is live"),)


def test_the_target_tells_since_when(surroundings: Surroundings) -> None:
    """For `releases` a release is live since its link was made."""
    since = surroundings.read().live_since
    assert since is not None
    assert abs(time.time() - since) < 60


@pytest.mark.parametrize("trigger", list(Trigger))
def test_refuses_what_hardly_explains_the_fault(trigger: Trigger) -> None:
    """A clue against a recent release refuses with its sentence, one that is not known does not, nor for a person."""
    clues = (Clue("a", False, "shop fails too"), Clue("b", None, "nobody said"), Clue("c", False, "HostDown fires"))
    given = facts(limits=HOUR, live_since=NOW - 60, trigger=trigger, attribution=Attribution(clues))
    said_no = suspect_release(given)
    reason = "r2 hardly explains the fault: shop fails too; HostDown fires"

    assert said_no == (Refusal("suspect_release", reason) if trigger is Trigger.ALERT else None)
    unknown = facts(limits=HOUR, live_since=NOW - 60, attribution=Attribution(clues[1:2]))
    assert suspect_release(unknown) is None
    assert suspect_release(facts(live_since=NOW - 60, attribution=Attribution(clues))) is None
