"""What a person reads: lines as things happen, and a verdict that hides nothing."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from demo.timeline import Bound, Moment, Timeline
from demo.verdict import Condition, Verdict, busy, summary
from demo.view import Status, View

STATUS = Status({"fastapi": True, "flask": False, "gradio": True}, 0.25, "waiting")


def shown(what: object, width: int = 160) -> str:
    """The text of something that rich can print."""
    console = Console(file=io.StringIO(), width=width)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def verdict(*, live: bool, seconds: float) -> Verdict:
    """A verdict of one condition and one bound of 60 s."""
    conditions = (Condition("the good release is live", live, "v1 is live"),)
    bounds = (Bound("fault to good release live", seconds, 60.0),)
    return Verdict(
        title="broken_start, autonomy L4",
        name="broken_start",
        ending="rolled back and verified",
        branch="service_down",
        did="rolled back",
        fired_after=31.2,
        ended_after=None if seconds > 100 else seconds,
        backfilled=False,
        conditions=conditions,
        bounds=bounds,
        report=Path("/there/report.md"),
        audit_trail=Path("/there/audit-trail.jsonl"),
    )


def test_each_moment_is_one_line_and_comes_once() -> None:
    """Without a terminal a moment is printed when it comes, with the seconds since the fault, and not again."""
    output = io.StringIO()
    view = View(Console(file=output, width=160))
    timeline = Timeline()
    with view.scenario("broken_start"):
        timeline.mark(Moment.FAULT, 1000.0, "v2")
        view.update(timeline, STATUS)
        timeline.mark(Moment.FIRING, 1025.0, "ServiceDown fastapi")
        view.update(timeline, STATUS)
        view.update(timeline, STATUS)
    lines = output.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[1].endswith("fault begins                  v2")
    assert "+25.0 s  alert firing in Prometheus    ServiceDown fastapi" in lines[2]


def test_a_terminal_of_30_lines_shows_all_of_it() -> None:
    """The table with every moment and the status fit on 100 by 30, and say who is down."""
    output = io.StringIO()
    view = View(Console(file=output, width=100, height=30, force_terminal=True, color_system=None))
    timeline = Timeline()
    for second, moment in enumerate(Moment):
        timeline.mark(moment, 1000.0 + second, "a long note " * 20)
    with view.scenario("broken_start"):
        view.update(timeline, STATUS)
        drawn = output.getvalue()
    assert all(moment in drawn for moment in Moment)
    assert "flask DOWN" in drawn
    assert "25%" in drawn
    assert drawn.count("\n") < 30


def test_a_missed_bound_is_told_and_fails_nothing() -> None:
    """61 s of 60 s reads MISSED, the verdict stays good."""
    late = verdict(live=True, seconds=61.0)
    assert late.good
    (line,) = [line for line in shown(late).splitlines() if "fault to good release live" in line]
    assert line.startswith("MISSED")
    assert "61.00 s (at most 60 s); a busy machine can do that, it does not count as failed" in line


def test_a_condition_that_does_not_hold_fails() -> None:
    """It reads FAILED, with what was found."""
    bad = verdict(live=False, seconds=10.0)
    assert not bad.good
    assert "broken_start, autonomy L4: FAILED" in shown(bad)
    assert "v1 is live" in shown(bad)
    assert verdict(live=True, seconds=10.0).good


def test_what_is_not_rolled_back_has_no_moments_of_a_rollback() -> None:
    """Where a branch is only watched, the table waits for no backup; what comes all the same is shown."""
    timeline = Timeline(rolls_back=False)
    timeline.mark(Moment.FAULT, 1000.0)
    assert timeline.expected() == [
        Moment.FAULT,
        Moment.FIRING,
        Moment.NOTIFIED,
        Moment.DECIDED,
        Moment.REPORTED,
    ]
    timeline.mark(Moment.COMMAND, 1030.0)
    assert Moment.COMMAND in timeline.expected()


def test_the_summary_has_a_line_for_each_scenario() -> None:
    """On 80 columns each stands in one line, with what was seen and done; what never came reads never."""
    good, late = verdict(live=True, seconds=52.7), verdict(live=False, seconds=101.0)
    text = shown(summary([good, replace(late, name="wide_impact", backfilled=True)]), width=80)
    (first,) = [line for line in text.splitlines() if line.startswith("broken_start")]
    assert first.split() == ["broken_start", "service_down", "rolled", "back", "31", "s", "53", "s", "ok"]
    (second,) = [line for line in text.splitlines() if line.startswith("wide_impact*")]
    assert second.split()[-2:] == ["never", "FAILED"]
    assert "* On backfilled history" in text
    assert text.count("all scenarios") == 1


def test_a_busy_machine_is_told_of() -> None:
    """Where it fails on a machine with more to do than it can, that may be why; on an idle one nothing is said."""
    assert "a load of 14 on 2 cores" in (busy(14.13, 2) or "")
    assert busy(3.9, 2) is None
