"""Incidents of many shapes, drawn by chance: what the services of a deployment do in each, and what was the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

SERVICES = ("api", "web", "ui")
KINDS = ("authentication", "payment", "database", "ui")
BEFORE, DURING, AFTER = 80, 120, 40
"""Steps before the fault, during it and after it: 20, 30 and 10 minutes at 15 s."""
STEPS = BEFORE + DURING + AFTER
HEALTHY = 0.00005
"""The share of requests that fails where all is well: one of 900 users in five minutes, no impact yet."""
Random = np.random.Generator


@dataclass
class Behaviour:
    """What a deployment does at each step; what a shape does not touch is healthy."""

    rate: np.ndarray = field(default_factory=lambda: np.full(STEPS, 20.0))
    """Requests a second of each service."""
    errors: dict[str, np.ndarray] = field(default_factory=lambda: {one: np.full(STEPS, HEALTHY) for one in SERVICES})
    up: dict[str, np.ndarray] = field(default_factory=lambda: {one: np.ones(STEPS) for one in SERVICES})
    checks: dict[str, np.ndarray] = field(default_factory=lambda: {one: np.ones(STEPS) for one in KINDS})
    affected: np.ndarray = field(default_factory=lambda: np.zeros(STEPS))
    """The share of users who meet an error, where that is not what follows from the errors."""
    users: float = 900.0
    """Users of five minutes at 20 requests a second."""
    seen: np.ndarray = field(default_factory=lambda: np.ones(STEPS, dtype=bool))
    """Whether the step was scraped."""
    released_at: int | None = None
    """The step at which a release went live; before the first one where it is None."""
    migration_failed: bool = False


@dataclass(frozen=True)
class Shape:
    """A kind of incident; `rollback` says whether that is the remedy, `why` what a person would say of it."""

    name: str
    rollback: bool
    why: str
    draw: Callable[[Random, Behaviour], None]


FAULT = slice(BEFORE, BEFORE + DURING)
SHAPES: list[Shape] = []


def shape(rollback: bool, why: str) -> Callable[[Callable[[Random, Behaviour], None]], None]:
    """Adds a shape under the name of its function."""

    def add(draw: Callable[[Random, Behaviour], None]) -> None:
        SHAPES.append(Shape(draw.__name__, rollback, why, draw))

    return add


def release(random: Random, made: Behaviour) -> None:
    """A release that goes live half a minute to two minutes before its fault shows."""
    made.released_at = BEFORE - int(random.integers(2, 9))


def some(random: Random) -> list[str]:
    """One, two or all of the services."""
    return list(random.choice(SERVICES, size=random.integers(1, len(SERVICES) + 1), replace=False))


def fail(made: Behaviour, services: list[str], share: float | np.ndarray, when: slice = FAULT) -> None:
    """Let a share of the requests to these services fail."""
    for one in services:
        made.errors[one][when] = share


@shape(True, "the release does not start")
def crash(random: Random, made: Behaviour) -> None:
    release(random, made)
    for one in some(random):
        made.up[one][FAULT] = 0
        made.errors[one][FAULT] = 1


@shape(True, "most requests fail since the release")
def errors_at_once(random: Random, made: Behaviour) -> None:
    release(random, made)
    fail(made, some(random), random.uniform(0.2, 0.9))


@shape(True, "a tenth to a fifth of the requests fails since the release")
def errors_above_the_threshold(random: Random, made: Behaviour) -> None:
    release(random, made)
    fail(made, some(random), random.uniform(0.115, 0.2))


@shape(True, "more requests fail since the release, fewer than a tenth")
def elevated_errors(random: Random, made: Behaviour) -> None:
    release(random, made)
    fail(made, some(random), random.uniform(0.055, 0.09))


@shape(True, "the release leaks, and fails more and more")
def slow_leak(random: Random, made: Behaviour) -> None:
    release(random, made)
    fail(made, some(random), np.linspace(0, random.uniform(0.15, 0.5), DURING) ** 1.5)


@shape(True, "the release runs out of memory after a while")
def late_crash(random: Random, made: Behaviour) -> None:
    release(random, made)
    begin = BEFORE + int(random.integers(40, 90))
    for one in some(random):
        made.up[one][begin : BEFORE + DURING] = 0
        made.errors[one][begin : BEFORE + DURING] = 1


@shape(True, "the release fails for half a minute or so, again and again")
def flapping(random: Random, made: Behaviour) -> None:
    release(random, made)
    period, share = int(random.integers(4, 10)), random.uniform(0.3, 0.9)
    pattern = np.where(np.arange(DURING) % (2 * period) < period, share, HEALTHY)
    fail(made, some(random), pattern)


@shape(True, "nobody can log in since the release")
def login_broken(random: Random, made: Behaviour) -> None:
    release(random, made)
    made.checks["authentication"][FAULT] = 0
    fail(made, ["api"], random.uniform(0.001, 0.04))


@shape(True, "nobody can pay since the release")
def payment_broken(random: Random, made: Behaviour) -> None:
    release(random, made)
    made.checks["payment"][FAULT] = 0
    fail(made, ["api"], random.uniform(0.001, 0.03))


@shape(True, "the release's database migration failed")
def migration_failed(random: Random, made: Behaviour) -> None:
    release(random, made)
    made.migration_failed = True
    fail(made, ["api"], random.uniform(0.001, 0.04))


@shape(True, "the release cannot use its database")
def database_broken(random: Random, made: Behaviour) -> None:
    release(random, made)
    made.checks["database"][FAULT] = 0
    fail(made, ["api"], random.uniform(0.001, 0.04))


@shape(True, "the release fails for some of the users, five in a hundred and more")
def wide_impact(random: Random, made: Behaviour) -> None:
    release(random, made)
    made.affected[FAULT] = random.uniform(0.06, 0.2)
    fail(made, ["web"], random.uniform(0.01, 0.04))


@shape(True, "the release fails for more and more of the users")
def minor_and_worse(random: Random, made: Behaviour) -> None:
    release(random, made)
    made.affected[FAULT] = np.linspace(0.004, random.uniform(0.035, 0.048), DURING)
    fail(made, ["web"], random.uniform(0.002, 0.01))


@shape(True, "most requests fail since the release, of very few")
def errors_of_few_requests(random: Random, made: Behaviour) -> None:
    release(random, made)
    made.rate[:], made.users = random.uniform(0.1, 0.4), 40
    fail(made, some(random), random.uniform(0.3, 0.9))


@shape(False, "a dependency of all was down; the release was old")
def dependency_down(random: Random, made: Behaviour) -> None:
    length = int(random.integers(12, 60))
    fail(made, list(SERVICES), random.uniform(0.15, 0.8), slice(BEFORE, BEFORE + length))


@shape(False, "the database was down for everybody; the release was old")
def database_down(random: Random, made: Behaviour) -> None:
    length = int(random.integers(8, 40))
    made.checks["database"][BEFORE : BEFORE + length] = 0
    fail(made, ["api"], random.uniform(0.005, 0.04), slice(BEFORE, BEFORE + length))


@shape(False, "a dependency was slow, and a few of a hundred requests failed; the release was old")
def dependency_degraded(random: Random, made: Behaviour) -> None:
    fail(made, list(SERVICES), random.uniform(0.01, 0.045), slice(BEFORE, BEFORE + int(random.integers(20, 100))))


@shape(False, "far more requests than usual, of which up to two in a hundred fail meanwhile; the release was old")
def traffic_flood(random: Random, made: Behaviour) -> None:
    made.rate[FAULT] *= random.uniform(5, 20)
    fail(made, list(SERVICES), random.uniform(0.001, 0.02))


@shape(False, "far more requests than can be served, so some are turned away; the release was old")
def flood_turned_away(random: Random, made: Behaviour) -> None:
    made.rate[FAULT] *= random.uniform(10, 30)
    fail(made, list(SERVICES), random.uniform(0.03, 0.2))


@shape(False, "single scrapes are missing, nothing else is wrong")
def scrape_gaps(random: Random, made: Behaviour) -> None:
    made.seen[random.choice(STEPS, size=random.integers(3, 20), replace=False)] = False


@shape(False, "scrapes are missing for minutes, nothing else is wrong")
def scrape_outage(random: Random, made: Behaviour) -> None:
    made.seen[BEFORE : BEFORE + int(random.integers(8, 40))] = False


@shape(False, "few requests at night, of which one fails now and then")
def quiet_night(random: Random, made: Behaviour) -> None:
    made.rate[:], made.users = random.uniform(0.02, 0.5), 25
    fail(made, list(SERVICES), random.uniform(0.005, 0.04), slice(0, STEPS))


@shape(False, "a good release")
def good_release(random: Random, made: Behaviour) -> None:
    release(random, made)


@shape(False, "a good release, and each service is away for a moment while it starts")
def good_release_with_restart(random: Random, made: Behaviour) -> None:
    release(random, made)
    for place, one in enumerate(SERVICES):
        begin = BEFORE + 3 * place
        made.up[one][begin : begin + 1] = 0
        made.errors[one][begin : begin + 1] = random.uniform(0.1, 0.5)


@shape(False, "single checks time out, nothing else is wrong")
def flaky_checks(random: Random, made: Behaviour) -> None:
    for checks in (*made.checks.values(), *made.up.values()):
        checks[random.choice(STEPS, size=4, replace=False)] = 0


@shape(False, "for seconds nearly everything failed, and it was over by itself; the release was old")
def blip(random: Random, made: Behaviour) -> None:
    length = int(random.integers(1, 3))
    fail(made, some(random), random.uniform(0.3, 1.0), slice(BEFORE, BEFORE + length))


@shape(False, "a few users were affected, neither more nor fewer with time: watched, not rolled back")
def minor_and_flat(random: Random, made: Behaviour) -> None:
    made.affected[FAULT] = random.uniform(0.005, 0.03)
    fail(made, ["web"], random.uniform(0.001, 0.01))


@shape(False, "only the user interface failed: watched, not rolled back")
def user_interface(random: Random, made: Behaviour) -> None:
    release(random, made)
    made.checks["ui"][FAULT] = 0
