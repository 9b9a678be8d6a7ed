"""The demonstration's command line refuses to start with one clear sentence and exit code 2."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path


def demo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m demo` in the repository."""
    return subprocess.run(
        (sys.executable, "-m", "demo", *arguments),
        cwd=Path(__file__).parents[2],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_port_in_use_is_exit_code_2() -> None:
    """Nothing is started, and the one line on standard error names the port and the program."""
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        somebody.listen()
        taken = str(somebody.getsockname()[1])
        done = demo("run", DEMO_FASTAPI_PORT=taken)
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"demo: port {taken} of 127.0.0.1, needed for fastapi, cannot be used")


def test_an_unknown_scenario_is_exit_code_2() -> None:
    """The scenarios that there are stand in the message."""
    done = demo("run", "meteor")
    assert done.returncode == 2
    assert "'broken_start', 'errors_30_percent', 'authentication_broken'" in done.stderr
    assert "'all'" in done.stderr


def test_only_a_release_can_be_shipped() -> None:
    """A stopped exporter is a scenario and no release."""
    done = demo("ship", "signals_missing")
    assert done.returncode == 2
    assert "'signals_missing' is not one of" in done.stderr
    assert "'payment_broken'" in done.stderr
