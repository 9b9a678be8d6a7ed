"""An agent that is stopped, restarted with its service, or moved: nothing is begun twice, and nothing is forgotten."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.processes import wait_until
from receiver.journal import deployments, escalations
from receiver.journal.database import Database, sqlite_url
from receiver.run_once import Command, Ended, run_once
from receiver.workflow import LEASE, Workflow
from tests.acceptance.stand import GOOD as GOOD_RELEASE
from tests.acceptance.stand import stand
from tests.faults.life import at_work
from tests.receiver.agent import Agent
from tests.receiver.surroundings import BAD, GOOD, configuration, surroundings

LONG = 60.0


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    """An agent at L4."""
    made = Agent(tmp_path)
    yield made
    made.database.close()


@pytest.mark.parametrize("question", range(1, 7))
def test_told_to_stop_it_begins_no_further_phase(agent: Agent, question: int) -> None:
    """Told so at any question to Prometheus, it leaves the run between two phases, and the next start goes on there."""

    def stop(asked: int) -> None:
        agent.heal(asked)
        if asked == question:
            agent.workflow.stop()

    agent.prometheus.when_asked = stop
    left = agent.go()
    agent.new_process()
    run = agent.work()

    assert (run["id"], run["result"], agent.executed()) == (left["id"], "restored", [GOOD])
    assert agent.audited().count("execute") == 1


def test_told_to_stop_before_the_command_it_does_not_start_it(agent: Agent) -> None:
    """A rollback that has not begun is nothing to begin while the service goes down; the next start asks anew."""
    agent.prometheus.when_asked = lambda _question: agent.workflow.stop()
    run = agent.go()
    assert (run["state"], run["phase"], agent.executed()) == ("waiting", "evaluate", [])


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("trap 'echo finishing; exit 0' TERM; touch $0; while :; do sleep 0.05; done", 0),
        ("touch $0; while :; do sleep 0.05; done", 143),
    ],
    ids=["it ends well by itself", "it is ended"],
)
def test_term_to_the_whole_service_is_for_the_command_to_obey(tmp_path: Path, script: str, code: int) -> None:
    """As systemd sends it to every process of a service: how the command ended is told, and not lost."""
    begun = tmp_path / "begun"
    command = Command(("/bin/sh", "-c", script, str(begun)), {"PATH": os.environ["PATH"]}, tmp_path / "output", LONG)
    found: list[object] = []
    runner = threading.Thread(target=lambda: found.append(run_once(tmp_path / "marks", command)))
    runner.start()
    assert wait_until(begun.exists, LONG)

    for process in at_work(tmp_path):
        os.kill(process, signal.SIGTERM)
    runner.join(LONG)

    assert isinstance(found[0], Ended)
    assert found[0].exit_code == code


def test_a_state_directory_on_another_host_takes_no_command_for_running(agent: Agent, tmp_path: Path) -> None:
    """Copied while the command runs: there its lock is nobody's, nothing is started, and a person has to look."""
    begun, go = tmp_path / "begun", tmp_path / "go"
    agent.target.script = f'touch {begun}; until [ -e {go} ]; do sleep 0.05; done; echo "$1" >> "$2"'
    agent.wake()
    here = threading.Thread(target=agent.work)
    here.start()
    assert wait_until(begun.exists, LONG)
    other = tmp_path / "other"
    shutil.copytree(tmp_path, other, ignore=shutil.ignore_patterns("other"))

    journal = Database(sqlite_url(other / "state.db"), agent.clock)
    agent.clock.advance(LEASE + 1)
    there = surroundings(configuration(other), journal, agent.prometheus, agent.target, agent.clock)
    Workflow(journal, {"qrl": there}.get, there.audit, lambda *_: None).work_once()
    with journal.read() as tx:
        latch, (asked,) = deployments.latch_of(tx, "qrl"), escalations.find(tx, only_open=True)
    journal.close()

    assert latch is not None
    assert latch.reason == f"the command was interrupted and {BAD} is live; nothing is started again"
    assert asked.reason == "unknown_result"
    go.touch()
    here.join(LONG)
    assert agent.executed() == [GOOD]


def test_told_to_stop_twice_in_the_middle_of_the_command(tmp_path: Path) -> None:
    """It lets the command end, ends well itself, and the next start verifies what was done, once."""
    with stand(tmp_path) as here:
        go = tmp_path / "go"
        here.restart.write_text(f"#!/bin/sh\necho x >> {here.calls}\nuntil [ -e {go} ]; do sleep 0.05; done\n")
        here.go_wrong()
        here.eventually(lambda: here.restarts() == 1, LONG)
        assert here.agent is not None
        for _ in range(2):
            here.agent.signal(signal.SIGTERM)
        here.eventually(lambda: "rollback-agent stops" in (here.root / "logs" / "agent.log").read_text(), LONG)
        go.touch()
        here.eventually(lambda: here.agent is not None and not here.agent.running, LONG)
        assert here.agent.exit_code == 0

        here.start_agent()
        run = here.await_run(timeout=LONG)
        assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD_RELEASE, 1)
