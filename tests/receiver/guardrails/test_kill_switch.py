"""While a person has switched rollbacks off, nothing is rolled back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.errors import JournalError
from receiver.guardrails.checklist import refusals
from receiver.guardrails.kill_switch import kill_switch
from receiver.model import Refusal, Trigger
from tests.receiver.guardrails.builders import Surroundings, facts


@pytest.mark.parametrize("trigger", list(Trigger))
def test_refuses_while_it_is_on(trigger: Trigger) -> None:
    """It alone refuses, a rollback by hand too, and it names the command that lifts it."""
    said_no = refusals(facts(kill_switch=True, trigger=trigger))
    assert said_no == (Refusal("kill_switch", "the kill switch is on; `rollback-agent kill-switch off` lifts it"),)


def test_allows_while_it_is_off() -> None:
    """Without the switch it has nothing to say."""
    assert kill_switch(facts()) is None


def test_the_file_is_the_switch(surroundings: Surroundings) -> None:
    """It is on from the moment the file is there until the file is gone, whatever the file holds."""
    assert refusals(surroundings.read()) == ()
    surroundings.world.config.kill_switch.touch()
    assert [refusal.guardrail for refusal in refusals(surroundings.read())] == ["kill_switch"]
    surroundings.world.config.kill_switch.unlink()
    assert refusals(surroundings.read()) == ()


def test_switch_that_cannot_be_looked_at_is_not_off(surroundings: Surroundings) -> None:
    """Where the file system does not say whether the file is there, it alone refuses and says why."""
    file = surroundings.world.config.kill_switch
    file.symlink_to(file.name)  # a loop
    (refusal,) = refusals(surroundings.read())
    why = f"{file} cannot be looked at: Too many levels of symbolic links"
    assert refusal == Refusal("kill_switch", f"it is not known whether the kill switch is on: {why}")


def test_root_that_cannot_be_looked_at_is_not_off(surroundings: Surroundings) -> None:
    """The same where the whole directory is beyond reach, in which the free space is not known either."""
    root = surroundings.world.config.root / ("too-long-a-name" * 20)
    config = surroundings.world.config.model_copy(update={"root": root})
    surroundings.world = replace(surroundings.world, config=config)
    assert {refusal.guardrail for refusal in refusals(surroundings.read())} == {"kill_switch", "disk_space"}


def test_journal_that_cannot_be_read_gives_no_facts(surroundings: Surroundings) -> None:
    """Without the journal nobody knows whether another replica was told to stop, and nothing goes on."""
    surroundings.ruin_the_journal()
    with pytest.raises(JournalError):
        surroundings.read()
