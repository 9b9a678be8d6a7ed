"""The `script` target through the whole agent: with the reference scripts, and with scripts that mean harm."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.stand import AGENT, BAD, GOOD, Stand, stand

MEBIBYTE = 1 << 20
OF_WRAPPER = (
    "pid=$$; until grep -q run_once_wrapper /proc/$pid/cmdline; "
    "do pid=$(sed -n 's/^PPid:\t//p' /proc/$pid/status); done"
)
"""Shell that finds the process id of the wrapper above the script."""


@contextmanager
def scripted(directory: Path, timeout: str = "30s", **deployment: Any) -> Iterator[Stand]:
    """A stand whose deployment is rolled back by the reference scripts."""
    scripts = directory / "scripts"
    target = {"script": {"directory": str(scripts), "timeout": timeout}}
    with stand(directory) as here:
        here.write_config(deployment={"target": target, **deployment})
        subprocess.run((AGENT, "scripts", scripts), check=True, capture_output=True)
        (scripts / "settings.sh").write_text(
            f"app={here.app}\nverify_within=20\nrestart() {{ {here.restart}; }}\n"
            "check() { true; }\nback_up() { :; }\n"
        )
        yield here


def hostile(here: Stand, body: str) -> None:
    """Put something else in the place of emergency-rollback.sh."""
    (here.directory / "scripts" / "emergency-rollback.sh").write_text(f"#!/bin/sh\n{body}\n")


def roll_back(here: Stand, timeout: float = 60) -> dict[str, Any]:
    """A bad release is shipped, it fires, and the agent does what it does; the run."""
    here.go_wrong()
    return here.await_run(timeout=timeout)


def output(here: Stand) -> bytes:
    (file,) = (here.root / "logs").glob("rollback-*.log")
    return file.read_bytes()


def running(pid_file: Path) -> bool:
    """Whether the process whose id stands in the file is there and no zombie."""
    with suppress(OSError):
        return Path(f"/proc/{int(pid_file.read_text())}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_reference_scripts_bring_the_good_release_back(tmp_path: Path) -> None:
    """Back up, roll back, verify: each script runs once, and the agent verifies it for itself."""
    with scripted(tmp_path) as here:
        run = roll_back(here)

        assert (run["result"], here.live(), here.restarts()) == ("restored", GOOD, 1)
        printed = output(here).decode()
        told = f"/usr/bin/env ROLLBACK_LIVE_RELEASE={BAD} ROLLBACK_TARGET_RELEASE={GOOD}"
        assert [line for line in printed.splitlines() if line.startswith("[")] == [
            f"[1/3] {tmp_path}/scripts/backup-current-state.sh",
            f"[2/3] {told} {tmp_path}/scripts/emergency-rollback.sh --fast --auto-confirm",
            f"[3/3] {told} {tmp_path}/scripts/verify-rollback.sh",
        ]
        assert f"current: {BAD} -> {GOOD}" in printed
        assert "well three times in a row" in printed
        assert len(list((tmp_path / "backups").glob("state-*/MANIFEST.txt"))) == 1


def test_script_that_exits_0_without_effect_fails(tmp_path: Path) -> None:
    """An exit code is not believed: what is live is looked at, and verify-rollback.sh says no as well."""
    with scripted(tmp_path) as here:
        hostile(here, "echo all is well; exit 0")
        run = roll_back(here)

        assert (run["result"], here.live()) == ("failed", BAD)
        assert f"exit code 1, {BAD} is live" in run["reason"]


def test_script_that_ignores_term_and_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    """At the time limit the script, and a child of it in a session of its own, are gone although both ignore TERM."""
    with scripted(tmp_path, timeout="2s") as here:
        child = f"setsid sh -c 'echo $$ > {tmp_path}/child; sleep 600; sleep 600' &"
        hostile(here, f"trap '' TERM\n{child}\necho $$ > {tmp_path}/script\nsleep 600\nsleep 600")
        began = time.monotonic()
        run = roll_back(here)

        assert (run["result"], run["execution"]["exit_code"]) == ("failed", 124)
        assert "its time limit" in run["reason"]
        assert time.monotonic() - began < 60
        assert (tmp_path / "script").exists()
        assert not running(tmp_path / "script")
        assert not running(tmp_path / "child")


def test_script_that_leaves_a_child_leaves_nothing_where_that_is_wanted(tmp_path: Path) -> None:
    """With `end_leftovers` a child in a session of its own is gone, although the script did its work."""
    with scripted(tmp_path, end_leftovers=True) as here:
        script = here.directory / "scripts" / "emergency-rollback.sh"
        child = f"setsid sh -c 'echo $$ > {tmp_path}/child; sleep 600; sleep 600' &\n"
        script.write_text(script.read_text().replace("set -eu\n", f"set -eu\n{child}", 1))
        run = roll_back(here)

        assert (run["result"], here.live()) == ("restored", GOOD)
        assert (tmp_path / "child").exists()
        assert not running(tmp_path / "child")
        assert b"ended: sh (" in output(here)


def test_script_that_writes_a_gibibyte_fills_no_disk_and_no_memory(tmp_path: Path) -> None:
    """Of 1 GiB of output a few MiB are kept, the agent does not grow by it, and the verdict is that of the target."""
    with scripted(tmp_path, timeout="5m") as here:
        keep = f"cat /proc/$pid/status > {tmp_path}/wrapper"
        hostile(
            here, f"echo it begins; head -c 1G /dev/zero | tr '\\000' x; echo it ends; {OF_WRAPPER}; {keep}; exit 3"
        )
        run = roll_back(here, timeout=360)

        assert (run["result"], run["execution"]["exit_code"]) == ("failed", 3)
        printed = output(here)
        assert len(printed) < 5 * MEBIBYTE
        assert b"it begins" in printed
        assert b"bytes are left out here" in printed
        assert b"it ends" in printed[-500:]
        assert len(run["reason"]) < 5000
        assert here.agent is not None
        assert most_memory(Path(f"/proc/{here.agent.pid}/status")) < 400 * MEBIBYTE
        assert most_memory(tmp_path / "wrapper") < 64 * MEBIBYTE


def most_memory(status: Path) -> int:
    """The largest that a process has been, in bytes, by its status as /proc gives it."""
    lines = status.read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))


def test_script_that_prints_what_is_no_text_is_shown_without_harm(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 and NUL end up as text in the reason, the report and over HTTP."""
    with scripted(tmp_path) as here:
        hostile(here, "printf 'odd \\377\\376 bytes \\000 end\\n'; exit 4")
        run = roll_back(here)

        assert (run["result"], run["execution"]["exit_code"]) == ("failed", 4)
        assert "odd \\xff\\xfe bytes" in run["reason"]
        assert "odd \\xff\\xfe bytes" in Path(run["report"]).read_text()


