"""Of several replicas on one journal one may be gone for good: another goes on, and starts nothing a second time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from receiver.errors import JournalError
from receiver.model import Proceed
from receiver.phases.execute import execute
from receiver.workflow import LEASE, Workflow
from tests.receiver.agent import Agent, Killed
from tests.receiver.phases.before import planned
from tests.receiver.surroundings import GOOD, configuration


def another(agent: Agent, root: Path) -> Workflow:
    """A replica on the same journal with a root directory of its own."""
    config = configuration(root)
    config.logs.mkdir(parents=True)
    world = replace(agent.world, replica="there", config=config)
    return Workflow(agent.database, {"qrl": world}.get, world.audit, agent.report.write, owner="there")


def take_over(agent: Agent, root: Path) -> None:
    """The first replica ends in the middle of its work for good, and another takes up what it held."""
    with pytest.raises(Killed):
        agent.work()
    agent.target.when_read = lambda: None
    agent.prometheus.when_asked = agent.heal
    agent.workflow = another(agent, root)
    agent.wait(LEASE + 1)


@pytest.mark.parametrize(
    ("script", "result", "executed"),
    [
        ("true", "unknown", []),
        ('echo "$1" >> "$2"', "restored", [GOOD]),
    ],
    ids=["before the switch", "after the switch"],
)
def test_what_another_replica_began_is_not_begun_again(
    agent: Agent, tmp_path: Path, script: str, result: str, executed: list[str]
) -> None:
    """The marks of its command are on a machine that is gone: the target is asked, it latches, a human is called."""
    agent.target.script = script

    def die() -> None:
        if any(agent.config.commands.glob("*/exit")):
            raise Killed

    agent.target.when_read = die
    agent.wake()

    take_over(agent, tmp_path / "elsewhere")

    run = agent.run()
    assert (run["result"], agent.executed()) == (result, executed)
    assert (agent.latch() is None, agent.escalated(only_open=True)) == (False, ["unknown_result"])
    why = "here, which was to run the command, says nothing any more"
    assert (agent.latch() or "").startswith(why)
    assert agent.audited().count("execute") == 1
    (told,) = [record for record in agent.audit_records() if record["decision"] == "taken_over"]
    assert (told["deployment"], told["run"], told["reasoning"]) == ("qrl", run["id"], why)
    done = run["execution"]
    assert (done["exit_code"], Path(done["output"]).name) == (None, f"rollback-{run['id']}.log")
    assert 0 <= done["finished_at"] - done["started_at"] - LEASE < 60


def test_what_another_replica_was_about_to_begin_is_not_begun(agent: Agent, tmp_path: Path) -> None:
    """Its intent is in the journal before its command: whoever finds it cannot know that it did not come so far."""

    class Dying:
        def record(self, decision: str, *_: object, **__: object) -> None:
            if decision == "execute":
                raise Killed

    audit = agent.world.audit
    agent.world = replace(agent.world, audit=Dying())
    agent.new_process()
    agent.wake()
    agent.world = replace(agent.world, audit=audit)

    take_over(agent, tmp_path / "elsewhere")

    assert (agent.run()["result"], agent.executed()) == ("unknown", [])


def test_a_backup_of_another_replica_is_made_anew(agent: Agent, tmp_path: Path) -> None:
    """It may be gone with its machine, so the one that executes has its own; nothing else is done twice."""

    def die() -> None:
        if any(agent.config.backups.glob("state-*/MANIFEST.txt")):
            raise Killed

    agent.target.when_read = die
    agent.wake()

    take_over(agent, tmp_path / "elsewhere")

    run = agent.run()
    assert (run["result"], agent.executed()) == ("restored", [GOOD])
    assert run["backup"]["replica"] == "there"
    assert Path(run["backup"]["directory"]).is_relative_to(tmp_path / "elsewhere")


def test_a_backup_of_a_version_that_named_no_replica_stands(agent: Agent) -> None:
    """There was but one then, so it is here."""
    run = planned(agent)
    assert run.findings.backup is not None
    backup = replace(run.findings.backup, replica="")

    outcome = execute(replace(run, findings=replace(run.findings, backup=backup)), agent.world)

    assert isinstance(outcome, Proceed)
    assert outcome.findings.backup == backup


def test_after_the_journal_was_gone_nothing_is_taken_over_at_once(agent: Agent, tmp_path: Path) -> None:
    """Whoever holds a run could not renew its lease either; it is heard before it counts as gone."""
    agent.wake()
    now = 0.0
    other = another(agent, tmp_path / "elsewhere")
    other = Workflow(
        agent.database,
        {"qrl": agent.world}.get,
        agent.world.audit,
        agent.report.write,
        owner="there",
        monotonic=lambda: now,
    )
    agent.target.when_read = raise_killed
    with pytest.raises(Killed):
        agent.work()
    agent.target.when_read = lambda: None
    agent.prometheus.when_asked = agent.heal
    agent.clock.advance(LEASE + 1)
    lose_the_journal(agent, other)

    assert not other.work_once()
    now = LEASE + 1
    assert other.work_once()


def raise_killed() -> None:
    """End the process that is played."""
    raise Killed


def lose_the_journal(agent: Agent, workflow: Workflow) -> None:
    """Let the workflow find that the journal cannot be reached, once."""
    tables = agent.config.root / "state.db"
    aside = tables.with_suffix(".aside")
    agent.database.close()
    tables.rename(aside)
    tables.mkdir()
    with pytest.raises(JournalError):
        workflow.work_once()
    tables.rmdir()
    aside.rename(tables)
