"""Everything that a person does, however they reach the agent: journaled and audited as one, or not done at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from receiver import kill_switch
from receiver.autonomy import in_force
from receiver.config import Config
from receiver.errors import AuditError, JournalError, NotFound, NotPossible, no_deployment
from receiver.journal import approvals, autonomy, deployments, drills, escalations, incidents, releases
from receiver.journal.approvals import Approval, Voter
from receiver.journal.database import Database
from receiver.journal.deployments import Latch
from receiver.journal.escalations import Escalation
from receiver.journal.moments import Moment
from receiver.model import Autonomy, Level
from receiver.not_counted import ONLY_A_CLAIM, NotCounted, latest_approval, why_not
from receiver.throttle import Throttle, Throttled
from receiver.world import Audit

LONGEST_DRILL = 7200.0
"""Seconds after which a drill that nobody ended keeps no other one from being begun."""


class Via(StrEnum):
    """How a person reached the agent."""

    COMMAND_LINE = "command_line"
    PAGE = "page"
    API = "api"


class Answer(StrEnum):
    """What a person says to an escalation: look again, attempt nothing more, or it needs nothing more."""

    RETRY = "retry"
    GIVE_UP = "give_up"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Answered:
    """The escalation that was answered, and whether its incident is still open."""

    escalation: Escalation
    is_open: bool


@dataclass(frozen=True, slots=True)
class Cleared:
    """The latch that was lifted, and whether what still fires is evaluated again now."""

    latch: Latch
    looks_again: bool


@dataclass(frozen=True, slots=True)
class Person:
    """Who decides, and how they reached the agent."""

    name: str
    via: Via
    is_claim: bool = False
    """Whether they only say that this is their name."""


class Operators:
    """Does what people decide; raises NotPossible, or AuditError where it could not be recorded and so is not done.

    `monotonic` is in seconds.
    """

    def __init__(
        self, database: Database, audit: Audit, config: Config, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._audit = audit
        self._config = config
        self._not_counted = Throttle(monotonic)

    def approve(self, incident: str, plan_hash: str, person: Person, comment: str) -> Approval:
        """Confirm the plan with this hash, of which the first 8 characters are enough; the approval as it is now."""
        with self._even_refused("approve", person, plan_hash), self._database.write() as tx:
            approval, now = latest_approval(tx, incident), self._database.now(tx)
            if approval.need > 1 and person.is_claim:
                raise NotCounted(approval, ONLY_A_CLAIM.format(approval.need, person.name))
            voter = Voter(person.name, person.via)
            voters = approvals.approve(tx, approval, now, voter, plan_hash, comment)
            if not voters:
                raise NotCounted(approval, why_not(approval, now, person.name, plan_hash))
            said = comment or f"approved through the {person.via.replace('_', ' ')}"
            word = "approved" if len(voters) >= approval.need else "vote"
            self._record(
                word, said, person, approval.deployment, approval.run,
                plan_hash=approval.plan_hash, people=voters, needed=approval.need,
            )  # fmt: skip
            return latest_approval(tx, incident)

    def deny(self, incident: str, person: Person, comment: str) -> Approval:
        """Refuse the plan: the run ends, and the deployment is latched."""
        with self._even_refused("deny", person), self._database.write() as tx:
            approval, now = latest_approval(tx, incident), self._database.now(tx)
            if not approvals.deny(tx, approval, now, person.name, comment):
                raise NotCounted(approval, why_not(approval, now, person.name, None))
            said = comment or f"denied through the {person.via.replace('_', ' ')}"
            self._record("denied", said, person, approval.deployment, approval.run, plan_hash=approval.plan_hash)
            return latest_approval(tx, incident)

    def answer(self, escalation: str, word: Answer, person: Person, comment: str) -> Answered:
        """Close an escalation; RETRY evaluates what still fires again, GIVE_UP latches the deployment."""
        with self._database.write() as tx:
            now = self._database.now(tx)
            found = next(iter(escalations.find(tx, escalation=escalation)), None)
            if found is None:
                raise NotFound(f"there is no escalation {escalation}; `rollback-agent status` lists the open ones")
            deployments.lock(tx, found.deployment)  # before any of its rows, as whoever works on it does
            if not escalations.answer(tx, escalation, now, person.name, word, comment):
                raise NotPossible(f"escalation {escalation} was already answered by {found.answered_by}")
            is_open = found.incident is not None and found.incident == incidents.open_incident(tx, found.deployment)
            if word is Answer.RETRY and is_open:
                incidents.wake(tx, found.deployment, now, deciding=None)
            if word is Answer.GIVE_UP:
                deployments.latch(tx, found.deployment, now, f"{person.name} gave up: {comment or found.summary}")
            self._record(f"answer:{word}", comment or found.summary, person, found.deployment, found.run)
        return Answered(found, is_open)

    def clear(self, deployment: str, person: Person, comment: str) -> Cleared:
        """Lift a latch; what still fires is evaluated again."""
        self._require_known(deployment)
        with self._database.write() as tx:
            latch = deployments.clear_latch(tx, deployment)
            if latch is None:
                raise NotPossible(f"{deployment} is not latched")
            looks_again = incidents.retry(tx, deployment, self._database.now(tx))
            self._record("clear", comment or latch.reason, person, deployment)
        return Cleared(latch, looks_again)

    def set_autonomy(self, scope: str, level: Autonomy, person: Person, comment: str) -> None:
        """Set what the agent may do by itself with a deployment, or with ALL; it counts from the next step on."""
        concerned = self._concerned(scope)
        with self._database.write() as tx:
            now = self._database.now(tx)
            before = {name: in_force(tx, self._config, name) for name in concerned}
            autonomy.set_level(tx, scope, level, now, person.name)
            self._autonomy_changed(tx, f"autonomy:{level}", before, person, comment, now)

    def reset_autonomy(self, scope: str, person: Person, comment: str) -> None:
        """Take back what was set for a deployment, so that what counts for all does; for ALL the configuration does."""
        concerned = self._concerned(scope)
        with self._database.write() as tx:
            now = self._database.now(tx)
            before = {name: in_force(tx, self._config, name) for name in concerned}
            if not autonomy.take_back(tx, scope):
                where = "any deployment" if scope == autonomy.ALL else scope
                raise NotPossible(f"nobody has set a level for {where}; the configuration's counts")
            self._autonomy_changed(tx, "autonomy:reset", before, person, comment, now)

    def hold(self, deployment: str, release: str, person: Person, comment: str) -> None:
        """Neither deploy a release nor roll back to it."""
        self._require_known(deployment)
        with self._database.write() as tx:
            if releases.known(tx, deployment).get(release) is None:
                raise NotFound(f"{deployment} has no release {release}")
            releases.hold(tx, deployment, release, self._database.now(tx), person.name)
            self._record("hold", comment or release, person, deployment, release=release)

    def release_hold(self, deployment: str, release: str, person: Person, comment: str) -> None:
        """Let a release that is held be deployed again; to be a target it must prove good anew."""
        self._require_known(deployment)
        with self._database.write() as tx:
            found = releases.known(tx, deployment).get(release)
            if found is None or found.held_at is None:
                raise NotPossible(f"{release} of {deployment} is not held")
            releases.end_hold(tx, deployment, release)
            self._record("release-hold", comment or release, person, deployment, release=release)

    def switch(self, on: bool, person: Person, comment: str) -> None:
        """Switch the kill switch: on, it stops everything even where that cannot be recorded, which raises then."""
        if on:
            only_here = kill_switch.switch_on(self._config, self._database, f"{person.name}: {comment}")
            try:
                self._config.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._record("kill_switch:on", comment or "switched on", person)
            except (OSError, AuditError) as error:
                raise AuditError(f"the kill switch is on and nothing is rolled back, but: {error}") from error
            if only_here is not None:
                raise JournalError(f"the kill switch is on for this replica and no other one: {only_here}")
        else:
            self._record("kill_switch:off", comment or "switched off", person)
            kill_switch.switch_off(self._config, self._database)

    def request_rollback(self, deployment: str, level: Level, person: Person) -> str:
        """Ask for a rollback, which is planned and then confirmed like any other; the id of its run."""
        self._require_known(deployment)
        with self._database.write() as tx:
            run = incidents.request(tx, deployment, self._database.now(tx), level, person.name)
            if run is None:
                incident = incidents.open_incident(tx, deployment)
                raise NotPossible(f"a run is under way already; `rollback-agent show {incident}` shows it")
            self._record("request", f"a {level} rollback by hand", person, deployment, run)
        return run

    def begin_drill(self, deployment: str, scenario: str, person: Person) -> str:
        """Begin a drill, before anything is broken; its id. Raises NotPossible where another one goes on."""
        self._require_known(deployment)
        with self._database.write() as tx:
            deployments.lock(tx, deployment)
            now = self._database.now(tx)
            other = drills.under_way(tx, deployment, now - LONGEST_DRILL)
            if other is not None:
                raise NotPossible(f"{other} drills {deployment} already")
            drill = drills.begin(tx, deployment, scenario, now, person.name)
            self._record("drill:begin", f"drill {scenario}", person, deployment, drill=drill)
        return drill

    def end_drill(
        self, drill: str, deployment: str, is_good: bool, reason: str, incident: str | None, person: Person
    ) -> None:
        """Say how a drill ended."""
        with self._database.write() as tx:
            drills.end(tx, drill, self._database.now(tx), is_good, reason, incident)
            word = "drill:good" if is_good else "drill:failed"
            self._record(word, reason, person, deployment, drill=drill, incident=incident)

    @contextmanager
    def _even_refused(self, word: str, person: Person, plan_hash: str | None = None) -> Iterator[None]:
        """Put an answer that does not count on the trail as well, ten a minute: nobody fills the trail with them.

        Around the transaction, which has been taken back by then; `plan_hash` is the one that was given.
        """
        try:
            yield
        except NotCounted as error:
            asked = error.approval
            facts = {"plan_hash": asked.plan_hash}
            if plan_hash is not None:
                facts["plan_hash_given"] = plan_hash[:64]
            # Nothing was done that would need the record: why not is told either way.
            with suppress(Throttled, AuditError):
                self._not_counted.begin("", person.name)
                self._record(f"{word}:refused", str(error), person, asked.deployment, asked.run, **facts)
            raise

    def _concerned(self, scope: str) -> tuple[str, ...]:
        if scope == autonomy.ALL:
            return tuple(sorted(self._config.deployments))
        self._require_known(scope)
        return (scope,)

    def _autonomy_changed(
        self, tx: sa.Connection, decision: str, before: dict[str, Autonomy], person: Person, comment: str, now: Moment
    ) -> None:
        """Record the change, one record a deployment, and let what waits or was only recorded be looked at again."""
        for name, was in before.items():
            incidents.look_again(tx, name, now)
            level = in_force(tx, self._config, name)
            self._record(decision, comment or f"from {was} to {level}", person, name, before=was, after=level)

    def _require_known(self, deployment: str) -> None:
        if deployment not in self._config.deployments:
            raise NotFound(no_deployment(deployment, self._config.deployments))

    def _record(
        self,
        decision: str,
        reasoning: str,
        person: Person,
        deployment: str | None = None,
        run: str | None = None,
        **facts: object,
    ) -> None:
        """In the transaction of what it tells: without the record on disk that does not stand."""
        told = {"via": str(person.via), **facts}
        self._audit.record(decision, reasoning, actor=person.name, deployment=deployment, run=run, facts=told)
