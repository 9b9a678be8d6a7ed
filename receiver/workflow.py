"""Takes runs through the phases; the one loop that times, counts, journals and logs them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace

import structlog

from receiver import earned
from receiver.diagnosis import diagnose
from receiver.errors import AuditError, JournalError, LostLease
from receiver.journal import approvals, deployments, escalations, incidents, judgements, refusals, runs
from receiver.journal.approvals import ApprovalState
from receiver.journal.database import Database, new_id
from receiver.log import get_log
from receiver.model import EscalationReason, Findings, Outcome, Proceed, Result, Run, Stop, Wait
from receiver.phases.approve import approve
from receiver.phases.back_up import back_up
from receiver.phases.claim import claim
from receiver.phases.evaluate import evaluate
from receiver.phases.execute import execute
from receiver.phases.guard import guard
from receiver.phases.verify import verify
from receiver.world import Audit, World

Phase = Callable[[Run, World], Outcome]
Reporter = Callable[[Run, Result, str], str | None]

PHASES: tuple[Phase, ...] = (evaluate, guard, approve, claim, back_up, execute, verify)

LEASE = 12.0
"""Seconds after which a run whose worker says nothing is taken over; 15 are promised, and looking takes a while."""
MAX_LIVES = 5
"""A step that has ended its process this often is not begun again."""


class Workflow:
    """Works on the runs of one journal; `report` writes a run's report and returns its path.

    `find_world` is asked before each phase, so a new configuration counts from the next one on. `owner` stands for this
    process and those before it on the same machine; `monotonic` is in seconds.
    """

    def __init__(
        self,
        database: Database,
        find_world: Callable[[str], World | None],
        audit: Audit,
        report: Reporter,
        *,
        owner: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._find_world = find_world
        self._audit_trail = audit
        self._report = report
        self._owner = owner or new_id()
        self._monotonic = monotonic
        self._takes_over_from = -math.inf
        self._stopping = threading.Event()
        self._held: dict[str, Run] = {}
        self._holding = threading.Lock()

    def work_once(self) -> bool:
        """Take the run that is due and work on it; returns whether there was one."""
        run = self.take()
        if run is None:
            return False
        self.work_on(run)
        return True

    def take(self) -> Run | None:
        """The run that has been due longest, with the lease on it; None where none is, or the agent is stopping."""
        return None if self._stopping.is_set() else self._claim()

    def work_on(self, run: Run) -> None:
        """Bring a run that was taken as far as it goes now.

        A database error loses nothing: the lease lapses and the run is taken up again.
        """
        with self._holding:
            self._held[run.id] = run
        try:
            with structlog.contextvars.bound_contextvars(run=run.id, incident=run.incident, deployment=run.deployment):
                self._bring_on(run)
        except LostLease as error:
            get_log().warning("left to another worker", run=run.id, reason=str(error))
        except JournalError as error:
            get_log().error("the journal failed; the run is taken up again", run=run.id, error=str(error))
            with suppress(JournalError), self._database.write() as tx:
                runs.spare(tx, run)
        finally:
            with self._holding:
                self._held.pop(run.id, None)

    def _claim(self) -> Run | None:
        try:
            with self._database.write() as tx:
                takes_over = self._monotonic() >= self._takes_over_from
                return runs.claim(tx, self._owner, self._database.now(tx), LEASE, takes_over=takes_over)
        except JournalError:
            # Nobody else may have reached it either. Whoever lives renews its leases before they are taken for ended.
            self._takes_over_from = self._monotonic() + LEASE
            raise

    def stop(self) -> None:
        """Begin no phase any more; a run that is between two is left to the next start, or to another replica."""
        self._stopping.set()

    def renew_leases(self) -> None:
        """Keep what is being worked on; call it a few times within LEASE."""
        with self._holding:
            held = tuple(self._held.values())
        for run in held:
            try:
                with self._database.write() as tx:
                    runs.renew(tx, run, self._database.now(tx) + LEASE)
            except LostLease as error:
                get_log().warning("the lease is lost", run=run.id, reason=str(error))

    def _bring_on(self, run: Run) -> None:
        with self._database.read() as tx:
            done, ended = runs.done_steps(tx, run), runs.result_of(tx, run)
        if run.lives > 1:
            get_log().warning("the run is taken up again", life=run.lives, done=sorted(done))
        elif not done:
            get_log().info("the run begins", trigger=run.trigger, requested_by=run.requested_by)
        if ended is None and run.lives > MAX_LIVES:
            position, name = next((at, phase.__name__) for at, phase in enumerate(PHASES) if phase.__name__ not in done)
            reason = f"the agent stopped {MAX_LIVES} times in {name}"
            stop = Stop(Result.FAILED, reason, run.findings, EscalationReason.AGENT_FAILED, latch=True)
            ended = self._stop(run, name, position, stop)
            run = replace(run, lives=1)
        for position, phase in enumerate(PHASES):
            if ended is not None:
                break
            if phase.__name__ in done:
                continue
            if self._stopping.is_set():
                self._leave(run, phase)
                return
            outcome = self._step(run, phase, position)
            if isinstance(outcome, Wait):
                return
            ended = (outcome.result, outcome.reason) if isinstance(outcome, Stop) else None
            run = replace(run, findings=outcome.findings, lives=1)
        if ended is None:
            raise ValueError("the last phase gives the verdict")
        self._finish(run, *ended)

    def _leave(self, run: Run, phase: Phase) -> None:
        with self._database.write() as tx:
            runs.wait(tx, run, 0.0)
        get_log().info(f"{phase.__name__}: left to the next start")

    def _step(self, run: Run, phase: Phase, position: int) -> Outcome:
        name = phase.__name__
        with self._database.write() as tx:
            is_new = runs.begin_step(tx, run, name, position, self._database.now(tx))
        outcome = self._ask(run, phase)
        if isinstance(outcome, Proceed):
            outcome = self._proceed(run, phase, outcome)
        if isinstance(outcome, Wait):
            with self._database.write() as tx:
                runs.wait(tx, run, outcome.until, name, outcome.summary, outcome.findings)
            if is_new:
                get_log().info(f"{name}: waits", reason=outcome.summary)
        elif isinstance(outcome, Stop):
            self._stop(run, name, position, outcome)
        return outcome

    def _proceed(self, run: Run, phase: Phase, outcome: Proceed) -> Proceed | Stop:
        """Record that a phase is done, in the journal and on the audit trail: both, or neither and a stop."""
        name = phase.__name__
        try:
            with self._database.write() as tx:
                now = self._database.now(tx)
                runs.finish_step(tx, run, name, now, outcome)
                judgements.keep(tx, run, name, now, outcome.judged)
                self._audit(run, name, outcome)
        except AuditError as error:
            reason = f"{outcome.summary}, but {error}; without a record nothing more is done"
            return _failure(phase, outcome.findings, reason)
        get_log().info(f"{name}: done", summary=outcome.summary)
        return outcome

    def _ask(self, run: Run, phase: Phase) -> Outcome:
        """The phase's outcome; what it did not expect is a stop, with a latch once the effect may have begun."""
        world = self._find_world(run.deployment)
        if world is None:
            reason = f"{run.deployment} is no longer in the configuration"
            return _failure(phase, run.findings, reason)
        try:
            return phase(run, world)
        except JournalError:
            raise
        except AuditError as error:
            return _failure(phase, run.findings, f"{error}; without a record nothing is done")
        except Exception as error:
            get_log().exception(f"{phase.__name__}: failed unexpectedly")
            reason = f"{phase.__name__} failed unexpectedly: {type(error).__name__}: {error}"
            return _failure(phase, run.findings, reason)

    def _stop(self, run: Run, name: str, position: int, stop: Stop) -> tuple[Result, str]:
        """Record the end of a run with everything that follows from it, in one transaction."""
        with self._database.write() as tx:
            deployments.lock(tx, run.deployment)
            if stop.latch:
                deployments.latch(tx, run.deployment, self._database.now(tx), stop.reason)
            now = self._database.now(tx)
            runs.begin_step(tx, run, name, position, now)
            runs.finish_step(tx, run, name, now, stop)
            judgements.keep(tx, run, name, now, stop.judged)
            asked = approvals.of_run(tx, run.id)
            if asked is not None:
                approvals.end(tx, asked, ApprovalState.WITHDRAWN, now)  # where it is still open, nobody need answer it
            said_no = stop.findings.refusals[len(run.findings.refusals) :]
            refusals.record(tx, run, name, said_no, now)
            if stop.escalation is not None:
                escalations.supersede(tx, run.id, stop.escalation, now)
                escalations.open_one(
                    tx, run.deployment, stop.escalation, stop.reason, now, incident=run.incident, run=run.id
                )
            with suppress(AuditError):  # logged there; a stop that cannot be recorded still is one
                self._audit(run, name, stop)
            with suppress(AuditError):
                earned.run_ended(tx, self._audit_trail, run, stop, now)
        for refusal in said_no:
            get_log().warning(
                "a guardrail refuses", guardrail=refusal.guardrail, reason=refusal.reason, retry_at=refusal.retry_at
            )
        tell = get_log().info if stop.escalation is None else get_log().error
        tell(f"{name}: {stop.result}", reason=stop.reason, escalation=stop.escalation, latched=stop.latch)
        return stop.result, stop.reason

    def _finish(self, run: Run, result: Result, reason: str) -> None:
        with self._database.write() as tx:
            runs.begin_step(tx, run, "report", len(PHASES), self._database.now(tx))
        report: str | None = None
        diagnosed, summary = run, f"no report: the agent stopped {MAX_LIVES} times over it"
        try:
            if run.lives <= MAX_LIVES:
                diagnosed = replace(run, findings=self._diagnosed(run, result))
                report = self._report(diagnosed, result, reason)
                summary = report or "no report"
        except Exception as error:  # whatever it is, the run has ended and must not be taken up for ever
            summary = f"the report could not be written: {error}"
            get_log().exception("the report could not be written")
        with self._database.write() as tx:
            deployments.lock(tx, run.deployment)
            now = self._database.now(tx)
            runs.finish_step(tx, run, "report", now, Proceed(diagnosed.findings, summary))
            runs.finish(tx, run, now, result, report)
            if result is Result.RESTORED:
                incidents.close(tx, run.incident, now)  # verified means that no branch fires; a next one is new
            if result is Result.UPGRADED:
                incidents.retry(tx, run.deployment, now)  # what fires now is not put off until the next look
        get_log().info("the run has ended", result=result, report=report)

    def _diagnosed(self, run: Run, result: Result) -> Findings:
        """The findings with a diagnosis, unless there is one since a person was asked, or nothing was wrong."""
        world = self._find_world(run.deployment)
        if run.findings.diagnosis or result is Result.NOT_NEEDED or world is None:
            return run.findings
        return replace(run.findings, diagnosis=diagnose(world))

    def _audit(self, run: Run, name: str, outcome: Proceed | Stop) -> None:
        """Put the outcome on the audit trail; an effect's own intent is written by its phase, before it."""
        decision, verification = outcome.findings.decision, outcome.findings.verification
        signals = verification.signals if verification else decision.signals if decision else ()
        facts: dict[str, object] = {signal.series: signal.value for signal in signals}
        if outcome.findings.refusals:
            facts["refusals"] = [asdict(refusal) for refusal in outcome.findings.refusals]
        try:
            self._audit_trail.record(
                f"{name}:{outcome.result if isinstance(outcome, Stop) else 'done'}",
                outcome.reason if isinstance(outcome, Stop) else outcome.summary,
                deployment=run.deployment,
                run=run.id,
                facts=facts,
            )
        except AuditError as error:
            get_log().critical("the audit trail cannot be written", error=str(error))
            raise


def _failure(phase: Phase, findings: Findings, reason: str) -> Stop:
    """A stop that nobody planned; it latches once the deployment may have been touched."""
    touched = PHASES.index(phase) >= PHASES.index(execute)
    return Stop(Result.FAILED, reason, findings, EscalationReason.AGENT_FAILED, latch=touched)
