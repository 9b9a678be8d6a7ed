"""Where a life of the agent ends, and what ends with it; drawn, so that a seed gives the same kills again."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

STEPS = ("evaluate", "guard", "approve", "claim", "back_up", "execute", "verify", "report")
COMMIT = "commit"
"""In the place of a step: any transaction of the journal, also of those that belong to no run."""
OUTSIDE = "outside"
"""In the place of a step: what is done to the world outside of any, as by a start."""
PATIENCE = 6.0
"""Seconds for which a point is waited for; what does not come to it by then is killed where it is."""


class Moment(StrEnum):
    """A moment of a step, or of a commit (which knows `before` and `done`)."""

    BEFORE = "before"
    """The journal does not know yet that it begins."""
    BEGUN = "begun"
    """The journal knows, and nothing else has happened."""
    INSIDE = "inside"
    """At what it does to the world: a file, a connection, a process."""
    ENDING = "ending"
    """All was done, and the journal does not know yet."""
    DONE = "done"
    """The journal knows how it ended."""


class Whom(StrEnum):
    """What is killed."""

    AGENT = "agent"
    """The agent's process; what it has started lives on."""
    GROUP = "group"
    """Its process group."""
    ALL = "all"
    """The command with its wrapper too, as when the machine stops."""


class Command(StrEnum):
    """What the command of a deployment does."""

    MENDS = "mends"
    SLOW = "slow"
    """It mends, and takes a while."""
    FAILS = "fails"
    HELPS_NOT = "helps not"
    """It does what it should, and the deployment stays as bad as it was."""


@dataclass(frozen=True, slots=True)
class Kill:
    """A life's end: at the `nth` time that `place` comes to `moment`, or after so many seconds."""

    whom: Whom
    after: float
    place: str | None = None
    moment: Moment = Moment.BEFORE
    nth: int = 1
    breaks: tuple[Command, ...] = ()
    """What goes wrong at the beginning of this life: a deployment for each."""

    def as_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """What `as_dict` gave."""
        return cls(**values | {"whom": Whom(values["whom"]), "moment": Moment(values["moment"])})


def draw(seed: int) -> Iterator[Kill]:
    """Kills without end; every moment of every step comes once before any comes again."""
    chance = random.Random(seed)
    points = _points(chance)
    while True:
        breaks = tuple(chance.choices(tuple(Command), (12, 4, 2, 1), k=chance.choice((1, 2, 2, 3))))
        whom = chance.choices(tuple(Whom), (6, 3, 2))[0]
        kind = chance.choices(("step", COMMIT, "time"), (6, 2, 2))[0]
        if kind == "step":
            step, moment = next(points)
            nth = chance.randint(1, 6) if moment is Moment.INSIDE else chance.choice((1, 1, 2))
            yield Kill(whom, PATIENCE, step, moment, nth, breaks)
        elif kind == COMMIT:
            moment = chance.choice((Moment.BEFORE, Moment.DONE))
            yield Kill(whom, PATIENCE, COMMIT, moment, chance.randint(1, 80), breaks)
        else:
            yield Kill(whom, chance.uniform(0, 2.5), breaks=breaks)


def _points(chance: random.Random) -> Iterator[tuple[str, Moment]]:
    every = list(itertools.product(STEPS, Moment))
    while True:
        chance.shuffle(every)
        yield from every
