"""The machine under a real agent fails in the middle of its work: the disk, its files, and all of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests.acceptance.stand import BAD, GOOD, Stand, stand
from tests.faults.disks import PRIVATE, Disk, mounted
from tests.faults.life import at_work

LONG = 60.0
BOOT_ID = "/proc/sys/kernel/random/boot_id"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Stand]:
    """A stand at L4 whose disk guardrail lets a small disk pass."""
    with stand(tmp_path, guardrails={"disk_space": {"minimum_bytes": 0}}) as made:
        made.root.mkdir()
        yield made


def escalations(here: Stand) -> list[str]:
    """The reasons for which a human is called and has not answered."""
    lines = [line for line in here.metrics().splitlines() if line.startswith("rollback_escalations_open{")]
    return [line.partition('reason="')[2].partition('"')[0] for line in lines if line.endswith(" 1.0")]


def is_latched(here: Stand) -> bool:
    return 'rollback_latched{deployment="qrl"} 1.0' in here.metrics()


def is_ready(here: Stand) -> bool:
    return requests.get(f"{here.url}/-/ready", timeout=30).status_code == 200


def test_a_command_that_fills_the_disk(here: Stand) -> None:
    """Its output, its end and its report find no room: it runs once, and what is known of it is told once there is."""
    agent = here.start_agent(under=mounted("size=4m", here.root))
    disk = Disk(agent, here.root)
    fill = f"cat /dev/zero > {here.root}/ballast"
    here.restart.write_text(f"#!/bin/sh\necho x >> {here.calls}\n{fill}\nexit 0\n")
    here.start_prometheus()
    here.await_good()
    here.ship(BAD)
    here.await_firing()
    here.notify()
    here.eventually(lambda: here.restarts() == 1 and not is_ready(here), LONG)
    disk.make_room()
    run = here.await_run(timeout=LONG)

    assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD, 1)
    assert (escalations(here), is_latched(here)) == (["unknown_result"], True)
    assert [record["decision"] for record in records(disk)].count("execute") == 1
    assert "No space left on device" in (disk.root / "logs" / f"rollback-{run['id']}.log").read_text()
    assert (disk.root / run["report"].removeprefix(f"{here.root}/")).is_file()


def records(disk: Disk) -> list[dict[str, object]]:
    """The audit trail, as the agent sees it."""
    return [json.loads(line) for line in (disk.root / "logs" / "audit-trail.jsonl").read_text().splitlines()]


def test_a_host_that_restarts_in_the_middle_of_the_command(here: Stand) -> None:
    """All ends at once, and the boot is another one: nothing is started again, the target is asked, a human called."""
    here.restart.write_text(f"#!/bin/sh\necho x >> {here.calls}\nsleep 600\n")
    here.go_wrong()
    here.eventually(lambda: here.restarts() == 1, LONG)
    for process in at_work(here.root):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    assert here.agent is not None
    here.agent.signal(signal.SIGKILL)
    here.eventually(lambda: here.agent is not None and not here.agent.running, LONG)

    here.start_agent(under=another_boot(here.directory))
    run = here.await_run(timeout=LONG)

    assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD, 1)
    assert (escalations(here), is_latched(here)) == (["unknown_result"], True)
    assert [record["decision"] for record in here.audit()].count("execute") == 1


def another_boot(directory: Path) -> tuple[str, ...]:
    """What starts a program as in another boot of the machine; skips where that takes rights we lack."""
    file = directory / "boot-id"
    file.write_text("00000000-0000-4000-8000-000000000000\n")
    mount = f"mount --bind {file} {BOOT_ID}"
    try:
        subprocess.run([*PRIVATE, mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a boot id of one's own needs root and unshare(1)")
    return (*PRIVATE, f'{mount} && exec "$0" "$@"')


@pytest.mark.parametrize("comes_back", [True, False], ids=["it comes back", "it is gone for good"])
def test_all_its_files_are_gone(here: Stand, comes_back: bool) -> None:
    """It is not ready and does nothing; brought back, it goes on; begun anew, it knows no release to go back to."""
    here.start()
    here.ship(BAD)
    here.await_firing()
    away = here.directory / "away"
    here.root.rename(away)
    if not comes_back:
        shutil.rmtree(away)

    assert here.notify().status_code == 503
    here.eventually(lambda: not is_ready(here), LONG)
    assert requests.get(f"{here.url}/-/healthy", timeout=30).ok
    here.eventually(lambda: "rollback_journal_up 0.0" in here.metrics(), LONG)
    assert (here.live(), here.restarts(), list(here.root.rglob("*"))) == (BAD, 0, [])

    if comes_back:
        shutil.rmtree(here.root, ignore_errors=True)
        away.rename(here.root)
    else:
        assert here.agent is not None
        here.agent.stop()
        here.start_agent()
    here.eventually(lambda: is_ready(here), LONG)
    here.eventually(lambda: here.notify().status_code == 202, LONG)
    run = here.await_run(timeout=LONG)
    # What has forgotten which releases are good rolls back to none.
    told = (["restored"], []) if comes_back else (["refused"], ["safety_check_failed"])
    assert ([run["result"]], escalations(here)) == told
    assert here.restarts() == int(comes_back)
