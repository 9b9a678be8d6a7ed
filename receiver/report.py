"""Writes the incident report, for a run that was stopped as fully as for one that went through."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from receiver.audit_chain import Head
from receiver.command_output import last_output
from receiver.durations import clock_time, in_words
from receiver.errors import AuditError
from receiver.journal import views
from receiver.journal.database import Database
from receiver.journal.views import View
from receiver.markdown import code, plain, printable
from receiver.model import Result, Run, Signal
from receiver.redact import redact_text
from receiver.report_diagnosis import diagnosis_section

_LAST_LINES = 20


class AuditHead(Protocol):
    """The audit trail, of which a report remembers how far it had come."""

    def head(self) -> Head:
        """The last record; raises AuditError."""
        ...


class ReportWriter:
    """Writes `incident-<time>.md` files into `directory`."""

    def __init__(self, directory: Path, database: Database, audit: AuditHead, clock: Callable[[], float]) -> None:
        self._directory = directory
        self._database = database
        self._audit = audit
        self._clock = clock

    def write(self, run: Run, result: Result, reason: str) -> str:
        """Write the run's report and return its path; raises OSError."""
        with self._database.read() as tx:
            incident = views.incident(tx, run.incident)
        view = next(one for one in incident["runs"] if one["id"] == run.id) if incident else {}
        escalations = [one for one in incident["escalations"] if one["run"] == run.id] if incident else []
        now = self._clock()
        view["hotfixes"] = incident["hotfixes"] if incident else []
        lines = [*_report(run, result, reason, view, escalations, now), *_checkpoint(self._audit)]
        text = redact_text("\n".join(lines)) + "\n"
        # When the report was begun, so that a run whose report is written again after a kill still has one.
        began = next((step["started_at"] for step in view.get("steps", ()) if step["name"] == "report"), now)
        partial = self._directory / f"incident-{run.id}.partial"
        with partial.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return str(_put_in_place(partial, datetime.fromtimestamp(began, UTC).strftime("%Y%m%d-%H%M%S"), run))


def _put_in_place(partial: Path, stamp: str, run: Run) -> Path:
    path = partial.with_name(f"incident-{stamp}.md")
    try:
        os.link(partial, path)  # other than a rename it never replaces another run's report of the same second
    except FileExistsError:
        if f"run {code(run.id)}" not in path.read_text(encoding="utf-8"):
            path = partial.with_name(f"incident-{stamp}-{run.id}.md")
        partial.replace(path)
    else:
        partial.unlink()
    return path


def _report(run: Run, result: Result, reason: str, view: View, escalations: list[View], now: float) -> Iterator[str]:
    findings = run.findings
    trigger = f"requested by {code(run.requested_by or '')}" if run.requested_by else "Prometheus, through Alertmanager"
    yield "# Automated Rollback Incident"
    yield ""
    yield f"**Status**: {result.replace('_', ' ')}: {plain(reason)}  "
    yield f"**Timestamp**: {clock_time(now)}  "
    yield f"**Deployment**: {code(run.deployment)}  "
    yield f"**Trigger**: {trigger}  "
    yield f"**Rollback level**: {findings.plan.level if findings.plan else 'none'}  "
    yield f"**Duration**: {in_words(now - run.created_at)}  "
    yield f"**Incident**: {code(run.incident)}, run {code(run.id)}"
    yield from _decision(run)
    yield from _signals(run)
    yield from diagnosis_section(findings.diagnosis)
    yield from _details(run)
    yield from _refusals(view)
    yield from _timeline(view)
    yield from _hotfixes(view)
    yield from _output(run)
    yield from _next_actions(run, result, escalations)


def _decision(run: Run) -> Iterator[str]:
    yield from ("", "## Decision", "")
    decision = run.findings.decision
    if decision is None:
        yield "No branch of the tree decided."
        return
    confidence = "" if decision.confidence is None else f", confidence {decision.confidence}"
    yield f"{plain(decision.reason)}: action `{decision.action}`{confidence}."
    if decision.also_firing:
        yield f"Also firing: {', '.join(code(name) for name in decision.also_firing)}."


def _signals(run: Run) -> Iterator[str]:
    decision, verification = run.findings.decision, run.findings.verification
    if decision is None or not decision.signals:
        return
    after = {signal.series: signal for signal in verification.signals} if verification else {}
    yield from ("", "## Detection metrics", "", "| signal | when decided | when verified |", "|---|---|---|")
    for signal in decision.signals:
        yield f"| {code(signal.series)} | {_value(signal)} | {_value(after.get(signal.series))} |"


