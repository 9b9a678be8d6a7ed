"""A real `serve` is killed at its steps, again and again; what was accepted comes to its end all the same.

The long version is `make soak`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.faults.kills import PATIENCE, Command, Kill, Moment, Whom
from tests.faults.trial import Trial

MENDS, SLOW, FAILS, ASKED = Command.MENDS, Command.SLOW, Command.FAILS, Command.ASKED
LONG = 10 * PATIENCE
"""Seconds for which a point is waited for on a machine that has other things to do."""

KILLS = (
    Kill(Whom.AGENT, LONG, "commit", Moment.DONE, 30, (MENDS, FAILS)),
    Kill(Whom.AGENT, LONG, "execute", Moment.INSIDE, 3, (SLOW,)),
    Kill(Whom.GROUP, LONG, "execute", Moment.ENDING, 1, (ASKED,)),
    Kill(Whom.ALL, LONG, "execute", Moment.INSIDE, 6, (MENDS,)),
    Kill(Whom.AGENT, 0.3),
    Kill(Whom.GROUP, LONG, "report", Moment.BEGUN, 1, (MENDS,)),
)


def test_killed_at_its_steps_it_loses_nothing_and_doubles_nothing(
    tmp_path: Path, make_trial: Callable[..., Trial]
) -> None:
    """Six kills in and around a command: each alert has its end, each command ran once, whoever must know is called."""
    trial = make_trial(tmp_path / "trial", size=7)
    judgement = trial.play(list(KILLS))
    assert judgement.broken == ()
    assert judgement.accepted == sum(len(kill.breaks) for kill in KILLS)
    assert trial.points() == Counter(f"{kill.place} {kill.moment}" for kill in KILLS if kill.place)
    assert not trial.left_behind()
