"""Random deployments: what each signal was and is, on both sides of each threshold, NaN, absent or gone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.alert_rules.tree_model import AVAILABILITY, Key, Moment

CHANGE, END = 62, 70
"""The minutes at which signals change, and at which the alerts are looked at. Eight minutes are longer than the longest
`for` of five, and shorter than the ten after which what was before is forgotten."""
NAN = math.nan


@dataclass(frozen=True, slots=True)
class Signal:
    """Values of a signal that is well, and of one that is not."""

    name: str
    well: Sequence[float]
    ill: Sequence[float]


SERVICE = (
    Signal("service:availability:ratio", (1, 0.5, 0.01), (0,)),
    Signal("service:http_requests:rate5m", (0.21, 5, 300), (0, 0.19)),
    Signal("service:http_requests:rate1m", (1.02, 5, 300), (0, 0.97)),
    Signal("service:http_request_errors:ratio_rate5m", (0, 0.049), (0.051, 0.099, 0.101, 1, NAN)),
    Signal("service:http_request_errors:ratio_rate1m", (0, 0.049), (0.051, 0.099, 0.101, 1, NAN)),
    Signal("service:http_request_duration_seconds:mean5m", (0.02, 0.099), (0.101, 0.29, 0.31, 4, NAN)),
    Signal("service:http_request_duration_seconds:mean1d", (0.03, 0.1), (1, NAN)),
)
DEPLOYMENT = (
    Signal(AVAILABILITY, (1, 0.75, 0.51), (0.49, 0, NAN)),
    Signal("deployment:authentication:ratio", (1, 0.51), (0.49, 0, NAN)),
    Signal("deployment:payment:ratio", (1, 0.51), (0.49, 0, NAN)),
    Signal("deployment:migration_failed:bool", (0,), (1, NAN)),
    Signal("deployment:database:ratio", (1, 0.51), (0.49, 0, NAN)),
    Signal("deployment:release_age:seconds", (299, 301, 3599, 3601, 90000), (1, NAN)),
    Signal("rollback_hotfix_failed", (0,), (1,)),
    Signal("rollback_hotfix_deadline_timestamp_seconds", (0,), (60 * 20, 60 * END - 1800, 60 * END + 60, 60 * 90)),
    Signal("deployment:ui:ratio", (1, 0.51), (0.49, 0, NAN)),
    Signal("release_info", (1,), (1,)),
)
USERS = (59, 61, 200, 1000, 30000, 30000)
SHARES = (0, 0.0009, 0.0011, 0.004, 0.02, 0.049, 0.051, 0.3)
GROWTH = (
    (0.004, 0.0049),
    (0.004, 0.0063),
    (0.004, 0.0066),
    (0.0011, 0.004),
    (0.03, 0.037),
    (0.02, 0.026),
    (0.03, 0.049),
)
"""Shares of affected users, before and now: a quarter more or less, by chance or by more than chance."""


@dataclass(frozen=True, slots=True)
class Case:
    """One deployment: its signals until CHANGE and from then on."""

    deployment: str
    before: Moment
    now: Moment


def draw(random: Random, deployment: str) -> Case:
    """A deployment on which up to four signals are not well."""
    ill = random.sample([*DEPLOYMENT, *SERVICE], random.choice((0, 1, 1, 2, 2, 3, 4)))
    services = [f"s{number}" for number in range(random.randint(1, 3))]
    now: dict[Key, float] = {}
    for signal in DEPLOYMENT:
        now[signal.name, ""] = random.choice(signal.ill if signal in ill else signal.well)
    for signal in SERVICE:
        sick = random.choice(services) if signal in ill else ""
        for service in services:
            now[signal.name, service] = random.choice(signal.ill if service == sick else signal.well)
    before = dict(now)
    _draw_users(random, before, now)
    for key in random.sample(sorted(now), random.choice((0, 0, 1, 2))):
        # Never measured, not measured any more, or not until now.
        for moment in random.choice(((before, now), (now,), (before,))):
            moment.pop(key, None)
    return Case(deployment, Moment(60 * CHANGE, before), Moment(60 * END, now))


def _draw_users(random: Random, before: dict[Key, float], now: dict[Key, float]) -> None:
    """Whole users, as an exporter counts them, of whom as many are affected as before, or not."""
    users, steady = random.choice(USERS), random.choice(SHARES)
    shares = random.choice(((0, 0), (steady, steady), (random.choice(SHARES), steady), random.choice(GROWTH)))
    for moment, share in zip((before, now), shares, strict=True):
        moment["deployment:users:count5m", ""] = users
        moment["deployment:users_affected:ratio", ""] = round(share * users) / users if random.random() < 0.95 else NAN