def _details(run: Run) -> Iterator[str]:
    findings = run.findings
    plan, backup, execution, verification = (
        findings.plan,
        findings.backup,
        findings.execution,
        findings.verification,
    )
    yield from ("", "## Rollback details", "")
    if plan is None:
        yield "- No rollback was planned."
        return
    services = sorted(
        {signal.service for signal in (findings.decision.signals if findings.decision else ()) if signal.service}
    )
    yield f"- Previous release: {code(plan.live_release)}, commit {code(plan.live_commit or 'unknown')}"
    yield f"- Target release: {code(plan.target_release or 'none')}, commit {code(plan.target_commit or 'unknown')}"
    yield f"- Plan: {code(plan.hash)}"
    yield f"- Services affected: {', '.join(map(code, services)) or 'unknown'}"
    if findings.permission:
        by, why = code(findings.permission.by), plain(findings.permission.reason)
        yield f"- Allowed by: {by} ({why}), {clock_time(findings.permission.at)}"
    if backup:
        yield f"- Backup: {code(backup.directory)}, {backup.files} files, {backup.bytes} bytes, read back"
    if execution is None:
        yield "- Nothing was executed."
        return
    exit_code = "unknown" if execution.exit_code is None else execution.exit_code
    yield f"- Command: exit code {exit_code} after {execution.finished_at - execution.started_at:.1f} s"
    yield (
        "- Data loss: none by this rollback, it changed code only"
        if plan.level == "fast"
        else "- Data loss: see the backup"
    )
    if verification:
        verdict = verification.verdict.replace("_", " ")
        yield f"- Verification: {verdict}: {plain(verification.reason)}, {clock_time(verification.at)}"


def _refusals(view: View) -> Iterator[str]:
    if not view.get("refusals"):
        return
    yield from ("", "## Refusals", "")
    for refusal in view["refusals"]:
        retry = f", ask again from {clock_time(refusal['retry_at'])}" if refusal["retry_at"] else ""
        yield f"- {code(refusal['guardrail'])}: {plain(refusal['reason'])}{retry}"


def _timeline(view: View) -> Iterator[str]:
    yield from ("", "## Timeline", "", "| phase | began | took | outcome |", "|---|---|---|---|")
    if view.get("notified_at"):
        yield f"| notification received | {clock_time(view['notified_at'])} | | |"
    for step in view.get("steps", ()):
        if step["name"] == "report":
            continue
        took = "" if step["finished_at"] is None else f"{step['finished_at'] - step['started_at']:.2f} s"
        outcome = plain(step["summary"] or step["state"])
        yield f"| {step['name']} | {clock_time(step['started_at'])} | {took} | {outcome} |"


def _hotfixes(view: View) -> Iterator[str]:
    if not view["hotfixes"]:
        return
    yield from ("", "## Hotfixes", "")
    for hotfix in view["hotfixes"]:
        comment = f": {plain(hotfix['comment'])}" if hotfix["comment"] else ""
        times = f"from {clock_time(hotfix['started_at'])}, due {clock_time(hotfix['deadline'])}"
        yield f"- By {code(hotfix['started_by'])} {times}, {hotfix['state']}{comment}"


def _output(run: Run) -> Iterator[str]:
    execution = run.findings.execution
    if execution is None:
        return
    yield from ("", "## The command's last lines", "")
    lines = last_output(Path(execution.output)).splitlines()[-_LAST_LINES:]
    yield from (f"    {printable(line)}" for line in lines or ["(it printed nothing)"])


def _next_actions(run: Run, result: Result, escalations: list[View]) -> Iterator[str]:
    yield from ("", "## Next actions", "")
    for escalation in escalations:
        command = f"rollback-agent answer {escalation['id']}"
        yield f"- [ ] Answer the escalation ({escalation['reason']}): `{command} --done`, `--retry` or `--give-up`"
    if result is Result.RESTORED and run.findings.plan:
        held = code(run.findings.plan.live_release)
        yield f"- [ ] Release {held} is held; find its fault before it is shipped again"
    yield from (
        "- [ ] Human review of the incident",
        "- [ ] Root cause analysis",
        "- [ ] Update the deployment checklist",
    )


def _checkpoint(audit: AuditHead) -> Iterator[str]:
    yield from ("", "## Audit trail", "")
    try:
        head = audit.head()
    except AuditError as error:
        yield f"It could not be read when this was written: {plain(str(error))}"
        return
    yield f"Record {head.records} was the last one when this was written."
    if head.records:
        yield from ("Whether it is still there:", "", f"    rollback-agent audit verify --checkpoint {head}")


def _value(signal: Signal | None) -> str:
    return "-" if signal is None else signal.reading
