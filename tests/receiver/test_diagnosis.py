"""From L2 on a run that asks a person, or ends, collects a diagnosis, and nothing of it can fail the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from receiver.commands.diagnosis_view import show_diagnosis
from receiver.diagnosis import diagnose
from receiver.errors import PrometheusError
from receiver.journal import releases
from receiver.journal.approvals import ApprovalState
from receiver.model import Action, Release
from tests.receiver.agent import Agent
from tests.receiver.surroundings import BAD, GOOD, branch

CHECK = {
    "deployment": "qrl", "service": "flask", "check": "home", "kind": "availability",
    "success": False, "reason": "status", "detail": "status 503, expected 200", "seconds": 0.25,
}  # fmt: skip
LINE = '192.0.2.1 - - [24/Nov/2026:15:00:00 +0000] "GET /pay HTTP/1.1" 500 12'


def settings(tmp_path: Path, **more: Any) -> dict[str, Any]:
    """A deployment with one failing check and one access log."""
    log = tmp_path / "access.log"
    log.write_text(f"{LINE}\n")
    health = ["/bin/sh", "-c", 'printf %s "$1"; exit 1', "sh", json.dumps({"checks": [CHECK]})]
    return {"diagnosis": {"health": health, "access_logs": [str(log)]}, **more}


@pytest.fixture
def watched(tmp_path: Path) -> Agent:
    """An agent at L2 whose diagnosis is configured."""
    return Agent(tmp_path, autonomy="L2", qrl=settings(tmp_path))


def test_l2_reports_the_diagnosis_and_does_nothing(watched: Agent) -> None:
    """At L2 a bad release is decided, diagnosed and reported; nothing is executed."""
    watched.clock.stand_still()
    with watched.database.write() as tx:
        releases.deploy_started(tx, "qrl", BAD, watched.clock() - 60, commit=None, author="grace")
        releases.deploy_finished(tx, "qrl", BAD, watched.clock() - 30, releases.Migration.OK)
    watched.target.since = lambda: watched.clock() - 90

    run = watched.go()

    assert (run["result"], watched.executed()) == ("recorded", [])
    found = run["diagnosis"]
    assert [(one["check"], one["success"], one["detail"]) for one in found["checks"]] == [
        ("home", False, "status: status 503, expected 200")
    ]
    assert [signal["name"] for signal in found["signals"]][:1] == ["deployment:availability:ratio"]
    assert [(one["id"], one["commit"], one["author"], one["migration"]) for one in found["releases"]] == [
        (BAD, "d" * 40, "grace", "ok")
    ]
    assert [one["lines"] for one in found["error_lines"]] == [[LINE]]
    assert found["gaps"] == []
    report = Path(run["report"]).read_text()
    for line in (
        "| `flask` | `home` | `availability` | **failed**: status: status 503, expected 200 | 0.25 s |",
        "| `deployment:availability:ratio` | 0.25 |",
        f"    {LINE}",
    ):
        assert line in report.splitlines()
    assert f"| `{BAD}` | " in report
    assert f" | 0:01:30 | `{'d' * 40}` | `grace` | `ok` |" in report


def test_l1_collects_nothing(tmp_path: Path) -> None:
    """At L1 the agent reads, decides, records and reports, and runs no command at all."""
    trace = tmp_path / "ran"
    agent = Agent(tmp_path, autonomy="L1", qrl={"diagnosis": {"health": ["/usr/bin/touch", str(trace)]}})

    run = agent.go()

    assert (run["result"], run["diagnosis"], trace.exists()) == ("recorded", None, False)
    assert "## Diagnosis" not in Path(run["report"]).read_text()


def test_who_is_asked_has_the_diagnosis(tmp_path: Path) -> None:
    """At L3 it is there while the person is asked, is collected once, and is still there after the rollback."""
    agent = Agent(tmp_path, autonomy="L3", qrl=settings(tmp_path))

    waiting = agent.go()
    again = agent.wait(11)
    agent.decide(ApprovalState.APPROVED)
    ended = agent.work()

    assert (waiting["state"], ended["result"]) == ("waiting", "restored")
    assert waiting["diagnosis"]["checks"]
    assert again["diagnosis"] == waiting["diagnosis"] == ended["diagnosis"]
    assert ended["permission"]["by"] == "ada"


def test_a_rollback_does_not_wait_for_it(tmp_path: Path) -> None:
    """At L4 the diagnosis is collected after the rollback was verified, and never before the command."""
    seen = tmp_path / "seen"
    trace = ["/bin/sh", "-c", f"cat {tmp_path}/releases > {seen}"]
    agent = Agent(tmp_path, qrl={"diagnosis": {"health": trace}})

    assert agent.go()["result"] == "restored"
    assert seen.read_text().split() == [GOOD, BAD, GOOD]


def test_a_run_that_found_nothing_wrong_needs_none(watched: Agent) -> None:
    """Where no branch fires there is nothing to diagnose."""
    watched.wake()
    watched.prometheus.firing = ()

    run = watched.work()

    assert (run["result"], run["diagnosis"]) == ("not_needed", None)


def test_a_branch_that_asks_is_diagnosed(watched: Agent) -> None:
    """A person whom a branch calls finds the diagnosis in the report too."""
    watched.prometheus.firing = (branch("slow_responses", Action.ASK),)

    run = watched.go()

    assert run["result"] == "asked"
    assert run["diagnosis"]["checks"]


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A broken command, an absent log and a silent Prometheus are gaps, and the rest is there."""
    log = tmp_path / "access.log"
    log.write_text(f"{LINE}\n")
    logs = [str(tmp_path / "absent.log"), str(log)]
    agent = Agent(tmp_path, autonomy="L2", qrl={"diagnosis": {"health": ["/no/program"], "access_logs": logs}})
    agent.prometheus.error = PrometheusError("it is down")

    run = agent.go()

    assert (run["result"], run["diagnosis"]["gaps"]) == (
        "missing_data",
        [
            "no health checks: /no/program cannot be started: No such file or directory",
            "no signals: it is down",
            f"no failed requests of {tmp_path}/absent.log: No such file or directory",
        ],
    )
    assert [one["path"] for one in run["diagnosis"]["error_lines"]] == [str(log)]
    assert "- Missing: no signals: it is down" in Path(run["report"]).read_text()


