"""Distinct users are counted over the last five minutes: few exactly, many by a sample."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from exporters.users import CAPACITY, SLOT, WINDOW, Users
from tests.clock import Clock

MILLION = 1_000_000
AT_A_TIME = 500
"""Users that one block of a log names."""


def crowd(seed: int, size: int) -> list[bytes]:
    """So many names, others for each seed."""
    return [b"%d-%d" % (seed, number) for number in range(size)]


def meet(users: Users, clock: Clock, names: list[bytes], affected: list[bytes], seconds: float) -> None:
    """Let users come one block after the other, in so many seconds; those affected stand among the names."""
    hit = set(affected)
    for begin in range(0, len(names), AT_A_TIME):
        block = names[begin : begin + AT_A_TIME]
        users.saw(block, [name for name in block if name in hit])
        clock.now += seconds * len(block) / len(names)


def test_users_are_counted_once() -> None:
    """Many requests of one user are one user, affected from the first error on."""
    users = Users(Clock())
    for _ in range(3):
        users.saw([b"ada"], [])
    users.saw([b"grace"], [b"grace"])
    users.saw([b"grace"], [])
    assert users.count() == (2, 1)


def test_users_are_forgotten_after_five_minutes() -> None:
    """A user counts for five minutes from the last request, as affected from the last error."""
    clock = Clock()
    users = Users(clock)
    users.saw([b"ada"], [b"ada"])
    clock.now += 200
    users.saw([b"ada", b"grace"], [b"grace"])
    assert users.count() == (2, 2)
    clock.now += 100
    assert users.count() == (2, 1)
    clock.now += 200
    assert users.count() == (0, 0)


def test_what_fits_is_counted_exactly() -> None:
    """Up to the capacity nothing is estimated."""
    clock = Clock()
    users = Users(clock)
    names = crowd(0, CAPACITY)
    meet(users, clock, names, names[::3], seconds=WINDOW - 1)
    assert users.count() == (CAPACITY, len(names[::3]))


@pytest.mark.parametrize(("seed", "share"), [(1, 0.05), (2, 0.3), (3, 1.0)])
def test_a_million_users_are_estimated(seed: int, share: float) -> None:
    """Users, affected ones and their ratio are off by less than 2 %; ratio of all who are affected is exactly 1."""
    clock = Clock()
    users = Users(clock)
    names = crowd(seed, MILLION)
    affected = random.Random(seed).sample(names, int(MILLION * share))
    meet(users, clock, names, affected, seconds=WINDOW - 1)
    seen, hit = users.count()
    assert seen == pytest.approx(MILLION, rel=0.02)
    assert hit == pytest.approx(len(affected), rel=0.02)
    assert hit / seen == pytest.approx(share, rel=0.0 if share == 1.0 else 0.02)


def test_memory_is_bounded() -> None:
    """Ten times as many users take no more memory, once there are more than are kept."""
    peaks = []
    for size in (50_000, 500_000):
        users = Users(Clock(), capacity=20_000)
        tracemalloc.start()
        try:
            for begin in range(0, size, AT_A_TIME):
                block = [b"%d" % number for number in range(begin, begin + AT_A_TIME)]
                users.saw(block, block)
            users.count()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.2


def test_flood_is_forgotten_with_its_window() -> None:
    """Few users after a flood are estimated while it is in the window, and exact once it has left."""
    clock = Clock()
    users = Users(clock, capacity=1000)
    meet(users, clock, crowd(0, 50_000), [], seconds=SLOT)
    few = crowd(1, 200)
    for _ in range(29):
        users.saw(few, few[:7])
        clock.now += SLOT
        seen, affected = users.count()
        assert seen == pytest.approx(50_200, rel=0.3)
        assert affected == 7
    clock.now += SLOT + 1
    users.saw(few, few[:7])
    assert users.count() == (200, 7)


def test_exact_again_after_a_quiet_window() -> None:
    """Nobody for five minutes, and the next users are counted exactly at once."""
    clock = Clock()
    users = Users(clock, capacity=1000)
    names = crowd(0, 50_000)
    meet(users, clock, names, names, seconds=1)
    clock.now += WINDOW
    assert users.count() == (0, 0)
    users.saw(names[:700], names[:70])
    assert users.count() == (700, 70)


def test_steady_crowd_is_neither_lost_nor_counted_twice() -> None:
    """Users who come again and again, through many slots and longer than the window, stay the same number."""
    clock = Clock()
    users = Users(clock, capacity=20_000)
    names = crowd(0, 100_000)
    for _ in range(8):
        meet(users, clock, names, names[:30_000], seconds=WINDOW / 4)
        seen, affected = users.count()
        assert seen == pytest.approx(100_000, rel=0.06)
        assert affected == pytest.approx(30_000, rel=0.06)


def test_affected_are_never_more_than_users() -> None:
    """Where nearly all are affected, the two estimates do not contradict each other."""
    for seed in range(30):
        users = Users(Clock(), capacity=100)
        names = crowd(seed, 104)
        users.saw(names, names[:99])
        seen, affected = users.count()
        assert affected <= seen


def test_sample_cannot_be_foreseen() -> None:
    """Two processes, and two deployments, sample other users: nobody can choose a name that is left out."""
    counts = set()
    for _ in range(5):
        clock = Clock()
        users = Users(clock, capacity=1000)
        meet(users, clock, crowd(0, 20_000), [], seconds=1)
        counts.add(users.count())
    assert len(counts) > 1


def test_no_name_stays_in_memory() -> None:
    """What is kept of a user is a number."""
    users = Users(Clock())
    users.saw([b"ada"], [b"ada"])
    kept = [key for sample in (users._seen, users._affected) for key in sample._last_seen]
    assert [type(key) for key in kept] == [int, int]
