"""The demonstration is played as a person would, on free ports."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict

from demo.places import Ports
from tests.acceptance.stand import REPOSITORY


def test_a_release_that_does_not_start_is_rolled_back_live() -> None:
    """`make demo SCENARIO=broken_start`: shipped, noticed by the shipped rules, back, verified, reported; exit 0."""
    ports = {f"DEMO_{name.upper()}_PORT": str(port) for name, port in asdict(Ports.free()).items()}
    done = subprocess.run(
        (sys.executable, "-m", "demo", "run", "broken_start"),
        cwd=REPOSITORY,
        env={**os.environ, **ports},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    moments = (
        "bad release live",
        "alert firing",
        "notification received",
        "decided",
        "backed up",
        "verified",
        "reported",
    )
    places = [done.stdout.index(moment) for moment in moments]
    assert places == sorted(places)
    assert "no request failed after verified" in done.stdout
    left = subprocess.run(
        ("pgrep", "-f", f"127.0.0.1:{ports['DEMO_PROMETHEUS_PORT']}"), capture_output=True, check=False
    )
    assert left.returncode == 1, "something was left running"
