"""The demonstration is played as a person would, on free ports."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import asdict

from demo.places import Ports
from tests.acceptance.stand import REPOSITORY


def test_one_release_is_rolled_back_live_and_one_is_put_to_a_human() -> None:
    """Two scenarios on one stack: back, verified and reported; then a full rollback that is only asked for; exit 0."""
    ports = {f"DEMO_{name.upper()}_PORT": str(port) for name, port in asdict(Ports.free()).items()}
    done = subprocess.run(
        (sys.executable, "-m", "demo", "run", "broken_start", "database_broken"),
        cwd=REPOSITORY,
        env={**os.environ, **ports},
        capture_output=True,
        text=True,
        timeout=420,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    moments = (
        "fault begins",
        "alert firing",
        "notification received",
        "decided",
        "backed up",
        "verified",
        "reported",
    )
    first, _, second = done.stdout.partition("database_broken, autonomy L4")
    places = [first.index(moment) for moment in moments]
    assert places == sorted(places)
    assert "no request failed after verified" in first
    assert "escalation database_or_full" in second
    assert "command started" not in second
    assert "database_broken, autonomy L4: put to a human, nothing touched" in done.stdout
    left = subprocess.run(
        ("pgrep", "-f", f"127.0.0.1:{ports['DEMO_PROMETHEUS_PORT']}"), capture_output=True, check=False
    )
    assert left.returncode == 1, "something was left running"
