"""What the live view says of the agent's work: phase, times, and the command's last line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from demo.play import at_work


def run(phase: str, summary: str | None = None) -> dict[str, Any]:
    step = {"name": phase, "started_at": 100.0, "finished_at": None, "summary": summary}
    return {"phase": phase, "created_at": 90.0, "steps": [step]}


def test_it_tells_what_is_waited_for(tmp_path: Path) -> None:
    """The phase, for how long, the run's own time, and the reason."""
    said = at_work(run("verify", "HighErrorRate still fires"), 112.0, tmp_path / "none")
    assert said == "the agent: verify for 12 s, the run for 22 s: HighErrorRate still fires"


def test_it_tells_the_commands_last_line(tmp_path: Path) -> None:
    """Whatever bytes it printed."""
    (tmp_path / "output").write_bytes(b"stopping flask\nstarting \xff flask\n")
    assert at_work(run("execute"), 101.0, tmp_path / "output").endswith("the run for 11 s: starting \ufffd flask")