def test_what_is_not_configured_is_told(agent: Agent) -> None:
    """Without configuration the diagnosis says which key would give it more."""
    found = diagnose(agent.world)

    assert found is not None
    assert found.gaps == (
        "no health checks: diagnosis.health is not configured",
        "no failed requests: diagnosis.access_logs is not configured",
    )


def test_a_bug_in_it_does_not_fail_the_run(agent: Agent) -> None:
    """Whatever a part raises is a gap like any other."""
    agent.prometheus.error = ValueError("a bug")

    found = diagnose(agent.world)

    assert found is not None
    assert found.gaps == ("the diagnosis failed unexpectedly: a bug",)


def test_recent_releases_are_the_newest_live_ones(agent: Agent) -> None:
    """At most five are told, newest first; one that was never seen live is none of them."""
    with agent.database.write() as tx:
        for number in range(7):
            releases.seen(tx, "qrl", (Release(f"n{number}", "e" * 40),), agent.clock())
            releases.set_live(tx, "qrl", f"n{number}", agent.clock() - number)

    found = diagnose(agent.world)

    assert found is not None
    assert [one.id for one in found.releases] == ["n0", "n1", "n2", "n3", "n4"]


def test_a_release_that_nobody_has_looked_at_yet_is_told_too(tmp_path: Path) -> None:
    """A branch may fire before the agent looks for releases again; what fails is then the newest one of all."""
    agent = Agent(tmp_path, autonomy="L3", qrl=settings(tmp_path))
    agent.target.ship("r3")

    waiting = agent.go()

    assert waiting["plan"]["live_release"] == "r3"
    assert [one["id"] for one in waiting["diagnosis"]["releases"]][:1] == ["r3"]


def test_it_is_shown_on_a_terminal(watched: Agent, capsys: pytest.CaptureFixture[str]) -> None:
    """`show` prints checks, signals, releases, lines and gaps, and nothing that drives a terminal."""
    diagnosis = watched.go()["diagnosis"]
    hostile = "\x1b[31m[red]"
    diagnosis["gaps"] = [hostile]
    diagnosis["error_lines"][0]["lines"].append(hostile)
    diagnosis["checks"][0]["detail"] += hostile

    show_diagnosis(diagnosis)

    shown = capsys.readouterr().out
    for text in ("failed: status: status 503", "deployment:availability:ratio", LINE, "missing: ", "[red]"):
        assert text in shown
    assert "\x1b" not in shown
