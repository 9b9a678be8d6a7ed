"""Whoever is called is told what it means and what to do, whatever the reason, in commands to be typed as they are."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import Any

import click
import pytest

from receiver.cli import cli
from receiver.journal.escalations import Escalation
from receiver.model import EscalationReason
from receiver.next_steps import ADVICE, next_steps

ASKED = Escalation(
    id="0a1b2c3d", incident="12345678", run="90abcdef", deployment="qrl", reason=EscalationReason.ROLLBACK_FAILED,
    summary="it did not work", opened_at=0.0, answered_at=None, answered_by=None, answer=None, comment=None,
    raised_at=None,
)  # fmt: skip
WAITING = {"plan": {"level": "full"}, "approval": {"state": "pending", "plan_hash": "f" * 64}}
DESIGNED = {
    "rollback_failed", "verification_failed", "limit_reached", "database_or_full", "safety_check_failed",
    "unknown_pattern", "low_confidence", "missing_data", "approval_expired", "unknown_result",
}  # fmt: skip
"""The guide's six triggers, and the further ones of the design."""


def commands(steps: tuple[str, ...]) -> list[str]:
    """The commands in the steps: each is typed from its name on, up to a comma, a semicolon or the end."""
    return [
        "rollback-agent " + command.partition(",")[0].partition(";")[0].partition(" to ")[0]
        for step in steps
        for command in step.split("rollback-agent ")[1:]
    ]


def parse(command: str) -> click.Context:
    """What the command line makes of a command; raises UsageError where it cannot be typed so."""
    _, name, *arguments = shlex.split(command)
    found = cli.get_command(click.Context(cli), name)
    assert found is not None, command
    return found.make_context(name, arguments)


def test_every_trigger_of_the_design_is_a_reason() -> None:
    """None is missing; the code has more, such as a branch that asks and a fault of the agent's own."""
    assert {*EscalationReason} == {*DESIGNED, "branch_asks", "by_hand", "agent_failed", "autonomy_changed"}


@pytest.mark.parametrize("reason", list(EscalationReason))
def test_every_reason_has_words(reason: EscalationReason) -> None:
    """A clause that goes on after "qrl needs a human: ", other than that of any other reason."""
    words = ADVICE[reason].words
    assert not words.endswith(".")
    assert [one.words for one in ADVICE.values()].count(words) == 1


@pytest.mark.parametrize("run", [None, {"plan": {"level": "fast"}}, WAITING], ids=["no run", "run", "asks"])
@pytest.mark.parametrize("latched", [False, True], ids=["free", "latched"])
@pytest.mark.parametrize("incident", [None, "12345678"], ids=["no incident", "incident"])
@pytest.mark.parametrize("reason", list(EscalationReason))
def test_every_reason_has_three_steps_that_can_be_typed(
    reason: EscalationReason, incident: str | None, latched: bool, run: dict[str, Any] | None
) -> None:
    """Each names a command that the command line takes, with the ids in it; no brace is left unfilled."""
    steps = next_steps(replace(ASKED, reason=reason, incident=incident), run if incident else None, latched)

    assert len(steps) == len(set(steps)) == 3
    for step in steps:
        assert commands((step,)), step
        assert not set("{}") & set(step)
        assert "None" not in step
    for command in commands(steps):
        parse(command)


def test_a_plan_that_waits_is_confirmed_or_refused() -> None:
    """Then the steps are to look, to approve this very plan, or to deny it."""
    steps = next_steps(replace(ASKED, reason=EscalationReason.LOW_CONFIDENCE), WAITING, False)
    look, approve, deny = map(parse, commands(steps))
    assert look.params["incident"] == approve.params["incident"] == deny.params["incident"] == "12345678"
    assert "f" * 8 in str(approve.params.values())


def test_what_is_latched_is_cleared_and_answered() -> None:
    """An answer alone would leave it latched, and lifting the latch alone would leave the alert."""
    *_, last = next_steps(ASKED, None, True)
    clear, answer = map(parse, commands((last,)))
    assert (clear.info_name, clear.params["deployment"]) == ("clear", "qrl")
    assert (answer.info_name, answer.params["word"]) == ("answer", "done")
