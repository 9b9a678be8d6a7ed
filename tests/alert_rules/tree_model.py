"""The decision tree once more, in Python, written from the design's table and not from the rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Key = tuple[str, str]
"""A signal's name, and the service it is of; "" for the deployment."""
Alert = tuple[str, str, str, str]
"""What a firing alert says: branch, action, service, and the signal that is missing; "" for none."""

WATCHED_OVER = {
    "deployment:authentication:ratio",
    "deployment:payment:ratio",
    "deployment:database:ratio",
    "deployment:ui:ratio",
    "deployment:users_affected:ratio",
    "deployment:release_age:seconds",
    "deployment:migration_failed:bool",
    "service:availability:ratio",
    "service:http_request_errors:ratio_rate5m",
    "service:http_request_duration_seconds:mean5m",
}
"""Signals whose absence is told, beside the deployment's availability, which speaks for all of them."""
AVAILABILITY = "deployment:availability:ratio"


@dataclass(frozen=True, slots=True)
class Moment:
    """Every signal of one deployment at one time, in seconds; a signal that is not there is absent."""

    time: float
    signals: Mapping[Key, float]

    def of(self, name: str, service: str = "") -> float:
        """Its value, or NaN: neither what is absent nor what could not be divided makes a comparison true."""
        return self.signals.get((name, service), math.nan)

    @property
    def services(self) -> list[str]:
        return sorted({service for _, service in self.signals if service})


def outcome(now: Moment, before: Moment) -> set[Alert]:
    """The alerts that fire at the end of a steady history; `before` is what was 10 minutes to an hour ago."""
    return decided(now, before) | missing(now, before)


def decided(now: Moment, before: Moment, but: str = "") -> set[Alert]:
    """The first branch of the tree that holds, for each service that it holds for; as if there were no branch `but`."""
    for branch in branches(now, before):
        alerts = {(name, action, service, "") for name, action, service in branch if name != but}
        if alerts:
            return alerts
    return set()


def branches(now: Moment, before: Moment) -> Iterator[list[tuple[str, str, str]]]:
    """Each rank of the tree in its order: branch, action and service of what holds there, whatever else does."""
    down = [service for service in now.services if now.of("service:availability:ratio", service) == 0]
    yield [
        *whole("service_down", "rollback", now.of(AVAILABILITY) < 0.5),
        *(("service_down", "rollback", service) for service in down),
    ]
    yield [("high_error_rate", "rollback", service) for service in now.services if too_many(now, service, 0.10)]
    yield whole("authentication_broken", "rollback", now.of("deployment:authentication:ratio") < 0.5)
    yield whole("payment_broken", "rollback", now.of("deployment:payment:ratio") < 0.5)
    yield whole("migration_failed", "rollback", now.of("deployment:migration_failed:bool") == 1)
    recent = now.of("deployment:release_age:seconds") < 3600
    yield whole("database_broken", "rollback", recent and now.of("deployment:database:ratio") < 0.5)
    yield whole("hotfix_failed", "rollback", hotfix_failed(now) and is_affected(now))
    yield whole("minor_impact_worsening", "rollback", is_worsening(now, before))
    yield whole("wide_impact", "rollback", is_wide(now, before))
    yield [("elevated_error_rate", "rollback", service) for service in now.services if too_many(now, service, 0.05)]
    minor = is_affected(now) and now.of("deployment:users_affected:ratio") < 0.05
    for_an_hour = minor and before.of("deployment:users_affected:ratio") > 0.001
    yield [*whole("minor_impact", "watch", minor), *whole("minor_impact", "ask", for_an_hour)]
    yield whole("user_interface_broken", "watch", now.of("deployment:ui:ratio") < 0.5)
    yield [("slow_responses", "ask", service) for service in now.services if is_slow(now, service)]


def whole(branch: str, action: str, holds: bool) -> list[tuple[str, str, str]]:
    """A branch of the whole deployment, if it holds."""
    return [(branch, action, "")] if holds else []


