"""`show --follow` prints each thing once, as it happens, and ends with the run."""

from __future__ import annotations

from collections.abc import Callable

import click
import pytest

from demo.processes import wait_until
from receiver.commands.follow import follow
from receiver.journal import views
from receiver.journal.approvals import ApprovalState
from receiver.journal.views import View
from tests.receiver.agent import Agent
from tests.receiver.commands.journaled import Journaled


def test_it_follows_a_run_to_its_end(make_agent: Callable[..., Agent], capsys: pytest.CaptureFixture[str]) -> None:
    """The question with the command that answers it, each phase, how it ended and where the report is."""
    agent = make_agent(autonomy="L3")
    agent.go()
    happens: list[Callable[[], object]] = [
        lambda: None,
        lambda: None,
        lambda: agent.decide(ApprovalState.APPROVED),
        agent.work,
    ]

    def read() -> View:
        if happens:
            happens.pop(0)()
        with agent.database.read() as tx:
            (found,) = views.incidents(tx)
        return found

    capsys.readouterr()
    follow(read, agent.config.logs, agent.clock, " --config x.yml", every=0.01)

    lines = [line[22:] for line in capsys.readouterr().out.splitlines() if line.startswith("20") and "Z  " in line]
    run = agent.run()
    incident = read()["id"]
    assert lines[0].startswith("evaluate: ServiceDown fires")
    assert (
        f"a person must confirm: rollback-agent approve {incident} --plan {run['plan']['hash'][:8]} --config x.yml"
        in lines
    )
    assert lines.count("approve: waiting for a person's approval") == 1
    assert "approve: approved by ada" in lines
    assert lines[-1] == f"run {run['id']} ended: restored: {run['reason']} ({run['report']})"
    assert len(lines) == len(set(lines))


def test_on_a_terminal_it_says_how_long_it_has_been_at_it(
    make_agent: Callable[..., Agent], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The phase and its time, and the run's, are drawn in place until the run goes on."""
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    agent = make_agent(autonomy="L3")
    agent.clock.stand_still()
    agent.go()
    agent.clock.advance(65)
    capsys.readouterr()
    drawn: list[str] = []
    looks = 0

    def read() -> View:
        nonlocal looks
        looks += 1
        if looks > 1:
            assert wait_until(is_drawn, 30)
            agent.decide(ApprovalState.APPROVED)
            agent.work()
        with agent.database.read() as tx:
            (found,) = views.incidents(tx)
        return found

    def is_drawn() -> bool:
        drawn.append(capsys.readouterr().out)
        return "approve for 0:01:05, the run for 0:01:05" in "".join(drawn)

    follow(read, agent.config.logs, agent.clock, "", every=0.01)

    assert looks == 2


def test_what_is_not_under_way_is_told_and_left(agent: Agent, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that has ended is printed once, refusals included, without waiting."""
    agent.config.kill_switch.touch()
    agent.go()
    capsys.readouterr()

    def read() -> View:
        with agent.database.read() as tx:
            return views.incidents(tx)[0]

    follow(read, agent.config.logs, agent.clock, "")
    out = capsys.readouterr().out
    assert "refused by kill_switch: the kill switch is on" in out
    assert "ended: refused" in out


def test_it_is_for_people(here: Journaled) -> None:
    """Programs read --json instead, and an unknown incident is told."""
    with pytest.raises(click.UsageError, match="--follow prints for people"):
        here.says("show", "x", "--follow", "--json")
    assert "there is no incident x" in str(here.run("show", "x", "--follow").exception)
