"""Keeps Alertmanager told of what waits for a human; the journal is the outbox, so nothing is lost with a process."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import sqlalchemy as sa

from receiver.config import Config
from receiver.errors import AlertmanagerError, AlertRefused
from receiver.journal import deployments, escalations, views
from receiver.journal.counts import bump
from receiver.journal.database import Database
from receiver.journal.escalations import Escalation
from receiver.log import get_log
from receiver.model import RaisedAlert
from receiver.needs_human import needs_human

LAPSES_AFTER = 10
"""An alert ends by itself when it was not told again for so many times `resend_every`, as after the agent is gone."""
LINGER = 30.0
"""Seconds from an answer to the alert's end: Prometheus needs a scrape and an evaluation to see that nobody is needed.

Until then the rule that is the second way, RollbackEscalationOpen, still fires, and only this alert keeps it quiet.
"""
LONGEST_PAUSE = 15.0
"""Seconds between two attempts at most while Alertmanager is down."""


class Delivery(StrEnum):
    """What became of one attempt to tell Alertmanager."""

    RAISED = "raised"
    ENDED = "ended"
    REFUSED = "refused"
    FAILED = "failed"


class AlertTaker(Protocol):
    """Alertmanager, as an escalation sees it; raises AlertmanagerError, AlertRefused where it is the alert's fault."""

    def tell(self, alert: RaisedAlert) -> None:
        """Let an alert fire until its end, or end it now."""
        ...


@dataclass(frozen=True, slots=True)
class _Due:
    """What to tell now (Unix seconds), and of which escalation."""

    escalation: Escalation
    alert: RaisedAlert
    now: float

    @property
    def ends(self) -> bool:
        return self.escalation.answered_at is not None


class Escalator:
    """Tells one Alertmanager of the escalations of one journal; several may do so at once, and say the same."""

    def __init__(
        self,
        database: Database,
        alertmanager: AlertTaker,
        config: Config,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._alertmanager = alertmanager
        self._config = config
        self._monotonic = monotonic
        self._chance = chance
        self._failures = 0
        self._paused_until = 0.0
        self._told_until: dict[str, float] = {}
        """Until when (monotonic seconds) each is left alone that the journal cannot say was told, or refused."""

    def work_once(self) -> bool:
        """Tell Alertmanager of one escalation, if any is due; returns whether it took it."""
        if self._monotonic() < self._paused_until:
            return False
        with self._database.read() as tx:
            due = self._next(tx)
        if due is None:
            return False
        outcome = self._tell(due)
        if outcome is not Delivery.FAILED:
            # Where the journal cannot be written the others have their turn, and Alertmanager hears each in time.
            self._told_until[due.escalation.id] = self._monotonic() + self._config.alertmanager.resend_every
        with self._database.write() as tx:
            bump(tx, "escalation_deliveries", outcome=outcome)
            if outcome is Delivery.RAISED:
                escalations.raised(tx, due.escalation.id, due.now)
            elif outcome is Delivery.ENDED:
                escalations.lowered(tx, due.escalation.id, due.now)
        if outcome is not Delivery.REFUSED:
            self._told_until.pop(due.escalation.id, None)
        return outcome is not Delivery.FAILED

    def _next(self, tx: sa.Connection) -> _Due | None:
        now, resend_every = float(self._database.now(tx)), self._config.alertmanager.resend_every
        for one in escalations.to_tell(tx, now, resend_every, LINGER):
            if self._monotonic() < self._told_until.get(one.id, 0.0):
                continue
            incident = views.incident(tx, one.incident) if one.incident else None
            latched = deployments.latch_of(tx, one.deployment) is not None
            alertmanager, page = self._config.alertmanager, self._config.web.external_url
            alert = needs_human(one, incident, latched, page, alertmanager.runbook_url)
            ends_at = now + (LAPSES_AFTER * resend_every if one.answered_at is None else 0)
            # A clock that was set back would let it end before it began, which Alertmanager refuses.
            return _Due(one, replace(alert, starts_at=min(alert.starts_at, now), ends_at=ends_at), now)
        return None

    def _tell(self, due: _Due) -> Delivery:
        one = due.escalation
        told = {"escalation": one.id, "deployment": one.deployment, "reason": one.reason}
        try:
            self._alertmanager.tell(due.alert)
        except AlertRefused as error:
            get_log().error("Alertmanager refuses a call for a human", **told, error=str(error))
            return Delivery.REFUSED
        except AlertmanagerError as error:
            self._pause(str(error))
            return Delivery.FAILED
        if self._failures:
            get_log().info("Alertmanager takes calls for a human again", after_attempts=self._failures)
        self._failures = 0
        if due.ends:
            get_log().info("Alertmanager was told that nobody is needed any more", **told)
            return Delivery.ENDED
        if one.raised_at is None:
            get_log().info("a human is called through Alertmanager", **told)
        return Delivery.RAISED

    def _pause(self, error: str) -> None:
        if not self._failures:
            get_log().error("no human can be called, will be tried again", error=error)
        pause = min(2.0**self._failures, LONGEST_PAUSE) * (0.5 + self._chance() / 2)
        self._failures += 1
        self._paused_until = self._monotonic() + pause
