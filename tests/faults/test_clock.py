"""The wall clock jumps under a real agent, while a person is asked."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

from tests.acceptance.stand import BAD, OPERATOR, Stand, stand

LONG = 60.0


def moved_by(clock: Path) -> tuple[str, ...]:
    """What starts a program whose wall clock is as far ahead as stands in this file at each look."""
    if shutil.which("faketime") is None:
        pytest.skip("faketime is not installed")
    told = subprocess.run(("faketime", "-m", "-f", "+0", "env"), capture_output=True, text=True, check=True).stdout
    (library,) = (line for line in told.splitlines() if line.startswith("LD_PRELOAD="))
    names = (f"FAKETIME_TIMESTAMP_FILE={clock}", "FAKETIME_CACHE_DURATION=1", "FAKETIME_DONT_FAKE_MONOTONIC=1")
    return ("env", library, *names)


def approve(here: Stand) -> None:
    """Approve over HTTP, so that the agent's own clock says whether it is still asked."""
    here.eventually(lambda: here.runs()[-1]["state"] == "waiting", LONG)
    url = f"{here.url}/api/v1/incidents/{here.incidents()[0]['id']}/decision"
    sent = {"decision": "approve", "plan": here.runs()[-1]["plan"]["hash"]}
    answer = requests.post(url, json=sent, headers={"Authorization": f"Bearer {OPERATOR}"}, timeout=30)
    assert answer.ok, answer.text


def ended(here: Stand) -> list[str | None]:
    """How the runs have ended, oldest first."""
    return [run["result"] for run in here.runs()]


@pytest.mark.parametrize(("jump", "result"), [("+25h", "expired"), ("-1h", "refused")])
def test_a_clock_that_jumps_and_comes_back(tmp_path: Path, jump: str, result: str) -> None:
    """Ahead, the question is over; behind, Prometheus is not believed; set right, the agent plans and asks anew."""
    with stand(tmp_path, autonomy="L3") as here:
        clock = tmp_path / "clock"
        clock.write_text("+0\n")
        here.start_prometheus()
        here.start_agent(under=moved_by(clock))
        here.await_good()
        here.ship(BAD)
        here.await_firing()
        here.notify()
        here.await_run(state="waiting")

        clock.write_text(f"{jump}\n")
        here.eventually(lambda: is_moved(here), LONG)
        if result == "refused":
            approve(here)
        here.eventually(lambda: ended(here) == [result], LONG)
        assert (here.live(), here.restarts()) == (BAD, 0)

        clock.write_text("+0\n")
        here.eventually(lambda: not is_moved(here), LONG)
        (escalation,) = here.incidents()[0]["escalations"]
        here.command("answer", escalation["id"], "--retry", "--as", "ada")
        # No command is run here: under libfaketime the sleep of Python that waits for its end is an error.
        here.eventually(lambda: [run["state"] for run in here.runs()] == ["finished", "waiting"], LONG)
        assert (here.live(), here.restarts()) == (BAD, 0)


def is_moved(here: Stand) -> bool:
    """Whether the agent's clock is another one, as the date of its answers has it."""
    date = requests.get(f"{here.url}/-/healthy", timeout=30).headers["Date"]
    return bool(abs(parsedate_to_datetime(date) - datetime.now(UTC)) > timedelta(minutes=30))