def is_beyond(now: Moment) -> bool | None:
    """Whether a signal of this moment is beyond the threshold of a rollback branch; None where that is not known."""
    minutes = [
        now.of("service:http_requests:rate1m", service) * 60 >= 60
        and now.of("service:http_request_errors:ratio_rate1m", service) > 0.05
        for service in now.services
    ]
    at_once = ("service_down", "authentication_broken", "payment_broken", "migration_failed", "database_broken")
    holds = {name for rank in branches(now, now) for name, *_ in rank}
    if any(minutes) or holds & set(at_once):
        return True
    return None if math.isnan(now.of(AVAILABILITY)) else False


def too_many(now: Moment, service: str, limit: float) -> bool:
    """Too many requests fail, of a minute or of five; a good minute outvotes the five. Each needs 60 requests."""
    minute, five = now.of("service:http_requests:rate1m", service), now.of("service:http_requests:rate5m", service)
    failed_in_minute = now.of("service:http_request_errors:ratio_rate1m", service)
    failed_in_five = now.of("service:http_request_errors:ratio_rate5m", service)
    if minute * 60 >= 60 and failed_in_minute > limit:
        return True
    back = minute * 60 >= 60 and failed_in_minute <= 0.05
    return five * 300 >= 60 and failed_in_five > limit and not back


def is_affected(now: Moment) -> bool:
    """Users are affected: more than one in a thousand, and three at least of at least 60."""
    ratio, users = now.of("deployment:users_affected:ratio"), now.of("deployment:users:count5m")
    return ratio > 0.001 and users >= 60 and round(ratio * users) >= 3


def is_worsening(now: Moment, before: Moment) -> bool:
    """Few users are and were affected, but now it is a quarter more, and more than four standard deviations."""
    ratio, first = now.of("deployment:users_affected:ratio"), before.of("deployment:users_affected:ratio")
    users = now.of("deployment:users:count5m")
    if not (0.001 < ratio < 0.05 and first > 0.001 and users >= 60):
        return False
    return ratio > 1.25 * first and ratio - first > 4 * math.sqrt((ratio + first) / users)


def is_wide(now: Moment, before: Moment) -> bool:
    """One user in twenty is affected, and nobody is known to be at work on a hotfix whose time has not come."""
    name = "rollback_hotfix_deadline_timestamp_seconds"
    under_way = (now if (name, "") in now.signals else before).of(name) > now.time
    enough = now.of("deployment:users:count5m") >= 60
    return now.of("deployment:users_affected:ratio") >= 0.05 and enough and not under_way


def hotfix_failed(now: Moment) -> bool:
    """It was reported failed, or its time is up; one that has just gone live may still show that it helped."""
    time_is_up = 0 < now.of("rollback_hotfix_deadline_timestamp_seconds") <= now.time - 60
    just_live = now.of("deployment:release_age:seconds") < 300
    return now.of("rollback_hotfix_failed") == 1 or (time_is_up and not just_live)


def is_slow(now: Moment, service: str) -> bool:
    """Three times its own day, above what people notice, and of enough requests."""
    mean = now.of("service:http_request_duration_seconds:mean5m", service)
    day = now.of("service:http_request_duration_seconds:mean1d", service)
    return mean > 3 * day and mean > 0.1 and now.of("service:http_requests:rate5m", service) * 300 >= 60


def missing(now: Moment, before: Moment) -> set[Alert]:
    """What is not measured any more. Where availability is not, of a deployment that is known, that alone is told."""
    if (AVAILABILITY, "") not in now.signals:
        known = ("release_info", "") in now.signals or (AVAILABILITY, "") in before.signals
        return {("signals_missing", "ask", "", AVAILABILITY)} if known else set()
    gone = before.signals.keys() - now.signals.keys()
    return {("signals_missing", "ask", service, name) for name, service in gone if name in WATCHED_OVER}
