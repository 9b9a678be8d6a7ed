"""The agent is killed in the middle of its work and started again."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.acceptance.stand import BAD, GOOD, Stand, stand


def kill(here: Stand) -> None:
    """kill -9 the agent alone; what it started in other sessions lives on."""
    assert here.agent is not None
    here.agent.signal(signal.SIGKILL)
    here.eventually(lambda: here.agent is not None and not here.agent.running)


@pytest.mark.parametrize("back_after_the_command", [False, True])
def test_killed_while_the_command_runs(tmp_path: Path, back_after_the_command: bool) -> None:
    """kill -9 in the middle of execute: after a restart the same run finishes, and the command ran once."""
    with stand(tmp_path) as here:
        done = tmp_path / "command-ended"
        here.restart.write_text(f"#!/bin/sh\necho x >> {here.calls}\nsleep 4\ntouch {done}\n")
        here.go_wrong()
        here.eventually(lambda: here.restarts() == 1)
        (before,) = here.runs()
        kill(here)
        assert before["phase"] == "execute"

        if back_after_the_command:
            here.eventually(done.exists)
        here.start_agent()
        run = here.await_run()

        assert (run["id"], run["result"], here.live(), here.restarts()) == (before["id"], "restored", GOOD, 1)
        decisions = [record["decision"] for record in here.audit()]
        assert decisions.count("execute") == 1
        assert "reattach" in decisions


def test_killed_while_a_person_is_asked(tmp_path: Path) -> None:
    """An approval that is given while the agent is down counts when it is back."""
    with stand(tmp_path, autonomy="L3") as here:
        here.go_wrong()
        run = here.await_run(state="waiting")
        incident = here.incidents()[0]["id"]
        kill(here)

        here.command("approve", incident, "--plan", run["plan"]["hash"][:8], "--as", "ada")
        assert (here.live(), here.restarts()) == (BAD, 0)
        here.start_agent()

        assert here.await_run()["result"] == "restored"
        assert (here.live(), here.restarts()) == (GOOD, 1)


def test_killed_after_the_answer_to_the_webhook(tmp_path: Path) -> None:
    """What was answered with 202 is looked at after a kill -9, with no further notification."""
    with stand(tmp_path) as here:
        here.start()
        here.ship(BAD)
        here.await_firing()

        assert here.notify().status_code == 202
        kill(here)
        here.start_agent()

        assert here.await_run()["result"] == "restored"
        assert here.restarts() == 1
