"""What the demonstration does to make things go wrong: ship, report, register a hotfix, stop a program."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from demo.agent import PERSON, Agent
from demo.processes import NotReadyError, wait_until
from demo.releases import Release
from demo.settings import DEPLOYMENT
from demo.stack import Stack
from demo.timeline import Moment, Timeline

PIPELINE = "pipeline"
_TRIED_FOR = 15.0
_SINCE_THE_LAST_ROUND = "time() - max(timestamp(healthcheck_success))"
_JUST = 1.0
"""Seconds; a round is a scrape, and the next one comes ten seconds later."""
_MET_BY_THREE_USERS = "deployment:users_affected:ratio * deployment:users:count5m > 2.5"


@dataclass(frozen=True, slots=True)
class Stage:
    """What a cause acts on; `bad` is the release that is laid out to be shipped, if one is."""

    stack: Stack
    agent: Agent
    bad: Release | None
    timeline: Timeline

    def type(self, *words: str, person: str = PERSON) -> None:
        """Type a `rollback-agent` command, as a person or a pipeline would, and show it."""
        self.agent.type(*words, person=person)
        moment = Moment.TOLD if self.timeline.at(Moment.TOLD) is None else Moment.TOLD_MORE
        shown = ("RELEASE" if self.bad and word == self.bad.id else word for word in words)
        self.timeline.mark(moment, time.time(), " ".join(shown))


Cause = Callable[[Stage], None]


def ship(stage: Stage) -> None:
    """Put the bad release live, right after a round of checks.

    Of a release that goes live in the middle of one, some checks would still see the one before: another branch could
    then be due a round earlier than the one that the scenario is about.
    """
    _await_a_round_of_checks(stage)
    stage.stack.deployment.put_live(_release(stage))


def ship_through_the_pipeline(stage: Stage) -> None:
    """Put the bad release live, and tell the agent when that begins and how it ends."""
    release = _release(stage)
    stage.type("release", "start", DEPLOYMENT, release.id, person=PIPELINE)
    migrated = "succeeded" if stage.stack.deployment.put_live(release) else "failed"
    stage.type("release", "finish", DEPLOYMENT, release.id, "--migration", migrated, person=PIPELINE)


def let_a_hotfix_fail(stage: Stage) -> None:
    """Put the bad release live, register a hotfix once users are affected, and report that it did not help."""
    ship(stage)
    _await_affected_users(stage)
    stage.type("hotfix", "start", DEPLOYMENT, "--eta", "10m")
    time.sleep(_TRIED_FOR)
    stage.type("hotfix", "failed", DEPLOYMENT)


def let_a_hotfix_be_late(stage: Stage) -> None:
    """Put the bad release live, register a hotfix once users are affected, and do nothing more."""
    ship(stage)
    _await_affected_users(stage)
    stage.type("hotfix", "start", DEPLOYMENT, "--eta", "20s")


def stop_the_exporter(stage: Stage) -> None:
    """Stop measuring."""
    stage.stack.stop_exporter()
    stage.timeline.mark(Moment.FAULT, time.time(), "the exporter is stopped")


def _await_a_round_of_checks(stage: Stage) -> None:
    def has_just_been() -> bool:
        age = stage.stack.prometheus.value(_SINCE_THE_LAST_ROUND)
        return age is not None and age < _JUST

    if not wait_until(has_just_been, 60, every=0.1):
        raise NotReadyError("Prometheus took no round of checks within 60 s")


def _await_affected_users(stage: Stage) -> None:
    if not wait_until(lambda: stage.stack.prometheus.value(_MET_BY_THREE_USERS) is not None, 90, every=0.5):
        raise NotReadyError("no three users were affected within 90 s")


def _release(stage: Stage) -> Release:
    if stage.bad is None:
        raise ValueError("this cause ships a release, and the scenario names no fault")
    return stage.bad
