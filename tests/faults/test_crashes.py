"""A real `serve` is killed at its steps, again and again; what was accepted comes to its end all the same.

The long version is `make soak`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.kills import OUTSIDE, PATIENCE, Command, Kill, Moment, Whom
from tests.faults.trial import Trial

MENDS, SLOW, FAILS = Command.MENDS, Command.SLOW, Command.FAILS
LONG = 10 * PATIENCE
"""Seconds for which a point is waited for on a machine that has other things to do."""

KILLS = {
    "sqlite": (
        Kill(Whom.AGENT, LONG, "execute", Moment.DONE, 1, (FAILS,)),
        Kill(Whom.AGENT, LONG, "commit", Moment.DONE, 30, (MENDS,)),
        Kill(Whom.AGENT, LONG, "execute", Moment.INSIDE, 3, (SLOW,)),
        Kill(Whom.GROUP, LONG, "execute", Moment.ENDING, 1, (MENDS,)),
        Kill(Whom.ALL, LONG, "execute", Moment.INSIDE, 6, (MENDS,)),
        Kill(Whom.GROUP, LONG, "report", Moment.BEGUN, 1, (MENDS,)),
    ),
    "postgresql": (
        Kill(Whom.AGENT, LONG, "claim", Moment.DONE, 1, (MENDS, FAILS)),
        Kill(Whom.GROUP, LONG, "execute", Moment.INSIDE, 3, (SLOW,)),
    ),
}


@pytest.mark.parametrize("database", KILLS)
def test_killed_at_its_steps_it_loses_nothing_and_doubles_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, make_trial: Callable[..., Trial], database: str
) -> None:
    """Killed around a command: each alert has its end, each command ran once, and whoever must know is called."""
    journal = request.getfixturevalue("postgres").new_database() if database == "postgresql" else None
    kills = KILLS[database]
    trial = make_trial(tmp_path / database, postgresql=journal, size=sum(len(kill.breaks) for kill in kills))
    judgement = trial.play(list(kills))
    assert judgement.broken == ()
    assert judgement.accepted == trial.size
    assert trial.points() == Counter(f"{kill.place} {kill.moment}" for kill in kills if kill.place)
    assert not trial.left_behind()


@pytest.mark.parametrize("effect", [14, 19, 27, 35])
def test_killed_in_its_first_start_it_starts_the_next_time(
    tmp_path: Path, make_trial: Callable[..., Trial], effect: int
) -> None:
    """Wherever the making of directories, lock, log, journal and keys ends, the next start goes on from there."""
    trial = make_trial(tmp_path / "trial", size=1)
    trial.start_only(Kill(Whom.AGENT, LONG, OUTSIDE, Moment.INSIDE, effect))
    assert trial.play([]).broken == ()
    assert trial.points() == Counter([f"{OUTSIDE} {Moment.INSIDE}"])
