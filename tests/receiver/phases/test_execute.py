"""The command runs once, and afterwards the target is believed, not the exit code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from receiver.errors import TargetError
from receiver.journal import escalations, hotfixes, runs, views
from receiver.journal.hotfixes import Hotfix
from receiver.model import Refusal, Run, Stop
from receiver.phases.execute import execute
from receiver.run_once import was_started
from receiver.workflow import LEASE
from tests.receiver.agent import Agent, Killed
from tests.receiver.phases.before import planned
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
    (told,) = [record for record in agent.audit_records() if record["decision"] == "reattach"]
    assert (told["deployment"], told["run"]) == ("qrl", run["id"])
    assert told["reasoning"] == "the agent was stopped while the command ran"


INTERRUPTED = "the command was interrupted"


@pytest.mark.parametrize(
    ("script", "result", "reason"),
    [
        (
            f"{SWITCH}; kill -9 $PPID",
            "restored",
            f"{INTERRUPTED}; r1 is live, but what else was to be done is not known",
        ),
        ("kill -9 $PPID", "unknown", f"{INTERRUPTED} and r2 is live; nothing is started again"),
    ],
    ids=["after the switch", "before the switch"],
)
def test_when_nobody_knows_how_it_ended_the_deployment_is_latched(
    agent: Agent, script: str, result: str, reason: str
) -> None:
    """A command whose supervisor was killed is judged by what is live, and either way a person has to look."""
    agent.target.script = script

    run = agent.go()

    assert (run["result"], run["execution"]["exit_code"]) == (result, None)
    assert [step["summary"] for step in run["steps"] if step["name"] == "execute"] == [reason]
    assert (agent.latch(), agent.escalated(only_open=True)) == (reason, ["unknown_result"])
    with agent.database.read() as tx:
        (incident,) = views.incidents(tx)
        (call,) = escalations.find(tx, incident=incident["id"])
    assert call.run == run["id"]


@pytest.mark.parametrize(
    ("switch", "result"), [(SWITCH, "restored"), ("true", "unknown")], ids=["after the switch", "before the switch"]
)
def test_an_unclean_stop_of_everything_latches(agent: Agent, switch: str, result: str) -> None:
    """Agent, wrapper and command all end at once, as when the power goes: nothing is started again, and it latches."""
    agent.target.script = f"{switch}; kill -9 $PPID"
    died: list[bool] = []

    def die() -> None:
        if not died and any(agent.config.commands.glob("*/started")):
            died.append(True)
            raise Killed

    agent.target.when_read = die
    agent.wake()

    run = agent.die_and_return()

    assert (run["result"], agent.executed()) == (result, [GOOD] if result == "restored" else [])
    assert (agent.latch() is None, agent.escalated(only_open=True)) == (False, ["unknown_result"])
    assert agent.audited().count("execute") == 1
    agent.request()
    assert "latched" in [one["guardrail"] for one in agent.wait(400)["refusals"]]


def test_the_end_of_a_run_is_called_for_once(agent: Agent) -> None:
    """Interrupted and then without effect, a run has one open call: its verdict's, in the place of the first one."""
    agent.target.script = 'echo "$1" >> "$2"; kill -9 $PPID'
    agent.prometheus.when_asked = lambda _question: None

    agent.go()
    assert agent.escalated(only_open=True) == ["unknown_result"]
    run = agent.wait(agent.config.deployments["qrl"].verify.timeout + 1)

    assert run["result"] == "no_effect"
    assert agent.escalated() == ["unknown_result", "verification_failed"]
    assert agent.escalated(only_open=True) == ["verification_failed"]


def test_a_worker_that_lost_the_run_latches_nothing(agent: Agent) -> None:
    """The latch of an interrupted command is the work of who holds the run."""
    agent.target.script = f"{SWITCH}; kill -9 $PPID"
    taken: list[Run | None] = []

    def take_over() -> None:
        if agent.executed() and not taken:
            agent.clock.advance(LEASE + 1)
            with agent.database.write() as tx:
                taken.append(runs.claim(tx, "another", agent.clock(), LEASE))

    agent.target.when_read = take_over
    agent.go()

    assert taken != [None]
    assert (agent.latch(), agent.escalated()) == (None, [])


def test_without_a_backup_nothing_is_started(agent: Agent) -> None:
    """By the last question there must be one, and the refusal says so with all that was found until then."""
    run = planned(agent)
    run = replace(run, findings=replace(run.findings, backup=None))

    outcome = execute(run, agent.world)

    assert isinstance(outcome, Stop)
    assert outcome.findings.refusals == (Refusal("backup_created", "there is no backup"),)
    assert replace(outcome.findings, refusals=()) == run.findings
    assert outcome.judged is not None
    assert outcome.judged.kind == "guarded"
    assert not was_started(agent.config.commands / run.id)


def test_what_the_command_leaves_running_is_ended_where_that_is_wanted(make_agent: Callable[..., Agent]) -> None:
    """With `end_leftovers` the output tells what was ended, after a command that did its work."""
    agent = make_agent(qrl={"end_leftovers": True})
    agent.target.script = f"setsid sleep 30 & {SWITCH}"

    run = agent.go()

    assert run["result"] == "restored"
    assert "ended: " in (agent.config.logs / f"rollback-{run['id']}.log").read_text()


def test_the_command_gets_the_plan_and_nothing_else(agent: Agent) -> None:
    """Its environment is a short fixed list with the plan's file, and its output is kept with the run."""
    agent.target.script = f'{SWITCH}; env | cut -d= -f1 | sort | tr "\\n" " "; test -s "$ROLLBACK_PLAN" && echo found'

    run = agent.go()

    (output,) = (agent.config.logs / f"rollback-{run['id']}.log").read_text().splitlines()
    told = {"PLAN", "DEPLOYMENT", "LEVEL", "LIVE_RELEASE", "TARGET_RELEASE", "BACKUP"}
    expected = {"LANG", "PATH", "found", *(f"ROLLBACK_{name}" for name in told)}
    assert set(output.split()) - {"_", "PWD", "SHLVL"} == expected


def test_a_script_finds_the_plan_and_the_backup_in_its_environment(agent: Agent) -> None:
    """Deployment, level, both releases and the directory of the backup are variables of their own."""
    names = " ".join(f"$ROLLBACK_{name}" for name in ("DEPLOYMENT", "LEVEL", "LIVE_RELEASE", "TARGET_RELEASE"))
    agent.target.script = f'{SWITCH}; echo {names}; cat "$ROLLBACK_BACKUP/MANIFEST.txt" >/dev/null && echo kept'

    run = agent.go()

    printed = (agent.config.logs / f"rollback-{run['id']}.log").read_text().splitlines()
    assert printed == [f"qrl fast {BAD} {GOOD}", "kept"]


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
