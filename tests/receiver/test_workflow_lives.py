"""A run outlives its workers, its reports and its configuration, and is given up where it keeps ending them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from receiver.errors import JournalError, LostLease
from receiver.journal import runs, tables
from receiver.model import Result, Run
from receiver.phases.switched import remember_switch
from receiver.workflow import LEASE, MAX_LIVES, Workflow
from tests.receiver.agent import Agent, Killed
from tests.receiver.journal.rows import contents
from tests.receiver.surroundings import GOOD
from tests.receiver.upsets import CLAIM, EVALUATE, EXECUTE, GUARD, VERIFY, at, raising


@pytest.mark.parametrize("question", [EVALUATE, GUARD, CLAIM, EXECUTE, VERIFY])
def test_a_worker_that_lost_the_run_does_nothing_more(agent: Agent, question: int) -> None:
    """Once another worker has taken the run over, the old one changes no row, writes no record, starts no command."""
    seen: list[tuple[object, list[str], list[str]]] = []

    def take_over() -> None:
        agent.clock.advance(LEASE + 1)
        with agent.database.write() as tx:
            assert runs.claim(tx, "another", agent.clock(), LEASE)
        seen.append((contents(agent.database), agent.audited(), agent.executed()))

    at(agent, question, take_over)
    agent.wake()

    assert agent.workflow.work_once()

    assert [(contents(agent.database), agent.audited(), agent.executed())] == seen


def test_a_stop_that_comes_too_late_does_nothing(agent: Agent) -> None:
    """A worker that lost the run and then fails neither latches nor escalates nor records it."""

    def take_over() -> None:
        agent.clock.advance(LEASE + 1)
        with agent.database.write() as tx:
            assert runs.claim(tx, "another", agent.clock(), LEASE)
        raise RuntimeError

    at(agent, EXECUTE, take_over)
    agent.wake()
    agent.workflow.work_once()  # and no more: on a busy machine the other one's lease may end meanwhile

    assert (agent.latch(), agent.escalated(), agent.audited()[-1]) == (None, [], "back_up:done")


def test_a_renewed_lease_keeps_the_run(agent: Agent) -> None:
    """While a phase takes its time, renewing keeps the run from everybody else."""
    taken: list[Run | None] = []

    def take_time() -> None:
        for _ in range(3):
            agent.clock.advance(LEASE - 1)
            agent.workflow.renew_leases()
        with agent.database.write() as tx:
            taken.append(runs.claim(tx, "another", agent.clock(), LEASE))

    at(agent, GUARD, take_time)

    assert agent.go()["result"] == "restored"
    assert taken == [None]


def test_a_run_that_keeps_ending_its_process_is_given_up(agent: Agent) -> None:
    """After five kills in one step the run is failed, with a human asked and all that it had found still there."""
    agent.wake()
    for _ in range(MAX_LIVES):
        at(agent, GUARD, raising(Killed()))
        agent.prometheus.asked = GUARD - 1 if agent.run()["decision"] else 0
        with pytest.raises(Killed):
            agent.work()
        agent.new_process()
        agent.clock.advance(LEASE + 1)

    run = agent.work()

    assert (run["result"], agent.escalated(), agent.executed()) == ("failed", ["agent_failed"], [])
    assert run["reason"] == "the agent stopped 5 times in guard"
    assert agent.latch() == run["reason"]
    assert run["decision"]["branch"] == "service_down"
    assert "ServiceDown fires" in Path(run["report"]).read_text()


def test_database_errors_do_not_use_up_a_run(agent: Agent) -> None:
    """However often the journal fails under a run, it is taken up again and goes through in the end."""
    agent.wake()
    for _ in range(MAX_LIVES + 2):
        at(agent, GUARD, raising(JournalError("the disk is full")))
        agent.prometheus.asked = GUARD - 1 if agent.run()["decision"] else 0
        assert agent.work()["state"] == "ready"
        agent.clock.advance(LEASE + 1)
    agent.prometheus.when_asked = agent.heal

    assert agent.work()["result"] == "restored"


def test_finished_steps_do_not_run_again(agent: Agent) -> None:
    """A run that is taken up by another process goes on after its last finished step."""
    at(agent, CLAIM, raising(Killed()))
    agent.wake()
    before = agent.prometheus.asked

    run = agent.die_and_return()

    assert (run["result"], agent.executed()) == ("restored", [GOOD])
    assert agent.audited().count("evaluate:done") == agent.audited().count("guard:done") == 1
    assert agent.prometheus.asked > before


@pytest.mark.parametrize("error", [OSError("the disk is full"), ValueError("a bug")])
def test_a_report_that_cannot_be_written_does_not_keep_the_run_open(agent: Agent, error: Exception) -> None:
    """The run ends without a report, and its last step says why there is none."""

    def no_report(_run: Run, _result: Result, _reason: str) -> str | None:
        raise error

    agent.workflow = Workflow(agent.database, {"qrl": agent.world}.get, agent.world.audit, no_report)

    run = agent.go()

    assert (run["state"], run["result"], run["report"]) == ("finished", "restored", None)
    assert run["steps"][-1]["summary"] == f"the report could not be written: {error}"


def test_a_report_that_ends_the_process_is_given_up(agent: Agent) -> None:
    """What kills the agent five times over the report of a run does not do so for ever: it has none."""

    def killing(_run: Run, _result: Result, _reason: str) -> str | None:
        raise Killed

    agent.wake()
    for _ in range(MAX_LIVES):
        agent.workflow = Workflow(agent.database, {"qrl": agent.world}.get, agent.world.audit, killing)
        with pytest.raises(Killed):
            agent.work()
        agent.clock.advance(LEASE + 1)

    run = agent.work()

    assert (run["state"], run["result"], run["report"]) == ("finished", "restored", None)
    assert run["steps"][-1]["summary"] == "no report: the agent stopped 5 times over it"


def test_a_run_of_a_deployment_that_is_gone_from_the_configuration_ends(agent: Agent) -> None:
    """A run that waited while its deployment was taken out of the configuration fails and asks a human."""
    agent.wake()
    agent.workflow = Workflow(agent.database, {}.get, agent.world.audit, agent.report.write)

    run = agent.work()

    assert (run["state"], run["result"], agent.escalated()) == ("finished", "failed", ["agent_failed"])
    assert run["reason"] == "qrl is no longer in the configuration"
    assert agent.latch() is None


def test_a_deployment_that_is_gone_while_its_command_ran_is_latched(agent: Agent) -> None:
    """Taken out of the configuration once the command may have begun, its result is not known: a person clears it."""
    at(agent, EXECUTE, raising(Killed()))
    agent.wake()
    with pytest.raises(Killed):
        agent.work()
    agent.workflow = Workflow(agent.database, {}.get, agent.world.audit, agent.report.write)

    run = agent.wait(LEASE + 1)

    assert (run["result"], agent.escalated()) == ("failed", ["agent_failed"])
    assert agent.latch() == "qrl is no longer in the configuration"


def test_two_workers_on_one_journal_do_it_once(agent: Agent) -> None:
    """Two processes that work on the same journal bring a run to its end together, and execute once."""
    other = Workflow(agent.database, {"qrl": agent.world}.get, agent.world.audit, agent.report.write)
    agent.wake()
    at(agent, CLAIM, other.work_once)

    assert (agent.work()["result"], agent.executed()) == ("restored", [GOOD])


FINDINGS = {"not JSON": "{", "of another shape": '{"decision": {"alert": 1}}', "no object": "[1]"}


@pytest.mark.parametrize("kept", FINDINGS.values(), ids=FINDINGS)
def test_a_run_whose_findings_cannot_be_read_fails_alone(make_agent: Callable[..., Agent], kept: str) -> None:
    """Whatever wrote them so, a human is told, nothing is executed, and what fires is looked at as before."""
    agent = make_agent(autonomy="L3")
    agent.go()
    with agent.database.write() as tx:
        tx.execute(sa.update(tables.step).where(tables.step.c.name == "evaluate").values(output=kept))
    agent.clock.advance(11)
    assert agent.workflow.work_once()

    with agent.database.read() as tx:
        ended = tx.execute(sa.select(tables.run.c.state, tables.run.c.result)).one()
    assert tuple(ended) == ("finished", "failed")
    assert "agent_failed" in agent.escalated(only_open=True)
    assert agent.executed() == []
    assert agent.wake() is None  # its next word is a person's; above all, it can be asked


def test_a_worker_that_lost_the_run_holds_nothing(make_agent: Callable[..., Agent]) -> None:
    """Whoever comes back after another worker and a person have gone on does not hold the release anew."""
    agent = make_agent(autonomy="L3")
    agent.go()
    taken = []
    for worker in ("one", "two"):
        agent.clock.advance(LEASE + 1)
        with agent.database.write() as tx:
            taken.append(runs.claim(tx, worker, agent.clock(), LEASE))
    stale, _ = taken
    assert stale is not None

    with pytest.raises(LostLease):
        remember_switch(stale, agent.world, stale.findings.require_plan(), agent.clock())

    assert agent.held() == []
