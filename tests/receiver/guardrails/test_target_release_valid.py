"""What is gone, held or was never known good is nothing to roll back to."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from receiver.guardrails.checklist import refusals
from receiver.guardrails.target_release_valid import target_release_valid
from receiver.journal import releases
from receiver.model import Refusal, Release
from tests.receiver.guardrails.builders import NOW, PLAN, Surroundings, facts

GOOD = Release("r1", "1" * 40, live_since=NOW - 5000, good_at=NOW - 4000)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (None, "release r1 is not there any more"),
        (replace(GOOD, held_at=NOW), "release r1 is held: it was itself rolled back"),
        (replace(GOOD, good_at=None), "release r1 is not known to be good"),
    ],
    ids=["gone", "held", "not-good"],
)
def test_refuses_a_target_that_is_none(target: Release | None, reason: str) -> None:
    """It alone refuses, and it says what is wrong with the release."""
    assert refusals(facts(target=target)) == (Refusal("target_release_valid", reason),)


def test_refuses_a_plan_without_a_target() -> None:
    """Where no release is known good, the plan has no target, and it refuses."""
    said_no = refusals(facts(plan=replace(PLAN, target_release=None, target_commit=None, command=()), target=None))
    assert said_no == (Refusal("target_release_valid", "there is no other release that is known good and not held"),)


def test_allows_a_good_release() -> None:
    """A release that is there, good and not held may be the target."""
    assert target_release_valid(facts(target=GOOD)) is None


def test_target_is_looked_for_on_disk_and_in_the_journal(surroundings: Surroundings) -> None:
    """A release that is held since, or whose directory is gone or unreadable, is no target any more."""
    assert refusals(surroundings.read()) == ()
    with surroundings.database.write() as tx:
        releases.hold(tx, "qrl", "r1", NOW, "run")
    assert [refusal.reason for refusal in refusals(surroundings.read())] == [
        "release r1 is held: it was itself rolled back"
    ]
    shutil.rmtree(surroundings.app / "releases" / "r1")
    assert [refusal.reason for refusal in refusals(surroundings.read())] == ["release r1 is not there any more"]
    shutil.rmtree(surroundings.app / "releases")
    assert "target_release_valid" in [refusal.guardrail for refusal in refusals(surroundings.read())]
