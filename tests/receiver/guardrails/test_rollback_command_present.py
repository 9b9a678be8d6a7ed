"""What would be run must be there before anything is touched."""

from __future__ import annotations

from dataclasses import replace

import pytest

from receiver.config.targets import ReleasesTarget
from receiver.guardrails.checklist import refusals
from receiver.guardrails.rollback_command_present import rollback_command_present
from receiver.model import Level, Refusal, Trigger
from receiver.targets.releases import ReleasesDirectory
from tests.receiver.guardrails.builders import PLAN, Surroundings, facts


@pytest.mark.parametrize("trigger", list(Trigger))
def test_refuses_what_cannot_be_started(trigger: Trigger) -> None:
    """It alone refuses, a rollback by hand too, and names each program with what is wrong with it."""
    said_no = refusals(facts(unusable_programs=("/a: No such file or directory", "/b is no file"), trigger=trigger))
    assert said_no == (Refusal("rollback_command_present", "/a: No such file or directory; /b is no file"),)


def test_allows_what_is_there() -> None:
    """Where every program can be started, it has nothing to say."""
    assert rollback_command_present(facts()) is None


def test_the_plans_program_is_looked_at(surroundings: Surroundings) -> None:
    """A program that is gone, is a directory, may not be executed or cannot be looked at refuses, with the reason."""
    program = surroundings.app / "roll-back"
    plan = replace(PLAN, command=(str(program),))
    told = [(refused := refusals(surroundings.read(plan))) and refused[0].reason]
    program.mkdir()
    told += [refusals(surroundings.read(plan))[0].reason]
    program.rmdir()
    program.write_text("#!/bin/sh\n")
    told += [refusals(surroundings.read(plan))[0].reason]
    program.chmod(0o755)
    assert refusals(surroundings.read(plan)) == ()

    assert told == [f"{program}: No such file or directory", f"{program} is no file", f"{program} is not executable"]
    unreadable = f"/{'x' * 300}"
    [refusal] = refusals(surroundings.read(replace(PLAN, command=(unreadable,))))
    assert refusal == Refusal("rollback_command_present", f"{unreadable}: File name too long")


def test_the_restart_command_is_looked_at(surroundings: Surroundings) -> None:
    """What the plan's program starts in turn has to be there as well, which for `releases` is the restart command."""
    assert surroundings.world.target.programs(Level.FAST) == ("/bin/true",)
    config = ReleasesTarget.model_validate({"path": surroundings.app, "restart": ["/no/such/restart"]})
    surroundings.world = replace(surroundings.world, target=ReleasesDirectory(config))
    [refusal] = refusals(surroundings.read())
    assert refusal == Refusal("rollback_command_present", "/no/such/restart: No such file or directory")


def test_a_plan_without_a_command_is_not_its_matter(surroundings: Surroundings) -> None:
    """Where there is no release to go to, there is no command either, and another guardrail says so."""
    nowhere = replace(PLAN, target_release=None, target_commit=None, command=())
    assert [refusal.guardrail for refusal in refusals(surroundings.read(nowhere))] == ["target_release_valid"]
