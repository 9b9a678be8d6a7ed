"""The log tells the course of a run by itself."""

from __future__ import annotations

from pathlib import Path

from structlog.testing import capture_logs

from receiver.redaction.known import known_secrets
from tests.receiver.agent import Agent, Killed
from tests.receiver.journal.rows import contents


def test_a_run_is_told_from_its_beginning_to_its_end(agent: Agent) -> None:
    """It begins, each phase ends, and it has ended, in that order."""
    with capture_logs() as log:
        agent.go()

    phases = ("evaluate", "guard", "approve", "claim", "back_up", "execute", "verify")
    said = [line["event"] for line in log]
    assert [line for line in said if line.startswith(("the run", *phases))] == [
        "the run begins", *(f"{phase}: done" for phase in phases[:-1]), "verify: restored", "the run has ended",
    ]  # fmt: skip


def test_a_run_that_is_taken_up_again_says_so(agent: Agent) -> None:
    """After a kill the next life names what was done before it."""

    def kill(_question: int) -> None:
        raise Killed

    agent.prometheus.when_asked = kill
    agent.wake()
    with capture_logs() as log:
        agent.die_and_return()

    begun = [line for line in log if line["event"].startswith("the run ")]
    assert [line["event"] for line in begun] == ["the run begins", "the run is taken up again", "the run has ended"]
    assert (begun[1]["life"], begun[1]["done"]) == (2, [])


def test_a_fault_of_ours_gives_no_secret_away(agent: Agent) -> None:
    """What an exception says is told in reason, report, journal and trail without the secrets in it (T15)."""
    secret = "a-secret-in-an-exception"
    known_secrets.remember(secret.encode())

    def fail() -> None:
        raise RuntimeError(f"cannot connect with {secret} as postgresql://qrl:hunter2-of-a-test@db/qrl")

    agent.target.when_read = fail
    run = agent.go()

    assert run["result"] == "failed"
    told = [run["reason"], Path(run["report"]).read_text(), str(agent.audit_records()), str(contents(agent.database))]
    for text in told:
        assert "cannot connect with" in text
        assert secret not in text
        assert "hunter2-of-a-test" not in text
