"""Where no process and no thread can be started, a rollback fails in the open: it is told, and latched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests

from tests.acceptance.stand import BAD, Stand, stand
from tests.faults.calls import failing


def calls_for_a_human(here: Stand) -> list[str]:
    """The reasons that Alertmanager has for calling somebody."""
    url = f"http://127.0.0.1:{here.ports['alertmanager']}/api/v2/alerts"
    found: list[dict[str, Any]] = requests.get(
        url, params={"filter": 'alertname="RollbackNeedsHuman"'}, timeout=10
    ).json()
    return [one["labels"]["reason"] for one in found]


def test_a_command_for_which_there_is_no_process_fails_in_the_open(tmp_path: Path) -> None:
    """The process table fills up while a person is asked: approved, the rollback fails, and a human is called."""
    with stand(tmp_path, autonomy="L3") as here:
        here.go_wrong()
        plan = here.await_run(state="waiting")["plan"]["hash"]
        assert here.agent is not None

        with failing(here.agent, "clone,clone3,fork,vfork", "EAGAIN"):
            here.command("approve", here.incidents()[0]["id"], "--plan", plan[:8], "--as", "ada")
            run = here.await_run()
            here.eventually(lambda: "rollback_failed" in calls_for_a_human(here), 60)
            assert 'rollback_latched{deployment="qrl"} 1.0' in here.metrics()

        reason = f"the command ended with exit code 127, {BAD} is live: no process can be started: Resource temporarily"
        assert (run["result"], here.restarts()) == ("failed", 0)
        assert run["reason"].startswith(reason)
