"""A person carries the plan out; the agent tells how, backs up before, and believes the target only."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from receiver.errors import TargetError
from receiver.journal import deployments, escalations, judgements
from receiver.journal.escalations import Escalation
from receiver.model import EscalationReason, Level
from receiver.operators import Answer, Operators, Person, Via
from tests.receiver.agent import Agent
from tests.receiver.surroundings import BAD, GOOD, branch

ADA = Person("ada", Via.PAGE)


@pytest.fixture
def asking(agent: Agent) -> Agent:
    """An agent that waits for a person to roll back by hand."""
    agent.request(Level.MANUAL)
    assert agent.work()["state"] == "waiting"
    return agent


def asked(agent: Agent) -> Escalation:
    with agent.database.read() as tx:
        (found,) = escalations.find(tx)
    return found


def answer(agent: Agent, word: Answer) -> None:
    Operators(agent.database, agent.world.audit, agent.config).answer(asked(agent).id, word, ADA, "")


def told_of_the_step(agent: Agent) -> str:
    """What the run says of the step in which the person is at work, or was."""
    summaries = [step["summary"] for step in agent.run()["steps"] if step["name"] == "execute"]
    return str(summaries[0])


def test_the_steps_can_be_typed(asking: Agent) -> None:
    """Backup, command and what to check stand in the escalation and on the audit trail; nothing was executed."""
    run = asking.run()
    told = asked(asking)
    assert told.reason is EscalationReason.BY_HAND
    command = told.summary.split("Run: ")[1].split("; See whether")[0]
    assert command.endswith(shlex.join(run["plan"]["command"]))
    assert f"ROLLBACK_BACKUP={run['backup']['directory']}" in command
    assert run["backup"]["directory"] in told.summary
    assert "rollback-agent verify qrl" in told.summary
    (record,) = [record for record in asking.audit_records() if record["decision"] == "by_hand"]
    assert (record["deployment"], record["run"], record["reasoning"]) == ("qrl", run["id"], told.summary)
    assert record["metrics_used"] == {"plan_hash": run["plan"]["hash"], "command": run["plan"]["command"]}
    assert (asking.executed(), told_of_the_step(asking)) == ([], f"waiting for a person; {BAD} is live and not {GOOD}")
    for _ in range(3):
        assert asking.wait(3)["state"] == "waiting"
    assert asking.audited().count("by_hand") == 1


def test_it_is_allowed_to_who_asked_for_it(asking: Agent) -> None:
    """Nobody else is asked, and that is judged and told like any other permission."""
    run = asking.run()
    permission = run["permission"]
    assert (permission["by"], permission["reason"]) == ("ada", "a person carries it out")
    assert run["created_at"] <= permission["at"] <= asking.clock()
    (step,) = [step for step in run["steps"] if step["name"] == "approve"]
    assert step["summary"] == "a person carries it out by hand"
    with asking.database.read() as tx:
        assert judgements.of_run(tx, run["id"])["approve"].judged.kind == "asked"


def test_where_an_alert_asks_for_it_anybody_may(agent: Agent) -> None:
    """A branch whose level is manual names nobody."""
    agent.prometheus.firing = (branch(level=Level.MANUAL),)

    assert agent.go()["permission"]["by"] == "whoever does it"


def test_the_command_is_told_what_it_is_always_told(asking: Agent) -> None:
    """The variables that the agent's own call would have stand before the command, and the plan is in the file."""
    command = asked(asking).summary.split("Run: ")[1].split("; See whether")[0]
    given = dict(word.split("=", 1) for word in shlex.split(command) if word.startswith("ROLLBACK_"))
    plan = json.loads(Path(given.pop("ROLLBACK_PLAN")).read_text())
    assert plan["hash"] == asking.run()["plan"]["hash"]
    assert given == {
        "ROLLBACK_DEPLOYMENT": "qrl",
        "ROLLBACK_LEVEL": "manual",
        "ROLLBACK_LIVE_RELEASE": BAD,
        "ROLLBACK_TARGET_RELEASE": GOOD,
        "ROLLBACK_BACKUP": asking.run()["backup"]["directory"],
    }


def test_what_is_told_works_as_it_is_told(asking: Agent) -> None:
    """Typed into a shell that has nothing of the agent's, the command rolls back."""
    command = asked(asking).summary.split("Run: ")[1].split("; See whether")[0]
    subprocess.run(["/bin/sh", "-c", command], env={}, check=True, capture_output=True)
    assert asking.wait(3)["result"] == "restored"


