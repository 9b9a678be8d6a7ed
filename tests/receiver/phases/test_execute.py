"""The command runs once, and afterwards the target is believed, not the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from receiver.errors import TargetError
from receiver.journal import hotfixes
from receiver.journal.hotfixes import Hotfix
from tests.receiver.agent import Agent, Killed
from tests.receiver.surroundings import BAD, GOOD

SWITCH = 'echo "$1" >> "$2"'


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo no such thing; exit 3", "the command ended with exit code 3, r2 is live: no such thing"),
        (f"{SWITCH}; exit 3", "the command ended with exit code 3, r1 is live: "),
        ("exit 0", "the command ended well, but r2 is live and not r1"),
        ('echo r3 >> "$2"', "the command ended well, but r3 is live and not r1"),
        ("kill -9 $$", "the command ended with exit code 137, r2 is live: "),
    ],
)
def test_a_command_that_did_not_do_it_fails_the_run(agent: Agent, script: str, reason: str) -> None:
    """A bad exit code, or a good one without the target being live, fails, escalates and latches."""
    agent.target.script = script

    run = agent.go()

    assert (run["result"], run["reason"]) == ("failed", reason)
    assert (agent.escalated(), agent.latch()) == (["rollback_failed"], reason)


def test_a_switch_ends_the_hotfix(agent: Agent) -> None:
    """A rollback takes away what the hotfix was to mend, so nothing more is waited for, and the report tells of it."""
    announce_hotfix(agent)

    run = agent.go()

    assert (run["result"], hotfix(agent)) == ("restored", None)
    assert "## Hotfixes" in Path(run["report"]).read_text()


def test_a_command_that_switched_nothing_ends_no_hotfix(agent: Agent) -> None:
    """Where the bad release is still live, what was announced for it still counts."""
    announce_hotfix(agent)
    agent.target.script = "exit 3"

    assert (agent.go()["result"], hotfix(agent) is None) == ("failed", False)


def test_one_attempt(agent: Agent) -> None:
    """After a failed rollback nothing is executed any more, whatever fires and whoever wants to retry."""
    agent.target.script = f'{SWITCH}; echo {BAD} >> "$2"; exit 1'
    agent.go()
    assert agent.wake() is None
    agent.request()

    run = agent.wait(400)

    assert run["result"] == "refused"
    assert [one["guardrail"] for one in run["refusals"]] == ["latched"]
    assert agent.executed() == [GOOD, BAD]


def test_a_command_that_takes_too_long_is_ended(agent: Agent) -> None:
    """At its time limit the command is ended, and that is a failure."""
    agent.target.timeout = 0.3
    agent.target.script = "sleep 60"

    run = agent.go()

    assert (run["result"], run["execution"]["exit_code"]) == ("failed", 124)
    assert "its time limit" in run["reason"]


def test_a_target_that_cannot_be_read_afterwards_fails_the_run(agent: Agent) -> None:
    """Not knowing what is live after the command is no success."""
    when_executed(agent, TargetError("it is gone"))

    run = agent.go()

    assert (run["result"], agent.escalated()) == ("failed", ["rollback_failed"])
    assert run["reason"] == "the command ended (0), but the live release cannot be read: it is gone"
    assert agent.latch() is not None


def test_an_agent_that_dies_during_the_command_finds_it_again(agent: Agent) -> None:
    """Killed after the command was started, the next life takes up its end and does not start it again."""
    when_executed(agent, Killed())
    agent.wake()

    run = agent.die_and_return()

    assert (run["result"], agent.executed()) == ("restored", [GOOD])
    assert [entry for entry in agent.audited() if entry in ("execute", "reattach", "execute:done")] == [
        "execute", "reattach", "execute:done",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("script", "result", "reason"),
    [
        (f"{SWITCH}; kill -9 $PPID", "restored", None),
        ("kill -9 $PPID", "unknown", "the command was interrupted and r2 is live; nothing is started again"),
    ],
    ids=["after the switch", "before the switch"],
)
def test_when_nobody_knows_how_it_ended_the_target_is_asked(
    agent: Agent, script: str, result: str, reason: str | None
) -> None:
    """A command whose supervisor was killed is judged by what is live: verified, or unknown and left to a human."""
    agent.target.script = script

    run = agent.go()

    assert (run["result"], run["execution"]["exit_code"]) == (result, None)
    if reason is not None:
        assert (run["reason"], agent.latch(), agent.escalated()) == (reason, reason, ["unknown_result"])


def test_the_command_gets_the_plan_and_nothing_else(agent: Agent) -> None:
    """Its environment is a short fixed list with the plan's file, and its output is kept with the run."""
    agent.target.script = f'{SWITCH}; env | cut -d= -f1 | sort | tr "\\n" " "; test -s "$ROLLBACK_PLAN" && echo found'

    run = agent.go()

    (output,) = (agent.config.logs / f"rollback-{run['id']}.log").read_text().splitlines()
    assert set(output.split()) - {"_", "PWD", "SHLVL"} == {"LANG", "PATH", "ROLLBACK_PLAN", "found"}


def when_executed(agent: Agent, error: BaseException) -> None:
    """Raise when the live release is read for the first time after the command."""
    errors = [error]

    def when_read() -> None:
        if agent.executed() and errors:
            raise errors.pop()

    agent.target.when_read = when_read


def announce_hotfix(agent: Agent) -> None:
    with agent.database.write() as tx:
        assert hotfixes.start(tx, "qrl", agent.clock(), 600, "ada", "")


def hotfix(agent: Agent) -> Hotfix | None:
    """The hotfix that still counts."""
    with agent.database.read() as tx:
        return hotfixes.unresolved(tx, "qrl")
