"""What the command of a plan is given, by the functions that give it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from receiver.phases.handed_over import variables, write_plan
from tests.receiver.agent import Agent
from tests.receiver.phases.before import planned


def test_what_there_is_not_is_an_empty_variable(agent: Agent) -> None:
    """A script that asks whether one is empty must not find the word None there."""
    run = planned(agent)
    plan = replace(run.findings.require_plan(), target_release=None)

    given = variables(replace(run, findings=replace(run.findings, backup=None)), plan, Path("plan.json"))

    assert (given["ROLLBACK_TARGET_RELEASE"], given["ROLLBACK_BACKUP"]) == ("", "")


def test_plan_and_configuration_are_such_that_people_can_read_them(agent: Agent, tmp_path: Path) -> None:
    """One of their values on each line, of this run and of the backup, since on-call opens them by hand."""
    run = planned(agent)
    plan, backup = run.findings.require_plan(), run.findings.backup
    assert backup is not None

    written = write_plan(tmp_path / "of the run", plan)

    for file in (written, Path(backup.directory) / "plan.json"):
        assert '  "target_release": "r1",' in file.read_text().splitlines()
    assert '  "autonomy": "L4",' in (Path(backup.directory) / "configuration.json").read_text().splitlines()