def test_what_the_target_shows_is_done(asking: Agent) -> None:
    """As soon as the target's release is live it is verified, and the one that was left is held, without a word."""
    asking.target.ship(GOOD)

    run = asking.wait(3)

    assert (run["result"], asking.held()) == ("restored", [BAD])
    settled = asked(asking)
    assert (settled.answer, settled.answered_by) == ("done", "rollback-agent")
    assert (settled.answered_at, run["execution"]["output"]) == (run["execution"]["finished_at"], "")
    assert told_of_the_step(asking) == f"{GOOD} is live, made so by a person"
    assert run["reason"].startswith(f"{GOOD} is live")
    assert "Carried out by hand within" in Path(run["report"]).read_text()


def test_who_has_done_it_is_told(asking: Agent) -> None:
    """Whoever says that it is done, and has done it, is named."""
    asking.target.ship(GOOD)
    answer(asking, Answer.DONE)

    assert asking.wait(3)["result"] == "restored"
    assert told_of_the_step(asking) == f"{GOOD} is live, made so by ada"


def test_a_word_alone_is_not_done(asking: Agent) -> None:
    """Who says that it is done while the bad release is live is told so, and it latches."""
    answer(asking, Answer.DONE)

    run = asking.wait(3)

    assert run["result"] == "failed"
    assert run["reason"] == f"ada said that it is done, but {BAD} is live and not {GOOD}"
    assert (asking.latch(), asking.escalated()) == (run["reason"], ["by_hand", "rollback_failed"])


def test_giving_up_ends_it(asking: Agent) -> None:
    """Nothing was touched, and the deployment is latched as after any other who gives up."""
    answer(asking, Answer.GIVE_UP)

    run = asking.wait(3)

    assert (run["result"], run["reason"]) == ("withdrawn", f"ada gave up; {BAD} is live and not {GOOD}")
    assert asking.latch() == f"ada gave up: {asked(asking).summary}"


def test_who_tries_again_is_asked_anew(asking: Agent) -> None:
    """The word of the last time does not count for the next one."""
    answer(asking, Answer.GIVE_UP)
    asking.wait(3)
    with asking.database.write() as tx:
        deployments.clear_latch(tx, "qrl")

    asking.clock.advance(400)
    asking.hear_watchdog()
    asking.request(Level.MANUAL)

    assert asking.work()["state"] == "waiting"
    assert asking.escalated() == ["by_hand", "by_hand"]


def test_an_hour_is_enough(asking: Agent) -> None:
    """Then it ends and asks anew what became of it."""
    assert asking.wait(3500)["state"] == "waiting"
    run = asking.wait(200)
    assert (run["result"], asking.escalated()) == ("expired", ["by_hand", "approval_expired"])


def test_a_target_that_cannot_be_read_is_waited_for(asking: Agent) -> None:
    """Not knowing is neither done nor failed."""
    asking.target.error = TargetError("gone")
    assert asking.wait(3)["state"] == "waiting"
    asking.target.error = None
    asking.target.ship(GOOD)
    assert asking.wait(3)["result"] == "restored"


def test_a_target_that_stays_unreadable_is_not_waited_for_for_ever(asking: Agent) -> None:
    """Whoever gives up is heard, and an hour ends it, also where nobody can see which release is live."""
    asking.target.error = TargetError("gone")
    assert asking.wait(3500)["state"] == "waiting"

    run = asking.wait(200)

    reason = "nobody rolled back by hand within 1:00:00; the live release cannot be read: gone"
    assert (run["result"], run["reason"]) == ("expired", reason)


def test_a_word_counts_where_the_target_cannot_be_read(asking: Agent) -> None:
    """Done without a look is not done: it fails and latches, since nobody knows."""
    asking.target.error = TargetError("gone")
    answer(asking, Answer.DONE)

    run = asking.wait(3)

    assert run["reason"] == "ada said that it is done, but the live release cannot be read: gone"
    assert (run["result"], asking.latch()) == ("failed", run["reason"])


def test_a_restart_asks_nobody_twice(asking: Agent) -> None:
    """A new process finds the question where it was."""
    asking.new_process()
    asking.target.ship(GOOD)
    assert asking.wait(3)["result"] == "restored"
    assert asking.escalated() == ["by_hand"]


def test_the_kill_switch_ends_it(asking: Agent) -> None:
    """Stop means stop."""
    asking.config.kill_switch.touch()
    assert asking.wait(3)["result"] == "refused"


def test_guardrails_bind_it(agent: Agent) -> None:
    """A manual rollback is claimed within the budget, and refused like any other."""
    agent.target.commits[GOOD] = "e" * 40
    agent.request(Level.MANUAL)
    assert agent.work()["result"] == "refused"


def test_a_branch_may_ask_for_it(agent: Agent) -> None:
    """A rule of the level manual plans, backs up, and calls a person instead of executing."""
    agent.prometheus.firing = (branch(level=Level.MANUAL),)
    run = agent.go()
    assert (run["state"], run["phase"], agent.executed()) == ("waiting", "execute", [])
    assert agent.escalated(only_open=True) == ["by_hand"]