@pytest.mark.parametrize("body", ["kill -9 $$", "exec /no/such/program"], ids=["killed", "not started"])
def test_script_that_does_not_come_to_its_end_fails(tmp_path: Path, body: str) -> None:
    """A script that is killed, or cannot start what it is made of, fails with what is live."""
    with scripted(tmp_path) as here:
        hostile(here, body)
        run = roll_back(here)

        assert (run["result"], here.live()) == ("failed", BAD)
        assert run["execution"]["exit_code"] == (137 if "kill" in body else 127)


def test_nothing_is_touched_where_a_deploy_came_in_between(tmp_path: Path) -> None:
    """The release is compared within the command too: where it came at the last moment, nothing runs."""
    with scripted(tmp_path) as here:
        listing = here.directory / "scripts" / "list-releases.sh"
        real = listing.read_text()
        # Inside the command the listing tells another release, as after a deploy that came at the last moment.
        lie = "if grep -q act_if_live /proc/$PPID/cmdline; then echo r9; exit; fi"
        listing.write_text(real.replace("set -eu\n", f"set -eu\n{lie}\n", 1))
        run = roll_back(here)

        assert (run["result"], here.live(), here.restarts()) == ("failed", BAD, 0)
        assert run["execution"]["exit_code"] == 65
        assert "nothing was touched" in run["reason"]
