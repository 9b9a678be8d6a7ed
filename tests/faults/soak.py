"""Kills the agent many times, and says in figures whether its promises held: `make soak`."""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.faults.fleet import Fleet
from tests.faults.kills import STEPS, Moment, draw
from tests.faults.nursery import nursery
from tests.faults.oracle import Judgement
from tests.faults.trial import Trial
from tests.faults.watchers import watching
from tests.postgres import running_server

SQLITE, POSTGRESQL = "sqlite", "postgresql"
KILLS_A_TRIAL = 25


@dataclass
class Figures:
    """What came of all trials so far."""

    kills: int = 0
    judgements: list[Judgement] = field(default_factory=list)
    ready_after: list[float] = field(default_factory=list)
    at_rest_after: list[float] = field(default_factory=list)
    points: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)

    def add(self, trial: Trial, kills: int, judgement: Judgement) -> None:
        """Another trial."""
        self.kills += kills
        self.judgements.append(judgement)
        self.ready_after += trial.ready_after
        self.at_rest_after.append(trial.at_rest_after)
        self.points += trial.points()
        self.broken += (f"{trial.directory.name}: {one}" for one in judgement.broken)

    def lines(self) -> Iterator[str]:
        """The figures, a line each."""
        results = sum((one.results for one in self.judgements), Counter[str]())
        every = {f"{step} {moment}" for step in STEPS for moment in Moment}
        figures = {
            "kills": self.kills,
            "points of steps reached": f"{len(every & self.points.keys())} of {len(every)}",
            "alerts accepted": sum(one.accepted for one in self.judgements),
            "lost": sum(one.lost for one in self.judgements),
            "runs": ", ".join(f"{times} {name}" for name, times in results.most_common()),
            "doubled effects": sum(one.doubled for one in self.judgements),
            "missing escalations": sum(one.missing_calls for one in self.judgements),
            "doubled escalations": sum(one.doubled_calls for one in self.judgements),
            "promises broken": len(self.broken),
            "ready again": f"{median(self.ready_after or [0]):.1f} s after a start (median)",
            "all at its end": f"{median(self.at_rest_after):.1f} s after the last start (median), "
            f"{max(self.at_rest_after):.1f} s (longest)",
        }
        return (f"{name:<24} {figure}" for name, figure in figures.items())


def soak(database: str, seed: int, count: int, directory: Path) -> Figures:
    """Play so many kills, each trial with an agent and a journal of its own, in `directory`."""
    figures, fleet, kills = Figures(), Fleet(), itertools.islice(draw(seed), count)
    with ExitStack() as stack:
        watchers, lives = stack.enter_context(watching(fleet, directory)), stack.enter_context(nursery())
        server = stack.enter_context(running_server()) if database == POSTGRESQL else None
        began = time.monotonic()
        for number in itertools.count(1):
            portion = list(itertools.islice(kills, KILLS_A_TRIAL))
            if not portion:
                return figures
            journal = server.new_database() if server else None
            trial = Trial(directory / f"trial-{number}", fleet, watchers, lives, journal)
            judgement = trial.play(portion)
            figures.add(trial, len(portion), judgement)
            print(
                f"{time.monotonic() - began:6.0f} s, {figures.kills} kills", *judgement.broken, sep="\n  ", flush=True
            )
    raise AssertionError("the numbers have come to an end")


def main() -> int:
    """Soak each database that is asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make soak ARGS=", description=__doc__)
    parser.add_argument("--kills", type=int, default=500, help="of each database")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--database", choices=(SQLITE, POSTGRESQL), help="both, unless one is named")
    parser.add_argument("--keep", type=Path, help="a new directory for all that the agents leave behind")
    asked = parser.parse_args()
    broken = 0
    for database in (asked.database,) if asked.database else (SQLITE, POSTGRESQL):
        print(f"{asked.kills} kills on {database}, --seed {asked.seed}", flush=True)
        with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
            figures = soak(database, asked.seed, asked.kills, _directory(asked.keep or Path(temporary), database))
        print(*figures.lines(), sep="\n", flush=True)
        broken += len(figures.broken)
    return 1 if broken else 0


def _directory(parent: Path, database: str) -> Path:
    directory = parent / database
    directory.mkdir(parents=True)
    return directory


if __name__ == "__main__":
    sys.exit(main())
