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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from receiver.journal.database import sqlite_url
from tests.faults.fleet import Fleet
from tests.faults.kills import STEPS, Kill, Moment, draw
from tests.faults.nursery import nursery
from tests.faults.oracle import Judgement
from tests.faults.trial import Trial
from tests.faults.watchers import watching

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
        yield f"kills                      {self.kills}"
        yield f"alerts accepted            {sum(one.accepted for one in self.judgements)}"
        yield f"  lost                     {sum(one.lost for one in self.judgements)}"
        yield f"runs                       {', '.join(f'{times} {name}' for name, times in results.most_common())}"
        yield f"  doubled effects          {sum(one.doubled for one in self.judgements)}"
        yield f"  missing escalations      {sum(one.missing_calls for one in self.judgements)}"
        yield f"  doubled escalations      {sum(one.doubled_calls for one in self.judgements)}"
        yield f"points of steps reached    {len(every & self.points.keys())} of {len(every)}"
        if self.ready_after:
            yield f"ready again after          {median(self.ready_after):.1f} s (median)"
        if self.at_rest_after:
            yield f"all ended after            {median(self.at_rest_after):.1f} s (median), at most {max(self.at_rest_after):.1f} s"


def main() -> int:
    """Play as many kills as are asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--database", choices=("sqlite",), default="sqlite")
    asked = parser.parse_args()
    print(f"seed {asked.seed}, {asked.kills} kills on {asked.database}", flush=True)
    figures, kills = Figures(), itertools.islice(draw(asked.seed), asked.kills)
    fleet = Fleet()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        watchers, lives = stack.enter_context(watching(fleet, directory)), stack.enter_context(nursery())
        began = time.monotonic()
        for number in itertools.count(1):
            portion = list(itertools.islice(kills, KILLS_A_TRIAL))
            if not portion:
                break
            here = directory / f"trial-{number}"
            journal = sqlite_url(here / "rollback" / "state.db")
            trial = Trial(here, fleet, watchers, lives, journal)
            judgement = trial.play(portion)
            figures.add(trial, len(portion), judgement)
            print(f"{time.monotonic() - began:6.0f} s  {figures.kills} kills, {len(figures.broken)} promises broken", flush=True)
            for one in judgement.broken:
                print(f"  {one}", flush=True)
    print(*figures.lines(), sep="\n")
    return 1 if figures.broken else 0


if __name__ == "__main__":
    sys.exit(main())
