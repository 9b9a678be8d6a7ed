"""A disk that fails under a real agent: nothing is taken, it is told, and all goes on by itself afterwards."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.acceptance.stand import AGENT, Stand, alert, stand
from tests.faults.calls import failing
from tests.faults.disks import Disk, mounted

WAITING = 'rollback_escalations_open{deployment="qrl",reason="unknown_pattern"} 1.0'


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Stand]:
    """A stand whose agent is not started yet."""
    with stand(tmp_path) as made:
        made.root.mkdir()
        yield made


def ready(here: Stand) -> tuple[int, str]:
    """What `/-/ready` answers."""
    answer = requests.get(f"{here.url}/-/ready", timeout=30)
    return answer.status_code, answer.text


def ask(here: Stand, name: str) -> int:
    """Let the agent meet an alert that it cannot read, which is for a person; the status of its answer."""
    return here.notify(alert(alertname=name, deployment="qrl")).status_code


def await_told(here: Stand) -> None:
    """It is not ready and says why, its gauge falls, it lives, and who waits for a human is shown all the same."""
    here.eventually(lambda: ready(here) == (503, "The journal cannot be written.\n"), 60)
    assert "rollback_journal_up 0.0" in here.metrics()
    assert WAITING in here.metrics()
    assert requests.get(f"{here.url}/-/healthy", timeout=30).status_code == 200


def await_well(here: Stand) -> None:
    """It takes notifications again."""
    here.eventually(lambda: ready(here)[0] == 200, 60)
    assert "rollback_journal_up 1.0" in here.metrics()
    assert ask(here, "Before") == 202


def test_a_disk_that_fails_is_told_until_it_works(here: Stand) -> None:
    """Full, then without syncs: 503 to Alertmanager, which sends it again; then it goes on by itself."""
    agent = here.start_agent(under=mounted("size=2m", here.root))
    disk = Disk(agent, here.root)
    assert ask(here, "Before") == 202
    here.eventually(lambda: WAITING in here.metrics())

    disk.fill()
    assert ask(here, "During") == 503
    await_told(here)
    disk.make_room()
    await_well(here)
    log = (disk.root / "logs" / "agent.log").read_text().splitlines()
    assert "the journal can be written again" in [json.loads(line)["message"] for line in log if line.endswith("}")]

    with failing(agent, "fdatasync,fsync", "EIO"):
        assert ask(here, "During") == 503
        await_told(here)
    await_well(here)


@pytest.mark.parametrize(
    ("at", "options", "says"),
    [
        ("", "ro", "rollback/logs: cannot be made: Read-only file system"),
        ("", "size=100k", "rollback/state.db: database or disk is full"),
        ("logs", "ro", "rollback/logs/agent.log: cannot be written: Read-only file system"),
    ],
    ids=["read-only", "full", "read-only logs"],
)
def test_an_agent_does_not_start_on_what_it_cannot_write(here: Stand, at: str, options: str, says: str) -> None:
    """One sentence that names the file, and an exit code that is not 0."""
    (here.root / at).mkdir(exist_ok=True)
    argv = (*mounted(options, here.root / at), AGENT, "serve", "--config", here.config)

    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
