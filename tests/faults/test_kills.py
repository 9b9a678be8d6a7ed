"""Which kills a seed gives."""

from __future__ import annotations

import itertools

from tests.faults.kills import STEPS, Kill, Moment, Whom, draw


def first(count: int, seed: int) -> list[Kill]:
    """The first kills of a seed."""
    return list(itertools.islice(draw(seed), count))


def test_a_seed_gives_the_same_kills_again() -> None:
    """What a soak has found can be played again; another seed plays something else."""
    assert first(500, 7) == first(500, 7)
    assert first(500, 7) != first(500, 8)


def test_a_soak_comes_to_every_moment_of_every_step() -> None:
    """Among 500 kills each is drawn, the agent alone, its group, and all that it has started too."""
    kills = first(500, 7)
    assert {(kill.place, kill.moment) for kill in kills} >= set(itertools.product(STEPS, Moment))
    assert {kill.whom for kill in kills} == set(Whom)
    assert {kill.place for kill in kills} == {*STEPS, "commit", None}
