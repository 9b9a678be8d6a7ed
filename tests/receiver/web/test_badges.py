"""A state is one word with one shape, and the most urgent of what is true."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.model import Result
from receiver.web import badges
from receiver.web.badges import SHAPES, Tone

NOW = 1000.0
PENDING = {"state": "pending", "expires_at": NOW + 1}


def run(**changes: Any) -> dict[str, Any]:
    """A run under way."""
    return {"state": "ready", "phase": "back_up", "result": None, "approval": None} | changes


def incident(*runs: dict[str, Any], state: str = "open", escalations: tuple[str, ...] = ()) -> dict[str, Any]:
    """An incident with these runs and escalations."""
    return {"runs": list(runs), "state": state, "escalations": [{"state": one} for one in escalations]}


def deployment(**changes: Any) -> dict[str, Any]:
    """A deployment that can be rolled back."""
    good = {"live_unknown": None, "latched": None, "migration_failed": False, "deploys": [], "budget": 3}
    return good | {"cooldown_left": 0.0, "under_way": None} | changes


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (incident(), "open"),
        (incident(state="closed"), "closed"),
        (incident(run()), "under way: back up"),
        (incident(run(approval=PENDING)), "waits for approval"),
        (incident(run(approval=PENDING | {"expires_at": NOW})), "under way: back up"),
        (incident(run(approval=PENDING | {"state": "approved"})), "under way: back up"),
        (incident(run(state="finished", result="failed"), escalations=("open",)), "needs a person"),
        (incident(run(state="finished", result="failed"), escalations=("answered",)), "failed, still open"),
        (incident(run(state="finished", result="restored"), state="closed"), "restored"),
        (incident(run(state="finished", result="refused"), run()), "under way: back up"),
    ],
)
def test_an_incident_shows_what_is_most_urgent(shown: dict[str, Any], text: str) -> None:
    """First who must answer, then what is done, then how it ended."""
    assert badges.of_incident(shown, NOW).text == text


@pytest.mark.parametrize("result", list(Result))
def test_every_result_has_its_tone(result: Result) -> None:
    """Only `restored` is good; what needs no mending is calm."""
    tone = badges.of_run(run(state="finished", result=result), NOW).tone
    calm = {"not_needed", "recorded", "asked", "refused", "denied", "expired", "withdrawn", "upgraded"}
    assert tone is (Tone.GOOD if result is Result.RESTORED else Tone.CALM if result in calm else Tone.BAD)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "may roll back"),
        ({"cooldown_left": 3.0}, "cooling down"),
        ({"budget": 0, "cooldown_left": 3.0}, "budget spent"),
        ({"deploys": [{}], "budget": 0}, "deploy under way"),
        ({"migration_failed": True, "deploys": [{}]}, "migration failed"),
        ({"under_way": "approve", "migration_failed": True}, "asks a person"),
        ({"under_way": "back_up", "cooldown_left": 3.0}, "under way: back up"),
        ({"latched": "it failed", "migration_failed": True, "under_way": "verify"}, "latched"),
        ({"live_unknown": "no link", "latched": "it failed"}, "release cannot be read"),
    ],
)
def test_a_deployment_shows_the_first_thing_that_holds_it(changes: dict[str, Any], text: str) -> None:
    """What a person must mend comes before what passes by itself."""
    assert badges.of_deployment(deployment(**changes)).text == text


def test_no_two_tones_share_a_shape() -> None:
    """Who sees no colours sees the state all the same."""
    assert len(set(SHAPES.values())) == len(Tone)
