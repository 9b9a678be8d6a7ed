"""What a person types, and what wrong input gets."""

from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path

import pytest
import requests

from tests.acceptance.stand import BAD, GOOD, Stand, alert, stand


def fingerprint(directory: Path) -> dict[str, str]:
    """Every file below `directory` with its digest, every link with its target."""
    return {
        str(path): str(path.readlink()) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_dry_run_prints_the_whole_plan_and_changes_nothing(tmp_path: Path) -> None:
    """`rollback --dry-run` shows plan, command, backup, guardrails and approval, and touches no file."""
    with stand(tmp_path, autonomy="L3") as here:
        here.start()
        here.ship(BAD)
        here.await_firing()
        before = fingerprint(here.app)

        printed = here.command("rollback", "qrl", "--level", "fast", "--dry-run")

        assert fingerprint(here.app) == before
        assert here.runs() == []
        for part in (
            GOOD,
            BAD,
            "0" * 40,
            str(here.restart),
            str(here.app / "shared" / "qrl.db"),
            "target_release_valid",
        ):
            assert part in printed
        assert "nothing was changed" in printed
        as_json = json.loads(here.command("rollback", "qrl", "--level", "fast", "--dry-run", "--json"))
        assert as_json["plan"]["target_release"] == GOOD
        assert as_json["plan"]["hash"][:8] in printed


def test_status_tells_what_the_target_says(tmp_path: Path) -> None:
    """The live release is read from the target at that moment, and where it cannot be, that is what is shown."""
    with stand(tmp_path) as here:
        here.start_agent()
        here.ship(BAD)
        assert json.loads(here.command("status", "--json"))["deployments"][0]["live"] == BAD
        (here.app / "current").unlink()
        shown = here.command("status")
        assert "cannot be read" in shown
        assert str(here.app / "current") in shown


def test_status_says_when_nothing_serves(tmp_path: Path) -> None:
    """With the agent gone, the first line of status is that nothing is watched."""
    with stand(tmp_path) as here:
        agent = here.start_agent()
        assert "not running" not in here.command("status")
        agent.stop()
        assert here.command("status").startswith("rollback-agent serve is not running")


def test_a_rollback_by_hand_goes_the_same_way(tmp_path: Path) -> None:
    """A person's request needs no alert, but the same guardrails, the same approval and the same verification."""
    with stand(tmp_path, autonomy="L4") as here:
        here.services.bad.clear()
        here.start()
        here.ship(BAD)

        here.command("rollback", "qrl", "--level", "fast", "--as", "ada")
        run = here.await_run(state="waiting")
        assert (here.live(), here.restarts()) == (BAD, 0)
        here.command("approve", here.incidents()[0]["id"], "--plan", run["plan"]["hash"][:8], "--as", "ada")

        run = here.await_run()
        assert (run["trigger"], run["result"], here.live()) == ("operator", "restored", GOOD)
        assert "requested by `ada`" in Path(run["report"]).read_text()


def test_a_full_rollback_is_not_done_by_the_agent(tmp_path: Path) -> None:
    """The releases target has no full level, and says so instead of doing half of it."""
    with stand(tmp_path) as here:
        here.start()
        here.ship(BAD)
        assert "a person must do it by hand" in here.command("rollback", "qrl", "--level", "full", "--dry-run", code=1)


@pytest.fixture
def here(tmp_path: Path) -> Stand:
    """A stand of which nothing was started."""
    with stand(tmp_path) as made:
        return made


@pytest.mark.parametrize("command", ["check-config", "serve", "status"])
def test_a_bad_configuration_names_file_line_and_key(here: Stand, command: str) -> None:
    """An unknown key, a doubled key and a bad duration end every command with 2 and the place of the fault."""
    good = here.config.read_text()
    for fault, said in (
        ("autonomi: L3\n", "autonomi: unknown key; did you mean 'autonomy'?"),
        ("autonomy: L3\n", "autonomy: key given twice"),
    ):
        here.config.write_text(good + fault)
        line = len(good.splitlines()) + 1
        assert f"{here.config}:{line}: {said}" in here.command(command, code=2)
    here.config.write_text(good.replace("observe_every: 300ms", "observe_every: often"))
    line = here.config.read_text().splitlines().index("    observe_every: often") + 1
    said = f"{here.config}:{line}: deployments.qrl.observe_every: 'often' is not a duration"
    assert said in here.command(command, code=2)


def test_a_missing_file_is_named(here: Stand) -> None:
    """Without its configuration, and without the token's file, the agent says which file is missing and ends with 2."""
    here.token.unlink()
    printed = here.command("serve", code=2)
    assert "webhook.token_file" in printed
    assert str(here.token) in printed
    here.config.unlink()
    assert f"{here.config}: cannot be read: No such file or directory" in here.command("check-config", code=2)


def test_a_port_in_use_is_named(here: Stand) -> None:
    """Where another program listens on the port, the agent says which address and ends with 2."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", here.ports["agent"]))
        other.listen()
        printed = here.command("serve", code=2)
    assert f"127.0.0.1:{here.ports['agent']}" in printed
    assert "in use" in printed


def test_status_before_the_agent_has_run_says_so(here: Stand) -> None:
    """A command that needs the journal says that there is none."""
    assert "has `rollback-agent serve` run here?" in here.command("status", code=1)


def test_a_hotfix_and_a_deploy_are_announced(tmp_path: Path) -> None:
    """What is announced, by hand or over HTTP, is in the metrics; the command line works with nothing serving."""
    token = tmp_path / "pipeline.token"
    token.write_text("another-token-that-only-pipelines-use")
    token.chmod(0o600)
    with stand(tmp_path, pipeline={"token_file": str(token)}) as here:
        agent = here.start_agent()
        here.command("hotfix", "start", "qrl", "--eta", "10m", "--as", "ada")
        headers = {"Authorization": f"Bearer {token.read_text()}"}
        url = f"{here.url}/api/v1/deployments/qrl/releases"
        answer = requests.post(url, json={"event": "start", "release": BAD}, headers=headers, timeout=30)

        assert (answer.status_code, answer.json()["release"]) == (201, BAD)
        assert 'rollback_hotfix_deadline_timestamp_seconds{deployment="qrl"} 0.0' not in here.metrics()
        assert 'release_in_progress{deployment="qrl"} 1.0' in here.metrics()
        assert "by ada is under way" in here.command("hotfix", "start", "qrl", "--eta", "5m", code=1)

        agent.stop()
        here.command("hotfix", "failed", "qrl")
        assert f"deploy of {BAD} to qrl has been under way" in here.command("status")
        assert "too long for a hotfix" in here.command("hotfix", "start", "qrl", "--eta", "15m", code=1)
        assert "is not a duration" in here.command("hotfix", "start", "qrl", "--eta", "soon", code=2)
        assert "the configuration has qrl" in here.command("hotfix", "done", "qrx", code=2)


def test_status_says_when_no_watchdog_comes(tmp_path: Path) -> None:
    """Once none has come for too long, status says for how long and what follows; a fresh start is given its time."""
    with stand(tmp_path) as here:
        here.start_agent()
        assert json.loads(here.command("status", "--json"))["watchdog"] == {"last_seen": None, "missing_for": None}
        here.write_config(guardrails={"watchdog": {"max_age": "1ms"}})
        assert "No Watchdog for 0:00:" in here.command("status")

        here.write_config()
        here.notify(alert(alertname="Watchdog"))
        here.eventually(lambda: json.loads(here.command("status", "--json"))["watchdog"]["last_seen"] is not None)
        assert "No Watchdog" not in here.command("status")
